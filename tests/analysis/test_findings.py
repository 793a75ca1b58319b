"""Each finding: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.analysis import findings
from django_hotpath.analysis.findings import find
from django_hotpath.capture import Capture, Finding
from tests.factories import SITE, function, query, with_functions, with_queries

BOOKS = "SELECT id FROM book"
AUTHOR = "SELECT name FROM author WHERE id = %s"


def kinds(capture: Capture) -> list[str]:
    return [finding.kind for finding in find(capture)]


def only(capture: Capture) -> Finding:
    (finding,) = find(capture)
    return finding


def loop(times: int, **values: Any) -> list[dict[str, Any]]:
    return [query(number, AUTHOR, params=[str(number)], **values) for number in range(times)]


class TestNPlusOne:
    def test_found(self) -> None:
        finding = only(with_queries(*loop(100), query(100, BOOKS)))
        assert (finding.kind, finding.count, finding.severity) == ("n_plus_one", 100, "high")
        assert "100 queries in a loop at shop/views.py:12" in finding.title
        assert finding.queries == tuple(range(100))
        assert finding.fix is not None
        assert finding.fix.predicted is not None
        assert finding.fix.predicted.queries == (100, 1)

    def test_gone_after_the_fix(self) -> None:
        assert kinds(with_queries(query(0, BOOKS), query(1, AUTHOR))) == []

    def test_the_threshold_counts(self) -> None:
        assert kinds(with_queries(*loop(2))) == []
        assert kinds(with_queries(*loop(3))) == ["n_plus_one"]

    def test_silent_on_a_helper_called_from_different_lines(self) -> None:
        queries = [query(n, AUTHOR, params=[str(n)], stack=[n, 9]) for n in range(5)]
        assert kinds(with_queries(*queries)) == []

    def test_silent_on_different_lines(self) -> None:
        queries = [
            query(n, AUTHOR, params=[str(n)], stack=[n], call_site={**SITE, "line": n})
            for n in range(5)
        ]
        assert kinds(with_queries(*queries)) == []

    def test_recursion_is_a_loop(self) -> None:
        queries = [query(n, AUTHOR, params=[str(n)], stack=[0] + [1] * n) for n in range(1, 6)]
        assert kinds(with_queries(*queries)) == ["n_plus_one"]

    def test_a_template_line_is_named(self) -> None:
        site = {**SITE, "template": "books.html", "template_line": 7}
        finding = only(with_queries(*loop(5, call_site=site)))
        assert "books.html:7" in finding.title

    def test_two_template_lines_are_two_findings(self) -> None:
        site = {**SITE, "template": "books.html"}
        first = loop(5, call_site={**site, "template_line": 7})
        second = [
            {**found, "index": found["index"] + 5}
            for found in loop(5, call_site={**site, "template_line": 9})
        ]
        assert kinds(with_queries(*first, *second)) == ["n_plus_one", "n_plus_one"]

    def test_silent_on_writes(self) -> None:
        queries = [query(n, "INSERT INTO t VALUES (%s)", params=[str(n)]) for n in range(5)]
        assert kinds(with_queries(*queries)) == []

    def test_silent_on_failed_statements(self) -> None:
        assert kinds(with_queries(*loop(5, error="DatabaseError: gone"))) == []

    def test_silent_on_several_databases_asked_once_each(self) -> None:
        queries = [query(n, AUTHOR, alias=f"db{n}", params=[str(n)]) for n in range(5)]
        assert kinds(with_queries(*queries)) == []

    def test_repeats_inside_the_loop_are_no_finding_of_their_own(self) -> None:
        queries = loop(5)
        queries.append(query(5, AUTHOR, params=["0"], duplicate_of=0))
        assert kinds(with_queries(*queries)) == ["n_plus_one"]


class TestDuplicateQuery:
    def test_found_with_all_its_places(self) -> None:
        finding = only(
            with_queries(
                query(0, BOOKS),
                query(1, BOOKS, duplicate_of=0, call_site={**SITE, "line": 30}, stack=[1]),
            )
        )
        assert (finding.kind, finding.count) == ("duplicate_query", 2)
        assert "shop/views.py:12" in finding.detail
        assert "shop/views.py:30" in finding.detail

    def test_gone_after_the_fix(self) -> None:
        assert kinds(with_queries(query(0, BOOKS))) == []

    def test_silent_when_something_was_written_in_between(self) -> None:
        capture = with_queries(
            query(0, BOOKS), query(1, "UPDATE book SET a = 1"), query(2, BOOKS, duplicate_of=0)
        )
        assert kinds(capture) == []

    def test_repeats_after_a_write_count_anew(self) -> None:
        finding = only(
            with_queries(
                query(0, BOOKS),
                query(1, "DELETE FROM book"),
                query(2, BOOKS, duplicate_of=0),
                query(3, BOOKS, duplicate_of=0),
            )
        )
        assert finding.queries == (2, 3)

    def test_a_write_to_another_database_does_not_excuse(self) -> None:
        capture = with_queries(
            query(0, BOOKS),
            query(1, "UPDATE book SET a = 1", alias="other"),
            query(2, BOOKS, duplicate_of=0),
        )
        assert kinds(capture) == ["duplicate_query"]

    @pytest.mark.parametrize("sql", ["SAVEPOINT s1", "BEGIN", "PRAGMA foreign_keys"])
    def test_silent_on_what_is_no_question(self, sql: str) -> None:
        assert kinds(with_queries(query(0, sql), query(1, sql, duplicate_of=0))) == []

    def test_the_same_loop_with_one_parameter_is_a_duplicate_not_n_plus_one(self) -> None:
        queries = [query(0, AUTHOR)] + [query(n, AUTHOR, duplicate_of=0) for n in range(1, 20)]
        assert kinds(with_queries(*queries)) == ["duplicate_query"]


class TestSlowQuery:
    def test_found(self) -> None:
        finding = only(with_queries(query(0, BOOKS, duration_ms=250.0), wall_ms=300))
        assert (finding.kind, finding.severity) == ("slow_query", "high")
        assert "250 ms" in finding.title

    def test_gone_after_the_fix(self) -> None:
        assert kinds(with_queries(query(0, BOOKS, duration_ms=99.9))) == []

    def test_the_limit_is_a_setting(self, settings: Any) -> None:
        settings.HOTPATH = {"SLOW_QUERY_MS": 10}
        assert kinds(with_queries(query(0, BOOKS, duration_ms=10.0))) == ["slow_query"]

    def test_many_rows_get_another_advice_than_few(self) -> None:
        many = only(with_queries(query(0, BOOKS, duration_ms=200.0, rows=50_000)))
        few = only(with_queries(query(0, BOOKS, duration_ms=200.0, rows=1)))
        assert many.fix is not None
        assert few.fix is not None
        assert "many rows" in many.fix.summary
        assert "index" in few.fix.summary

    def test_silent_on_many_quick_statements(self) -> None:
        queries = [query(n, f"SELECT a{n} FROM t", duration_ms=50.0) for n in range(9)]
        assert kinds(with_queries(*queries)) == []


class TestSlowFunction:
    def test_found(self) -> None:
        capture = with_functions(function(own_ms=900.0, calls=10_000), function("f", own_ms=100.0))
        finding = only(capture)
        assert (finding.kind, finding.severity, finding.count) == ("slow_function", "high", 10_000)
        assert "90%" in finding.title
        assert finding.fix is not None
        assert "number of calls" in finding.fix.summary

    def test_gone_after_the_fix(self) -> None:
        capture = with_functions(function(own_ms=1.0), function("f", kind="django", own_ms=9.0))
        assert kinds(capture) == []

    @pytest.mark.parametrize("kind", ["django", "library", "stdlib", "hotpath"])
    def test_silent_on_code_that_is_not_the_users(self, kind: str) -> None:
        assert kinds(with_functions(function(own_ms=900.0, kind=kind))) == []

    def test_silent_on_a_small_share(self) -> None:
        capture = with_functions(function(own_ms=100.0), function("f", kind="django", own_ms=900.0))
        assert kinds(capture) == []

    def test_silent_on_a_quick_page(self) -> None:
        assert kinds(with_functions(function(own_ms=15.0))) == []

    def test_silent_on_cumulative_time(self) -> None:
        capture = with_functions(
            function(own_ms=1.0, cumulative_ms=900.0),
            function("execute", kind="django", own_ms=899.0),
        )
        assert kinds(capture) == []


def test_the_worst_comes_first() -> None:
    capture = with_queries(
        query(0, BOOKS), query(1, BOOKS, duplicate_of=0), query(2, "SELECT x", duration_ms=500.0)
    )
    assert kinds(capture) == ["slow_query", "duplicate_query"]


def test_a_rule_that_fails_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(findings, "RULES", (broken, *findings.RULES))
    assert kinds(with_queries(*loop(5))) == ["n_plus_one"]
    assert "the rule broken failed" in caplog.text


def test_an_empty_capture_has_no_findings() -> None:
    assert kinds(with_queries()) == []


def test_every_kind_is_in_the_docs(settings: Any) -> None:
    docs = (settings.BASE_DIR / "docs" / "reference" / "findings.md").read_text()
    assert [rule.__name__ for rule in findings.RULES if f"`{rule.__name__}`" not in docs] == []
