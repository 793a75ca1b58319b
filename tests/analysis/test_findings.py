"""What findings have in common, and those about slowness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from django_hotpath.analysis import findings
from django_hotpath.capture import Overlap
from tests.analysis.found import BOOKS, kinds, loop, only
from tests.factories import function, query, with_functions, with_queries


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

    def test_a_read_says_what_it_returned(self) -> None:
        finding = only(with_queries(query(0, BOOKS, duration_ms=200.0, rows=5_010)))
        assert "It returned 5,010 rows." in finding.detail

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE book SET a = %s",
            "/* w */ DELETE FROM book",
            "WITH x AS (SELECT 1) UPDATE book SET a = 1",
        ],
    )
    def test_a_write_says_what_it_changed_and_how_to_change_less(self, sql: str) -> None:
        finding = only(with_queries(query(0, sql, duration_ms=200.0, rows=5_010)))
        assert "It changed 5,010 rows." in finding.detail
        assert finding.fix is not None
        assert "index on the columns of its WHERE" in finding.fix.summary
        assert "in batches" in finding.fix.summary

    def test_an_insert_has_no_where(self) -> None:
        sql = "INSERT INTO t VALUES (%s)"
        finding = only(with_queries(query(0, sql, duration_ms=200.0, rows=1)))
        assert "It changed 1 row." in finding.detail
        assert finding.fix is not None
        assert "batch_size" in finding.fix.summary
        assert "WHERE" not in finding.fix.summary

    def test_anything_else_says_nothing_about_rows(self) -> None:
        finding = only(with_queries(query(0, "CALL refresh()", duration_ms=200.0, rows=7)))
        assert "7" not in finding.detail
        assert finding.fix is not None
        assert "rows that are used" not in finding.fix.summary

    def test_an_unknown_line_is_called_so(self) -> None:
        finding = only(with_queries(query(0, BOOKS, duration_ms=200.0, call_site=None)))
        assert finding.title == "A query took 200 ms, line unknown"


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

    @pytest.mark.parametrize(
        "warning",
        [
            "calls is polluted: 1 other request ran for 50% of the time",
            "calls: other threads ran meanwhile",
        ],
    )
    def test_calls_of_other_threads_make_it_less_sure(self, warning: str) -> None:
        capture = with_functions(function(own_ms=900.0))
        environment = replace(capture.environment, warnings=(warning,))
        finding = only(replace(capture, environment=environment))
        assert finding.severity == "medium"
        assert "calls of it may be in these figures" in finding.detail

    def test_other_requests_make_it_less_sure(self) -> None:
        capture = with_functions(function(own_ms=900.0))
        finding = only(replace(capture, overlap=Overlap(requests=1, share=0.1)))
        assert finding.severity == "medium"
        assert "calls of it may be in these figures" in finding.detail

    def test_with_an_exact_tree_other_requests_only_take_turns(self) -> None:
        capture = with_functions(function(own_ms=900.0))
        calls = {**capture.instruments["calls"], "engine": "native"}
        capture = replace(capture, instruments={**capture.instruments, "calls": calls})
        finding = only(replace(capture, overlap=Overlap(requests=1, share=0.1)))
        assert finding.severity == "medium"
        assert "their calls are not in these figures" in finding.detail

    def test_other_warnings_do_not(self) -> None:
        capture = with_functions(function(own_ms=900.0))
        environment = replace(capture.environment, warnings=("runserver is auto-reloading",))
        finding = only(replace(capture, environment=environment))
        assert finding.severity == "high"
        assert "may be in these figures" not in finding.detail


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
