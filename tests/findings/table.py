"""The labels: one row for each three functions of ``cases/``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import django

from tests.findings.case import POTENTIAL, Case, Expected
from tests.findings.table_writes import EVIDENCE, WRITES

SELECT = ("select_related",)
PREFETCH = ("prefetch_related",)
EITHER = ("select_related", "prefetch_related")
TO_ATTR = ("prefetch_to_attr",)
ANNOTATE = ("annotate",)
# One row of each: the newest may come by a subquery as well.
ONE_ROW = ("prefetch_to_attr", "annotate")
COLUMNS = ("only", "defer")
KEYS = ("in_bulk",)
PEERS = ("fetch_peers",) if django.VERSION >= (6, 1) else SELECT
ADMIN = ("list_select_related",)
ANY_READ = ("in_bulk", "prefetch_related", "select_related", "prefetch_to_attr", "annotate")


def finding(relation: str | None, queries: int, fix: tuple[str, ...], **more: Any) -> Expected:
    return Expected(relation=relation, queries=queries, fix=fix, **more)


def one(
    name: str,
    relation: str | None,
    queries: int,
    fix: tuple[str, ...],
    after: int,
    **more: Any,
) -> dict[str, Any]:
    """A case with one finding, and one query beside the loop where nothing else is said."""
    before = more.pop("before", queries + 1)
    committed = more.pop("committed", False)
    expected = finding(relation, queries, fix, **more)
    return {**several(name, before, after, expected), "committed": committed}


def several(name: str, before: int, after: int, *expected: Expected) -> dict[str, Any]:
    return {"name": name, "before": before, "after": after, "expected": expected}


TABLE: dict[str, list[dict[str, Any]]] = {
    "forward": [
        one("foreign_key", "Essay.writer", 12, SELECT, 1),
        one("nullable", "Essay.editor", 6, SELECT, 1),
        one("to_field", "Person.country", 6, SELECT, 1),
        one("uuid", "Journal.publisher", 6, SELECT, 1),
        one("to_self", "Person.mentor", 5, SELECT, 1),
        several(
            "two_keys",
            13,
            1,
            finding("Essay.writer", 6, SELECT, read=":writer"),
            finding("Essay.editor", 6, SELECT, read=":editor"),
        ),
        several(
            "chain",
            13,
            1,
            finding("Loan.member", 6, SELECT),
            finding("Member.branch", 6, SELECT),
        ),
        one("chain_begun", "Member.branch", 6, SELECT, 1),
        one("one_to_one", "Passport.holder", 6, SELECT, 1),
        one("reverse_one_to_one", "Person.passport", 6, SELECT, 1),
        one("absent", "Person.locker", 6, SELECT, 1),
    ],
    "reverse": [
        one("related_name", "Person.essays", 6, PREFETCH, 2),
        one("no_name", "Journal.essay_set", 6, PREFETCH, 2),
        several(
            "nested",
            13,
            3,
            finding("Publisher.journals", 6, PREFETCH, read=":journals"),
            finding("Journal.essay_set", 6, PREFETCH, read=":essays"),
        ),
        one("then_forward", "Essay.journal", 12, EITHER, 3, before=14),
        one("filtering_manager", "Person.drafts", 6, PREFETCH, 2),
        one("of_self", "Person.pupils", 6, PREFETCH, 2),
        one("key_from_above", "Essay.journal", 4, SELECT, 2, before=6),
    ],
    "many": [
        one("declared", "Essay.topics", 12, PREFETCH, 2),
        one("other_end", "Topic.essays", 6, PREFETCH, 2),
        one("no_name", "Essay.keywords", 12, PREFETCH, 2),
        one("no_name_other_end", "Keyword.essay_set", 6, PREFETCH, 2),
        one("symmetrical", "Person.friends", 6, PREFETCH, 2, read="_names"),
        one("one_way", "Person.follows", 6, PREFETCH, 2),
        one("one_way_back", "Person.followers", 6, PREFETCH, 2),
    ],
    "generic": [
        one("key", "Label.target", 12, PREFETCH, 3),
        one("content_type", "Label.content_type", 12, SELECT, 1),
        one("relation", "Essay.labels", 12, PREFETCH, 2),
        one("counted", "Essay.labels", 12, (*PREFETCH, *ANNOTATE), 2),
        one("mixed", "Label.target", 6, PREFETCH, 2),
    ],
    "deferred": [
        one("only", "Person.bio", 6, COLUMNS, 1),
        one("defer", "Census.notes", 6, COLUMNS, 1),
        several(
            "two_columns",
            13,
            1,
            finding("Census.year", 6, COLUMNS, read=":year"),
            finding("Census.farms", 6, COLUMNS, read=":farms"),
        ),
        one("of_related", "Person.born", 12, COLUMNS, 1),
        one("of_parent", "Volume.title", 6, COLUMNS, 1),
    ],
    "narrowed": [
        one("filter", "Person.essays", 6, TO_ATTR, 2),
        one("filter_inline", "Person.essays", 6, TO_ATTR, 2),
        one("exclude", "Person.essays", 6, TO_ATTR, 2),
        one("order_by", "Person.essays", 6, TO_ATTR, 2),
        one("many_to_many", "Essay.topics", 12, TO_ATTR, 2),
        one("slice", "Person.essays", 6, TO_ATTR, 2),
        one("values_list", "Person.essays", 6, (*PREFETCH, *TO_ATTR), 2),
    ],
    "answers": [
        one("count", "Person.essays", 6, ANNOTATE, 1),
        one("count_filtered", "Person.essays", 6, ANNOTATE, 1),
        one("count_topics", "Essay.topics", 12, ANNOTATE, 1),
        several(
            "count_twice",
            13,
            1,
            finding("Person.essays", 6, ANNOTATE, read=":essays"),
            finding("Person.edited", 6, ANNOTATE, read=":edited"),
        ),
        one("exists", "Person.edited", 6, ANNOTATE, 1),
        one("first_of_model", "Choir.songs", 4, TO_ATTR, 2),
        one("last_of_model", "Choir.songs", 4, TO_ATTR, 2),
        one("count_of_joined", "Person.essays", 6, PREFETCH, 2),
        one("exists_filtered", "Person.essays", 6, ANNOTATE, 1),
        one("first", "Person.essays", 6, ONE_ROW, 2),
        one("last", "Person.essays", 6, ONE_ROW, 2),
        one("get", "Person.essays", 6, ONE_ROW, 2),
        one("aggregate", "Person.essays", 6, ANNOTATE, 1),
        one("contains", "Essay.topics", 12, (*PREFETCH, *ANNOTATE), 3, before=14),
    ],
    "methods": [
        one("property", "Person.passport", 6, SELECT, 1, read="models:property"),
        one("method", "Person.essays", 6, PREFETCH, 2, read="models:method"),
        one("text", "Essay.writer", 12, SELECT, 1, read="models:str"),
        one("narrowed_method", "Person.essays", 6, TO_ATTR, 2, read="models:narrowed method"),
    ],
    "origins": [
        one("iterator", "Essay.writer", 12, SELECT, 1),
        one("iterator_many", "Essay.topics", 12, PREFETCH, 2),
        one(
            "through_functions",
            "Essay.writer",
            8,
            SELECT,
            1,
            read="shelves.writers_of",
        ),
        one("other_module", "Essay.writer", 12, SELECT, 1, origin="shelves.all_essays"),
        one(
            "both_elsewhere",
            "Essay.writer",
            12,
            SELECT,
            1,
            origin="shelves.all_essays",
            read="shelves.writers_of",
        ),
        several(
            "two_querysets",
            14,
            2,
            finding("Essay.writer", 8, SELECT, origin=":published", read="shelves.writers_of"),
            finding("Essay.writer", 4, SELECT, origin=":waiting", read="shelves.writers_of"),
        ),
        one("in_steps", "Essay.journal", 11, SELECT, 1),
        one("several_lines", "Essay.writer", 10, SELECT, 1),
        one("sliced", "Essay.writer", 6, SELECT, 1),
        one("paginated", "Essay.writer", 5, SELECT, 2, before=7),
        one("union", "Essay.writer", 8, EITHER, 2),
        one("raw", "Loan.member", 6, PREFETCH, 2),
        one("manager_method", "Essay.writer", 8, SELECT, 1),
        one("in_bulk", "Person.country", 6, SELECT, 1),
    ],
    "inheritance": [
        one("from_parent", "Volume.shelf", 6, SELECT, 1),
        one("own_key", "Volume.author", 6, SELECT, 1),
        one("to_child", "Item.volume", 10, SELECT, 1),
        one("parents", "Shelf.items", 6, PREFETCH, 2),
        one("proxy", "Poet.passport", 6, SELECT, 1),
        one("proxy_many", "Poet.essays", 6, PREFETCH, 2),
    ],
    "aliases": [
        one("forward", "Essay.writer", 12, SELECT, 1),
        one("reverse", "Person.essays", 6, PREFETCH, 2),
        one("across", "Person.essays", 6, ("in_bulk", ""), 2, edits=False),
    ],
    "loose": [
        one("filter", None, 6, ANY_READ, 2, origin=None),
        one("get", None, 12, ANY_READ, 2, origin=None),
        one("of_values", None, 12, ANY_READ, 2, origin=None),
        one("by_name", None, 3, KEYS, 1, before=3, origin=None),
        one("count", None, 6, ANNOTATE, 1, origin=None),
        one("exists", None, 6, (*ANNOTATE, *KEYS), 1, origin=None),
        one("first", None, 6, ANY_READ, 2, origin=None),
        one("raw", None, 6, (), 2, origin=None, edits=False),
        one("get_or_create", None, 6, KEYS, 1, before=6, origin=None),
        one("one_by_one", None, 6, KEYS, 1, origin=None),
    ],
    "pages": [
        one("loop", "Essay.writer", 12, SELECT, 1, read="writers.html"),
        several(
            "nested",
            19,
            3,
            finding("Person.essays", 6, PREFETCH, read="people.html:essays"),
            finding("Essay.topics", 12, PREFETCH, read="people.html:topics"),
        ),
        one("included", "Essay.journal", 12, SELECT, 1, read="_essay.html"),
        one("named", "Essay.writer", 12, SELECT, 1, read="with.html"),
        one("inherited", "Essay.writer", 12, SELECT, 1, read="child.html"),
        one("method", "Person.essays", 6, PREFETCH, 2, read="models:method"),
        one("counted", "Person.essays", 6, (*ANNOTATE, *PREFETCH), 1, read="counted.html"),
        one("guarded", "Person.edited", 6, (*ANNOTATE, *PREFETCH), 1, read="guarded.html"),
        one("newest", "Person.essays", 6, (*PREFETCH, *ONE_ROW), 2, read="newest.html"),
    ],
    "views": [
        one("attribute", "Essay.writer", 12, SELECT, 1, origin="Attribute", read="writers.html"),
        one("method", "Essay.writer", 11, SELECT, 1, origin="Method", read="writers.html"),
        one("super", "Essay.writer", 12, SELECT, 1, origin="Super", read="writers.html"),
        one("model", "Essay.writer", 12, SELECT, 1, origin="Model", read="writers.html"),
        one("paged", "Essay.writer", 5, SELECT, 2, before=7, origin="Paged", read="writers.html"),
    ],
    "rest": [
        one("nested", "Essay.writer", 12, SELECT, 1, origin="Nested", read="_get"),
        one("source", "Essay.journal", 8, SELECT, 1, origin="Source", read="_get"),
        one("many", "Essay.topics", 12, PREFETCH, 2, origin="Many", read="_get"),
        one(
            "count",
            "Person.essays",
            6,
            (*ANNOTATE, *PREFETCH),
            1,
            origin="Counted",
            read="CountSerializer:count",
        ),
        one("text", "Essay.writer", 12, SELECT, 1),
    ],
    "changelists": [
        one(
            "method",
            "Essay.writer",
            12,
            ADMIN,
            2,
            before=14,
            origin="Method",
            read="Method:method",
        ),
        one(
            "lookup",
            "Essay.journal",
            12,
            ADMIN,
            2,
            before=14,
            origin="Lookup",
            read="_names",
        ),
        one(
            "text",
            "Essay.writer",
            12,
            ADMIN,
            2,
            before=14,
            origin="Text",
            read="models:str",
        ),
        one("many", "Essay.topics", 8, PREFETCH, 3, before=10, origin="Many", read="Many:many"),
        one(
            "property",
            "Person.passport",
            6,
            ADMIN,
            2,
            before=8,
            origin="Property",
            read="models:property",
        ),
    ],
    "asynchronous": [
        one("forward", "Essay.writer", 12, SELECT, 1, read="_writer"),
        one("reverse", "Person.essays", 6, PREFETCH, 2),
        one("count", "Person.essays", 6, ANNOTATE, 1),
        one("thread", "Person.essays", 6, PREFETCH, 2, read="_titles"),
        one("get", None, 12, ANY_READ, 2, origin=None),
    ],
    "potential": [
        one("one_of_many", "Essay.writer", 1, SELECT, 1, level=POTENTIAL),
        one("two_of_many", "Person.passport", 2, SELECT, 1, level=POTENTIAL),
        one("conditional", "Essay.topics", 2, PREFETCH, 2, level=POTENTIAL),
        one("deferred", "Person.bio", 1, COLUMNS, 1, level=POTENTIAL),
    ],
    "peers": [one("some", "Essay.journal", 3, PEERS, 1)],
    "days": [
        one("pickled", "Essay.writer", 12, (), 1, origin=None, edits=False),
        one("pickled_query", "Essay.writer", 12, (), 1, origin=None, edits=False),
        one("copied", "Essay.writer", 12, (), 1, origin=None, edits=False),
        one("unsaved", "Essay.writer", 6, (), 2, origin=None, edits=False),
        one("odd", "Odd.passport", 6, SELECT, 1),
        one("thread", "Essay.writer", 12, SELECT, 1, read="_writers", committed=True),
        one("failing", "Essay.journal", 12, SELECT, 49, before=61),
    ],
    "writes": WRITES,
    "evidence": EVIDENCE,
}


def _cases() -> Iterator[Case]:
    for module, rows in TABLE.items():
        for row in rows:
            yield Case(module=module, **row)


CASES: tuple[Case, ...] = tuple(_cases())
