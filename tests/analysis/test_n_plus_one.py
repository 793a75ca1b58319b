"""``n_plus_one``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.analysis.found import AUTHOR, BOOKS, kinds, loop, only
from tests.factories import SITE, query, with_queries


def test_found() -> None:
    finding = only(with_queries(*loop(100), query(100, BOOKS)))
    assert (finding.kind, finding.count, finding.severity) == ("n_plus_one", 100, "high")
    assert "100 queries in a loop at shop/views.py:12" in finding.title
    assert finding.queries == tuple(range(100))
    assert finding.fix is not None
    assert finding.fix.predicted is not None
    assert finding.fix.predicted.queries == (101, 2)


def test_gone_after_the_fix() -> None:
    assert kinds(with_queries(query(0, BOOKS), query(1, AUTHOR))) == []


def test_the_threshold_counts() -> None:
    assert kinds(with_queries(*loop(2))) == []
    assert kinds(with_queries(*loop(3))) == ["n_plus_one"]


def test_silent_on_a_helper_called_from_different_lines() -> None:
    queries = [query(n, AUTHOR, params=[str(n)], stack=[n, 9]) for n in range(5)]
    assert kinds(with_queries(*queries)) == []


def test_silent_on_different_lines() -> None:
    queries = [
        query(n, AUTHOR, params=[str(n)], stack=[n], call_site={**SITE, "line": n})
        for n in range(5)
    ]
    assert kinds(with_queries(*queries)) == []


def test_recursion_is_a_loop() -> None:
    queries = [query(n, AUTHOR, params=[str(n)], stack=[0] + [1] * n) for n in range(1, 6)]
    assert kinds(with_queries(*queries)) == ["n_plus_one"]


def test_a_template_line_is_named() -> None:
    site = {**SITE, "template": "books.html", "template_line": 7}
    finding = only(with_queries(*loop(5, call_site=site)))
    assert "books.html:7" in finding.title


def test_two_template_lines_are_two_findings() -> None:
    site = {**SITE, "template": "books.html"}
    first = loop(5, call_site={**site, "template_line": 7})
    second = [
        {**found, "index": found["index"] + 5}
        for found in loop(5, call_site={**site, "template_line": 9})
    ]
    assert kinds(with_queries(*first, *second)) == ["n_plus_one", "n_plus_one"]


def test_writes_are_another_kind() -> None:
    queries = [query(n, "INSERT INTO t VALUES (%s)", params=[str(n)]) for n in range(5)]
    assert kinds(with_queries(*queries)) == ["write_loop"]


def test_silent_on_failed_statements() -> None:
    assert kinds(with_queries(*loop(5, error="DatabaseError: gone"))) == []


def test_silent_on_several_databases_asked_once_each() -> None:
    queries = [query(n, AUTHOR, alias=f"db{n}", params=[str(n)]) for n in range(5)]
    assert kinds(with_queries(*queries)) == []


def test_repeats_inside_the_loop_are_no_finding_of_their_own() -> None:
    queries = loop(5)
    queries.append(query(5, AUTHOR, params=["0"], duplicate_of=0))
    assert kinds(with_queries(*queries)) == ["n_plus_one"]


@pytest.mark.parametrize("start", ["\n    ", "-- authors\n", "/* authors */ ", "(", "\n# c\n"])
def test_a_raw_statement_may_start_with_anything(start: str) -> None:
    queries = [query(n, start + AUTHOR, params=[str(n)]) for n in range(5)]
    assert kinds(with_queries(*queries)) == ["n_plus_one"]


def test_writes_behind_a_comment_are_writes() -> None:
    sql = "/* w */ UPDATE book SET a = 1 WHERE id = %s"
    queries = [query(n, sql, params=[str(n)]) for n in range(9)]
    assert kinds(with_queries(*queries)) == ["write_loop"]


def test_silent_on_statements_that_still_run() -> None:
    assert kinds(with_queries(*loop(9, running=True))) == []


def test_silent_on_statements_cut_short() -> None:
    assert kinds(with_queries(*loop(9, sql_truncated=99_999))) == []


class TestWithoutCallSite:
    def test_found_and_its_line_is_called_unknown(self) -> None:
        finding = only(with_queries(*loop(5, call_site=None, stack=[])))
        assert (finding.kind, finding.call_site) == ("n_plus_one", None)
        assert finding.title == "5 queries in a loop, line unknown (N+1)"
        assert "line unknown" in finding.detail
        assert "one line" not in finding.detail

    def test_gone_after_the_fix(self) -> None:
        sql = "SELECT name FROM author WHERE id IN (%s, %s, %s, %s, %s)"
        assert kinds(with_queries(query(0, sql, call_site=None, stack=[]))) == []

    def test_silent_on_a_few(self) -> None:
        assert kinds(with_queries(*loop(4, call_site=None, stack=[]))) == []

    def test_a_higher_threshold_counts(self, settings: Any) -> None:
        settings.HOTPATH = {"N_PLUS_ONE_THRESHOLD": 8}
        assert kinds(with_queries(*loop(7, call_site=None, stack=[]))) == []
        assert kinds(with_queries(*loop(8, call_site=None, stack=[]))) == ["n_plus_one"]

    def test_repeats_do_not_count_as_more(self) -> None:
        queries = loop(4, call_site=None, stack=[])
        queries += [
            query(n, AUTHOR, call_site=None, stack=[], duplicate_of=n - 4) for n in range(4, 8)
        ]
        assert "n_plus_one" not in kinds(with_queries(*queries))


class TestParts:
    """A part of many rows each time is no loop over single objects."""

    IN = "SELECT name FROM author WHERE id IN (%s, %s, %s)"

    def test_silent_on_batches(self) -> None:
        queries = [query(n, self.IN, params=[f"{n}{i}" for i in "123"]) for n in range(9)]
        assert kinds(with_queries(*queries)) == []

    def test_silent_on_batches_of_different_sizes(self) -> None:
        queries = []
        for n in range(2, 9):
            sql = f"SELECT name FROM author WHERE id IN ({', '.join(['%s'] * n)})"
            queries.append(query(n, sql, params=[f"{n}{i}" for i in range(n)]))
        assert kinds(with_queries(*queries)) == []

    @pytest.mark.parametrize("params", [None, ["1"], ["***"] * 3, ["<bytes, 16 bytes>"] * 3])
    def test_silent_on_batches_whose_values_are_not_known(self, params: list[str] | None) -> None:
        queries = [query(n, self.IN, params=params) for n in range(9)]
        assert kinds(with_queries(*queries)) == []

    def test_silent_on_an_array(self) -> None:
        sql = "SELECT name FROM author WHERE id = ANY(%s)"
        queries = [query(n, sql, params=[f"[{n}, {n + 1}]"]) for n in range(9)]
        assert kinds(with_queries(*queries)) == []

    def test_silent_on_pages(self) -> None:
        pages = [
            query(n, f"SELECT a FROM book LIMIT 3 OFFSET {3 * n}", params=[str(n)])
            for n in range(1, 9)
        ]
        assert kinds(with_queries(query(0, "SELECT a FROM book LIMIT 3"), *pages)) == []

    def test_a_list_of_one_is_a_loop(self) -> None:
        sql = "SELECT name FROM author WHERE id IN (%s)"
        queries = [query(n, sql, params=[str(n)]) for n in range(5)]
        assert kinds(with_queries(*queries)) == ["n_plus_one"]

    def test_a_list_that_stays_the_same_is_a_condition(self) -> None:
        sql = "SELECT a FROM book WHERE status IN (%s, %s) AND author_id = %s"
        queries = [query(n, sql, params=["'new'", "'old'", str(n)]) for n in range(5)]
        assert kinds(with_queries(*queries)) == ["n_plus_one"]


class TestPositions:
    """The place in the code tells calls on one line apart."""

    def test_a_loop_on_one_line_is_found(self) -> None:
        queries = loop(5, stack=[0, 1], positions=[20, 4])
        assert kinds(with_queries(*queries)) == ["n_plus_one"]

    def test_silent_on_three_calls_on_one_line(self) -> None:
        queries = [
            query(n, AUTHOR, params=[str(n)], stack=[0, 1], positions=[20 * n, 4]) for n in range(3)
        ]
        assert kinds(with_queries(*queries)) == []

    def test_recursion_is_a_loop(self) -> None:
        queries = [
            query(n, AUTHOR, params=[str(n)], stack=[0] + [1] * n, positions=[2] + [8] * n)
            for n in range(1, 6)
        ]
        assert kinds(with_queries(*queries)) == ["n_plus_one"]

    @pytest.mark.parametrize("positions", [None, [], [1, 2, 3]])
    def test_positions_that_do_not_fit_are_left_aside(self, positions: list[int] | None) -> None:
        queries = loop(5, stack=[0], positions=positions)
        assert kinds(with_queries(*queries)) == ["n_plus_one"]
