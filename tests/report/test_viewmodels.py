from __future__ import annotations

import re
from typing import Any

import pytest

from django_hotpath.capture import Timing
from django_hotpath.report.assets import FOLDER
from django_hotpath.report.viewmodels import querydata, sql
from django_hotpath.report.viewmodels.calls import calls_view
from django_hotpath.report.viewmodels.findings import finding_cards
from django_hotpath.report.viewmodels.queries import queries_view
from django_hotpath.report.viewmodels.summary import stats, verdict
from tests.report.samples import calls, capture, finding, function, queries, query

OTHER = {"file": "shop/views.py", "line": 40, "function": "other"}


def view_of(*statements: dict[str, Any]) -> Any:
    return queries_view(queries(*statements), wall_ms=100.0)


def test_statements_group_by_fingerprint_and_call_site() -> None:
    view = view_of(query(0), query(1), query(2, call_site=OTHER), query(3, fingerprint="f" * 16))
    assert sorted(group.count for group in view.groups) == [1, 1, 2]


def test_the_same_statement_on_two_connections_is_two_groups() -> None:
    assert view_of(query(0), query(1, alias="other")).group_count == 2


def test_the_group_that_took_most_time_comes_first() -> None:
    view = view_of(query(0), query(1), query(2, call_site=OTHER, duration_ms=9.0))
    assert [group.total_ms for group in view.groups] == [9.0, 1.0]
    assert [group.share for group in view.groups] == [0.9, 0.1]


def test_a_group_counts_duplicates_and_rows() -> None:
    view = view_of(query(0, rows=3), query(1, rows=None, duplicate_of=0))
    assert (view.groups[0].duplicates, view.groups[0].rows) == (1, 3)


def test_statements_without_a_call_site_are_shown() -> None:
    view = view_of(query(0, call_site=None, stack=None, fetch_ms=None, params=None))
    assert view.groups[0].first.site is None
    assert view.groups[0].first.fetch_share is None


def test_repeated_texts_and_stacks_are_packed_once() -> None:
    data = view_of(*(query(i) for i in range(9))).data
    assert [len(data[name]) for name in ("texts", "stacks", "params")] == [1, 1, 1]
    assert data["count"] == 9


def test_call_sites_and_connections_of_groups_are_packed_once() -> None:
    data = view_of(*(query(i, fingerprint=f"{i:016x}") for i in range(9))).data
    assert data["sites"] == [["shop/views.py:12", "shop/views.py:12", "book_list", ""]]
    assert data["groups"] == {"count": 9, "site": 0, "alias": "default"}


def test_two_functions_on_one_line_are_one_group() -> None:
    inner = {"file": "shop/views.py", "line": 12, "function": "book_list.<locals>.<lambda>"}
    view = view_of(query(0), query(1, call_site=inner))
    assert view.group_count == 1
    assert view.groups[0].first.site.function == "book_list"


def test_no_statement_is_no_group() -> None:
    view = view_of()
    assert (view.group_count, view.rows, view.data["groups"]["count"]) == (0, (), 0)


def test_a_figure_that_all_statements_share_is_packed_once() -> None:
    columns = view_of(*(query(i, start_ms=i * 1.5) for i in range(9))).data["columns"]
    assert columns == {
        "group": 0,
        "sql": 0,
        "start": [0, *[150] * 8],
        "took": 500,
        "fetch": 100,
        "rows": 1,
        "params": 0,
        "stack": 0,
        "bits": 0,
    }


def test_indexes_are_packed_where_they_are_not_the_places() -> None:
    assert view_of(query(0), query(2)).data["columns"]["index"] == [0, 2]


