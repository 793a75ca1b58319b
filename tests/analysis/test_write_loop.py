"""``write_loop`` on captures made by hand: what counts, what does not, and how it is told."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.analysis.writes_care import reasons
from django_hotpath.analysis.writes_groups import table_of
from django_hotpath.capture import Capture
from tests.analysis.found import kinds, only
from tests.factories import SITE, query, with_queries

INSERT = 'INSERT INTO "shop_book" ("title") VALUES (%s)'
UPDATE = 'UPDATE "shop_book" SET "title" = %s WHERE "shop_book"."id" = %s'
DELETE = 'DELETE FROM "shop_book" WHERE "shop_book"."id" IN (%s)'


def entry(method: str, **values: Any) -> dict[str, Any]:
    return {"method": method, "model": "shop.Book", "write": {}, **values}


def written(sql: str, method: str, *, times: int = 5, rows: int = 1, **write: Any) -> Capture:
    queries = [
        query(n, sql, params=[f"'{n}'", str(n)][-sql.count("%s") :], rows=rows, orm=0)
        for n in range(times)
    ]
    capture = with_queries(*queries)
    capture.instruments["queries"]["orm"] = [entry(method, write=write)]
    return capture


@pytest.mark.parametrize(
    ("sql", "method", "kind", "title"),
    [
        (INSERT, "create", "bulk_create", "5 INSERTs one by one at shop/views.py:12"),
        (INSERT, "save", "bulk_create", "5 INSERTs one by one at shop/views.py:12"),
        (UPDATE, "save", "bulk_update", "5 UPDATEs one by one at shop/views.py:12"),
        (UPDATE, "update", "update", "5 UPDATEs one by one at shop/views.py:12"),
        (DELETE, "delete", "delete", "5 DELETEs one by one at shop/views.py:12"),
    ],
)
def test_found(sql: str, method: str, kind: str, title: str) -> None:
    finding = only(written(sql, method))
    assert (finding.kind, finding.count, finding.title) == ("write_loop", 5, title)
    assert finding.queries == (0, 1, 2, 3, 4)
    assert finding.fix is not None
    assert finding.fix.kind == kind
    assert finding.fix.predicted is not None
    assert finding.fix.predicted.queries == (5, 1)


def test_the_threshold_counts() -> None:
    assert kinds(written(INSERT, "create", times=2)) == []
    assert kinds(written(INSERT, "create", times=3)) == ["write_loop"]


@pytest.mark.parametrize(("times", "severity"), [(9, "low"), (10, "medium"), (50, "high")])
def test_the_number_makes_it_important(times: int, severity: str) -> None:
    capture = written(INSERT, "create", times=times)
    slow = with_queries(*capture.instruments["queries"]["queries"], wall_ms=100_000)
    slow.instruments["queries"]["orm"] = capture.instruments["queries"]["orm"]
    assert only(slow).severity == severity


def test_silent_on_rows_in_parts() -> None:
    assert kinds(written(INSERT + ", (%s)", "bulk_create", rows=2)) == []
    assert kinds(written(INSERT + ", (%s)", "add", rows=2)) == []
    assert kinds(written(DELETE.replace("(%s)", "(%s, %s)"), "delete")) == []


def test_silent_on_executemany_and_on_failures() -> None:
    assert kinds(with_queries(*(query(n, INSERT, many=True) for n in range(5)))) == []
    assert kinds(with_queries(*(query(n, INSERT, error="E: x") for n in range(5)))) == []


def test_silent_on_different_lines() -> None:
    queries = [query(n, INSERT, stack=[n], call_site={**SITE, "line": n}) for n in range(5)]
    assert kinds(with_queries(*queries)) == []


def test_silent_on_one_call_that_writes_in_several_ways() -> None:
    """A cascade: three columns of one table lead to the row that is deleted."""
    queries = [
        query(n, f'DELETE FROM "shop_sale" WHERE "shop_sale"."{name}_id" IN (%s)', orm=0)
        for n, name in enumerate(["buyer", "seller", "agent"])
    ]
    capture = with_queries(*queries, query(3, DELETE, orm=0))
    capture.instruments["queries"]["orm"] = [entry("delete")]
    assert kinds(capture) == []


def test_an_update_that_finds_nothing_and_its_insert_are_one_write() -> None:
    queries = []
    for n in range(0, 8, 2):
        queries += [query(n, UPDATE, rows=0, orm=0), query(n + 1, INSERT, orm=0)]
    capture = with_queries(*queries)
    capture.instruments["queries"]["orm"] = [entry("save")]
    finding = only(capture)
    assert (finding.count, len(finding.queries)) == (4, 8)


def test_what_belongs_to_the_writes_is_part_of_it_and_no_finding_of_its_own() -> None:
    """As get_or_create() does: look, set a savepoint, insert."""
    queries = []
    for n in range(0, 20, 4):
        queries += [
            query(n, "SELECT id FROM shop_book WHERE title = %s", params=[str(n)], orm=0),
            query(n + 1, f'SAVEPOINT "s1_x{n}"'),
            query(n + 2, INSERT, params=[str(n)], orm=0),
            query(n + 3, f'RELEASE SAVEPOINT "s1_x{n}"'),
        ]
    capture = with_queries(*queries)
    capture.instruments["queries"]["orm"] = [entry("get_or_create")]
    finding = only(capture)
    assert (finding.kind, finding.count, len(finding.queries)) == ("write_loop", 5, 20)


def test_raw_statements_are_found_too() -> None:
    finding = only(with_queries(*(query(n, INSERT, params=[str(n)]) for n in range(5))))
    assert finding.fix is not None
    assert "executemany()" in finding.fix.summary


def test_another_database_is_another_loop() -> None:
    queries = [query(n, INSERT, alias=f"db{n % 2}") for n in range(4)]
    assert kinds(with_queries(*queries)) == []


def test_signals_and_overrides_are_named_and_code_is_not_shown() -> None:
    finding = only(written(INSERT, "create", signals=["post_save"], overrides=["save"]))
    assert finding.fix is not None
    assert (finding.fix.code, finding.fix.predicted) == (None, None)
    assert "Book has its own save()" in finding.fix.summary
    assert "post_save of Book has receivers" in finding.fix.summary


@pytest.mark.parametrize(
    ("kind", "facts", "words"),
    [
        ("bulk_create", {"signals": ["pre_save", "post_save"]}, "pre_save and post_save"),
        ("bulk_create", {"parents": ["shop.Item"]}, "multi-table inheritance"),
        ("bulk_create", {"overrides": ["objects.create"]}, "objects.create()"),
        ("bulk_update", {"overrides": ["objects.get_queryset"]}, "get_queryset()"),
        ("bulk_update", {"auto_now": ["changed"]}, "changed of Book is set by save()"),
        ("update", {"pre_save": ["slug", "hash"]}, "slug and hash of Book are set"),
        ("update", {"parents": ["shop.Item"]}, "the table of shop.Item"),
        ("delete", {"overrides": ["delete"]}, "its own delete()"),
        ("add", {"signals": ["m2m_changed"]}, "m2m_changed"),
    ],
)
def test_reasons(kind: str, facts: dict[str, Any], words: str) -> None:
    (reason,) = reasons(kind, "shop.Book", facts)
    assert words in reason


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("bulk_create", {"auto_now": ["changed"], "pre_save": ["slug"]}),
        ("bulk_create", {"signals": ["pre_delete", "post_delete", "m2m_changed"]}),
        ("bulk_create", {"overrides": ["delete", "objects.get_queryset"]}),
        ("delete", {"signals": ["pre_delete"], "overrides": ["save"], "parents": ["shop.Item"]}),
        ("update", {"signals": ["pre_delete"], "overrides": ["objects.create"]}),
        ("add", {"overrides": ["save"], "signals": ["post_save"]}),
    ],
)
def test_no_reasons(kind: str, facts: dict[str, Any]) -> None:
    assert reasons(kind, "shop.Book", facts) == []


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        (INSERT, "shop_book"),
        ("INSERT OR IGNORE INTO `a` (b) VALUES (1)", "a"),
        ("/* c */ UPDATE book SET a = 1", "book"),
        ('UPDATE ONLY "public"."book" SET a = 1', "public.book"),
        ("delete from [book] where a = 1", "book"),
        ("SELECT 1", ""),
        ("INSERT (", ""),
    ],
)
def test_the_table_that_is_written_to(sql: str, table: str) -> None:
    assert table_of(sql) == table