def test_what_few_statements_have_is_packed_by_place() -> None:
    data = view_of(
        query(0), query(1, duplicate_of=0, error="no such table", many=True, transaction=True)
    ).data
    assert (data["same"], data["errors"]) == ({1: 0}, {1: "no such table"})
    assert data["columns"]["bits"] == [0, querydata.MANY | querydata.TRANSACTION]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SELECT 1", "r"),
        ("WITH x AS (SELECT 1) SELECT * FROM x", "r"),
        ("INSERT INTO a VALUES (1)", "w"),
        ("update a set b = 1", "w"),
        ("SAVEPOINT x", "o"),
        ("", "o"),
    ],
)
def test_statements_read_write_or_do_something_else(text: str, kind: str) -> None:
    assert querydata.kind_of(text) == kind


def test_a_group_names_the_findings_about_it() -> None:
    found = (finding(queries=(0, 1)), finding(kind="slow_query", text="Slow", queries=(2,)))
    view = queries_view(
        queries(query(0), query(1), query(2, call_site=OTHER, duration_ms=9.0)), 100.0, found
    )
    assert [group.found for group in view.groups] == [
        ((1, "slow", "Slow"),),
        ((0, "N+1", "Many queries"),),
    ]
    assert view.data["findings"] == [(0, "N+1", "Many queries"), (1, "slow", "Slow")]
    assert view.data["marks"] == {1: [0], 0: [1]}


def test_a_finding_points_to_the_group_of_its_queries() -> None:
    view = view_of(query(0), query(1), query(2, call_site=OTHER, duration_ms=9.0))
    cards = finding_cards(capture(findings=(finding(queries=(0, 1, 99)),)), view.group_of)
    assert cards[0].groups == (1,)
    assert cards[0].share == 0.25


def test_low_findings_are_folded() -> None:
    cards = finding_cards(capture(findings=(finding(), finding("low"))), {})
    assert [card.open for card in cards] == [True, False]


def test_functions_come_by_own_time_and_keep_their_place_for_the_edges() -> None:
    view = calls_view(calls(function("a"), function("b", own_ms=3.0)))
    assert [(row.key, row.function) for row in view.rows] == [(1, "b"), (0, "a")]
    assert view.data["functions"]["name"] == ["a", "b"]
    assert view.data["edges"] == {
        "caller": [0],
        "callee": [1],
        "calls": [1],
        "primitive": {},
        "own": [500],
        "all": [1000],
    }


def test_named_frames_say_what_they_are_instead_of_a_file() -> None:
    named = function("SELECT 1", kind="sql", file="", line=0, package="")
    view = calls_view(calls(function("a", own_ms=0.1), named))
    assert (view.rows[0].place, view.rows[0].tone) == ("SQL statement", "database")
    assert view.kinds == (("project", "your code"), ("sql", "SQL statements"))


def test_a_driver_below_a_statement_is_time_of_the_database() -> None:
    tree = {"parent": [-1, 0, 1], "frame": [-1, 0, 1], "own_ms": [0.0, 1.0, 2.5]}
    rows = (
        function("SELECT 1", kind="sql", file="", line=0, package=""),
        function("recv", kind="stdlib", package="socket", file="socket.py"),
    )
    assert calls_view(calls(*rows, tree=tree)).data["within"] == {"database": {1: 2.5}}


def test_what_was_not_measured_is_not_among_the_figures() -> None:
    found = [stat.label for stat in stats(capture(timing=Timing(wall_ms=5.0)))]
    assert found == ["Wall time"]


@pytest.mark.parametrize(
    ("severities", "ending"),
    [
        ([], "."),
        (["low"], "1 finding."),
        (["high"], "1 finding of high severity."),
        (["high", "low", "low"], "3 findings, 1 of high severity."),
    ],
)
def test_the_verdict_counts_findings(severities: list[str], ending: str) -> None:
    found = capture(findings=tuple(finding(severity) for severity in severities))
    assert verdict(found, None).endswith(ending)


SELECT = 'SELECT "shop_book"."id", "shop_book"."title", "shop_book"."author_id" FROM "shop_book"'


@pytest.mark.parametrize(
    ("text", "short"),
    [
        (
            SELECT + ' WHERE "id" = %s',
            "SELECT … FROM shop_book WHERE id = %s",
        ),
        ("SELECT COUNT(*) FROM x", "SELECT COUNT(*) FROM x"),
        ("SELECT 1", "SELECT 1"),
        (
            "SELECT (SELECT a FROM inner_table WHERE x = ' FROM ') AS y, more, columns FROM t",
            "SELECT … FROM t",
        ),
        ('SELECT \'"quoted"\' FROM "odd name"', 'SELECT \'"quoted"\' FROM "odd name"'),
        ("UPDATE  x\n SET a = 1", "UPDATE x SET a = 1"),
    ],
)
def test_statements_shorten_to_a_line_that_tells_them_apart(text: str, short: str) -> None:
    assert sql.short(text) == short


@pytest.mark.parametrize("text", [SELECT, "SELECT 'it''s', \"from\" FROM x WHERE a = %s", "'", ""])
def test_emphasis_changes_no_character(text: str) -> None:
    assert "".join(part for _, part in sql.segments(text)) == text


def test_keywords_within_quotes_are_not_emphasised() -> None:
    kinds = [kind for kind, part in sql.segments("""SELECT "from", 'where'""") if "r" in part]
    assert "keyword" not in kinds


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("select a from b where c = 1", ["select a", "from b", "where c = 1"]),
        ("SELECT a, (b, c), d FROM x", ["SELECT a,", "       (b, c),", "       d", "FROM x"]),
        (
            "SELECT a FROM b LEFT OUTER JOIN c ON (x AND y) INNER JOIN d ON z",
            ["SELECT a", "FROM b", "LEFT OUTER JOIN c ON (x AND y)", "INNER JOIN d ON z"],
        ),
        (
            "SELECT a FROM b WHERE c = ' FROM ' AND d BETWEEN 1 AND 2 OR e",
            ["SELECT a", "FROM b", "WHERE c = ' FROM '", "  AND d BETWEEN 1 AND 2", "  OR e"],
        ),
        ("SELECT (SELECT 1 FROM x)", ["SELECT (SELECT 1 FROM x)"]),
        ("UPDATE x SET a = 1, b = 2", ["UPDATE x", "SET a = 1, b = 2"]),
        ("BEGIN", ["BEGIN"]),
    ],
)
def test_statements_are_formatted(text: str, lines: list[str]) -> None:
    assert sql.formatted(text).splitlines() == lines


@pytest.mark.parametrize("text", [SELECT, ") FROM x", "'", "", ",", "SELECT a,, FROM", "((( AND"])
def test_formatting_changes_only_white_space(text: str) -> None:
    assert "".join(sql.formatted(text).split()) == "".join(text.split())


@pytest.mark.parametrize("text", ["select " + "a, " * 10_000 + "b from c", "SELECT a\n FROM b"])
def test_statements_that_are_very_long_or_have_lines_are_left_as_they_are(text: str) -> None:
    assert sql.formatted(text) == text


def test_statements_are_marked_up_and_escaped() -> None:
    assert sql.marked_up("SELECT '<b>' WHERE a<%s & \"x\"") == (
        '<b>SELECT</b> <i class="string">&#x27;&lt;b&gt;&#x27;</i> <b>WHERE</b> a&lt;'
        '<i class="slot">%s</i> &amp; &quot;x&quot;'
    )


def test_the_browser_breaks_lines_at_the_same_words() -> None:
    assert f'"{sql.CLAUSES}"' in (FOLDER / "sqltext.js").read_text()


def test_the_browser_knows_the_same_keywords() -> None:
    script = (FOLDER / "sqltext.js").read_text()
    found = re.search(r'const KEYWORDS =\s+"([^"]+)"', script)
    ours = re.search(r"keyword>([A-Z|]+)\)", sql._TOKENS.pattern)
    assert found is not None
    assert ours is not None
    assert found[1] == ours[1]
