"""Over-fetching over several captures of a page: conditional use is use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from django_hotpath.analysis.findings import find
from django_hotpath.analysis.findings.base import Limits
from django_hotpath.analysis.findings.join_duplicates import join_duplicates
from django_hotpath.analysis.findings.unread_rows import unread_rows
from django_hotpath.analysis.findings.unused_columns import unused_columns
from django_hotpath.analysis.findings.unused_eager_load import unused_eager_load
from django_hotpath.analysis.usage_history import KINDS, with_usage_findings
from django_hotpath.analysis.usage_ledger import ledger
from django_hotpath.capture import CallSite, Capture, Finding, RequestInfo, Verified
from tests.report.samples import SITE, usage, used
from tests.report.samples import capture as made

LIMITS = Limits()


def run(*querysets: dict[str, Any], **request: Any) -> Capture:
    """A capture of the page, found in as the recorder does it."""
    asked = {"method": "GET", "path": "/books/", "route": "books/", "status": 200, **request}
    found = made(request=RequestInfo(**asked), instruments={"usage": usage(*querysets)})
    return found.with_findings(find(found, LIMITS))


def joined(read: int = 0, **values: Any) -> dict[str, Any]:
    """Rows of which all columns are read, and a join of which ``read`` are."""
    relation = {**used()["relations"]["author"], "read": read, "distinct": 40}
    relation["rows"] = {**relation["rows"], "read": {"title": 1, "summary": 1}}
    everything = {"id": 40, "title": 40, "summary": 40}
    return used(read=everything, relations={"author": relation}, **values)


def narrow(*read: str, **values: Any) -> dict[str, Any]:
    """Rows of which these columns are read."""
    return used(read=dict.fromkeys(read, 40), relations={}, **values)


def kinds(capture: Capture) -> list[tuple[str, str]]:
    return [(found.kind, found.severity) for found in capture.findings if found.kind in KINDS]


def over(*runs: Capture) -> Capture:
    return with_usage_findings(runs[-1], runs[:-1])


class TestOverSeveralCaptures:
    def test_one_capture_is_low(self) -> None:
        assert kinds(run(joined())) == [("unused_eager_load", "low")]
        assert kinds(over(run(joined()))) == [("unused_eager_load", "low")]

    def test_two_are_no_more(self) -> None:
        assert kinds(over(run(joined()), run(joined()))) == [("unused_eager_load", "low")]

    def test_three_rise(self) -> None:
        found = over(run(joined()), run(joined()), run(joined()))
        assert kinds(found) == [("unused_eager_load", "medium")]
        (finding,) = found.findings
        assert "in each of the last 3 captures of this page that ran the line" in finding.detail

    def test_much_is_high(self) -> None:
        big = joined()
        big["relations"]["author"]["rows"]["bytes"]["summary"] = 2_000_000
        assert kinds(over(run(joined()), run(joined()), run(big))) == [
            ("unused_eager_load", "high")
        ]

    @pytest.mark.parametrize("reader", [0, 1, 2])
    def test_what_one_of_them_read_is_used(self, reader: int) -> None:
        runs = [run(joined(read=1 if number == reader else 0)) for number in range(3)]
        assert kinds(over(*runs)) == []

    def test_columns_that_another_capture_read_are_kept(self) -> None:
        runs = [run(narrow("title")), run(narrow("title")), run(narrow("title", "id"))]
        (finding,) = over(*runs).findings
        assert finding.severity == "medium"
        assert finding.fix is not None
        assert finding.fix.paths == ("summary",)
        (alone,) = unused_columns(runs[0], LIMITS)
        assert alone.fix is not None
        assert alone.fix.paths == ("title",)

    def test_columns_that_are_read_now_and_then(self) -> None:
        runs = [run(narrow("title")), run(narrow("title", "summary")), run(narrow("title"))]
        assert kinds(over(*runs)) == []

    def test_rows_that_are_read_now_and_then(self) -> None:
        few, many = ({"rows": 200, "followed": 200, "touched": n} for n in (5, 150))
        read = ("title", "summary", "id")
        once = run(narrow(*read, **many))
        runs = [run(narrow(*read, **few)) for _ in range(3)]
        assert kinds(over(*runs)) == [("unread_rows", "medium")]
        assert kinds(over(once, *runs)) == []

    def test_a_capture_without_the_line_says_nothing(self) -> None:
        elsewhere = joined(call_site={**SITE, "line": 99})
        runs = [run(joined()), run(joined(read=1, call_site={**SITE, "line": 99}))]
        found = over(*runs, run(elsewhere), run(joined()))
        assert kinds(found) == [("unused_eager_load", "low")]

    @pytest.mark.parametrize(
        "other",
        [{"route": "authors/"}, {"method": "POST"}, {"status": 500}],
        ids=["route", "method", "error"],
    )
    def test_other_pages_and_errors_do_not_count(self, other: dict[str, Any]) -> None:
        runs = [run(joined(read=1), **other), *[run(joined()) for _ in range(3)]]
        assert kinds(over(*runs)) == [("unused_eager_load", "medium")]

    def test_without_a_route_the_path_counts(self) -> None:
        runs = [run(joined(), route=None) for _ in range(3)]
        assert kinds(over(*runs)) == [("unused_eager_load", "medium")]
        other = run(joined(read=1), route=None, path="/authors/")
        assert kinds(over(other, *runs)) == [("unused_eager_load", "medium")]

    def test_later_captures_do_not_count(self) -> None:
        first = run(joined())
        later = [run(joined(read=1)) for _ in range(3)]
        assert kinds(with_usage_findings(first, later)) == [("unused_eager_load", "low")]

    def test_only_the_last_ten_count(self) -> None:
        runs = [run(joined(read=1)), *[run(joined()) for _ in range(10)]]
        (use,) = ledger(runs[-1], runs[:-1])
        assert use.captures == 10
        assert kinds(over(*runs)) == [("unused_eager_load", "medium")]

    def test_a_block_has_no_page(self) -> None:
        blocks = [replace(run(joined()), request=None) for _ in range(4)]
        assert kinds(over(*blocks)) == [("unused_eager_load", "low")]

    def test_other_findings_and_verdicts_stay(self) -> None:
        runs = [run(joined()) for _ in range(3)]
        other = Finding(
            kind="slow_query", severity="high", title="", detail="", count=1, cost_ms=9.0
        )
        verdict = Verified(queries=(2, 1), wall_ms=(2.0, 1.0))
        own = replace(runs[-1].findings[0], verified=verdict)
        found = over(*runs[:-1], runs[-1].with_findings((own, other)))
        assert [finding.kind for finding in found.findings] == ["slow_query", "unused_eager_load"]
        assert found.findings[1].verified == verdict


class TestPlainData:
    def test_the_same_line_twice_is_one(self) -> None:
        found = run(joined(), joined(read=1))
        assert len(ledger(found)) == 1
        assert kinds(found) == []

    def test_a_join_of_a_few_rows_is_nothing(self) -> None:
        one = joined()
        one["relations"]["author"]["of_rows"] = 2
        assert list(unused_eager_load(run(one), LIMITS)) == []

    def test_relations_that_cannot_be_seen(self) -> None:
        one = joined()
        one["relations"]["author"]["seen"] = False
        assert list(unused_eager_load(run(one), LIMITS)) == []

    def test_relations_of_rows_that_nobody_looked_at(self) -> None:
        assert list(unused_eager_load(run(joined(touched=0)), LIMITS)) == []

    def test_below_an_unused_one(self) -> None:
        one = joined()
        above = one["relations"]["author"]
        one["relations"]["author__company"] = {
            **above,
            "lookup": "author__company",
            "accessor": "company",
        }
        (finding,) = unused_eager_load(run(one), LIMITS)
        assert finding.fix is not None
        assert finding.fix.paths == ("author",)
        assert "80 objects" not in finding.detail

    @pytest.mark.parametrize(
        "values",
        [
            {"rows": 19, "followed": 19, "touched": 19},
            {"touched": 19},
            {"dicts": True},
            {"raw": True},
            {"unseen": ["summary"]},
            {"keys": ["summary"]},
            {"bytes": {"id": 320, "title": 400, "summary": 3_900}},
            {"bytes": {"id": 320, "title": 100_000, "summary": 40_000}},
        ],
    )
    def test_columns_that_are_not_worth_a_word(self, values: dict[str, Any]) -> None:
        assert list(unused_columns(run(narrow("title", **values)), LIMITS)) == []

    def test_columns_of_which_much_was_read_are_deferred(self) -> None:
        columns = [f"c{number}" for number in range(8)]
        rows = narrow(
            *columns,
            columns=[*columns, "bio"],
            bytes={**dict.fromkeys(columns, 500), "bio": 40_000},
        )
        (finding,) = unused_columns(run(rows), LIMITS)
        assert finding.fix is not None
        assert (finding.fix.kind, finding.fix.paths) == ("defer", ("bio",))
        assert finding.fix.code == '.defer("bio")'
        assert finding.origin == CallSite(**SITE)

    @pytest.mark.parametrize(
        "values",
        [
            {"rows": 99, "followed": 99},
            {"followed": 150},
            {"touched": 21},
            {"dicts": True},
            {"of": {"queryset": None, "lookup": "books"}},
        ],
    )
    def test_rows_that_are_not_worth_a_word(self, values: dict[str, Any]) -> None:
        rows = {"rows": 200, "followed": 200, "touched": 5, **values}
        assert list(unread_rows(run(narrow("title", **rows)), LIMITS)) == []

    @pytest.mark.parametrize(
        "values",
        [
            {"instances": 19, "distinct": 1},
            {"instances": 40, "distinct": 11},
            {"instances": 40, "distinct": 0},
            {"how": "prefetch_related"},
            {"read": 0},
        ],
    )
    def test_copies_that_are_not_worth_a_word(self, values: dict[str, Any]) -> None:
        one = joined(read=40)
        one["relations"]["author"] |= {"distinct": 2, **values}
        assert list(join_duplicates(run(one), LIMITS)) == []

    def test_copies(self) -> None:
        one = joined(read=40)
        one["relations"]["author"]["distinct"] = 10
        (finding,) = join_duplicates(run(one), LIMITS)
        assert finding.title == "Book.author is joined to 40 rows, and is one of 10"
        assert finding.fix is not None
        assert finding.fix.predicted is None
        one["relations"]["author"]["rows"]["bytes"] = {"id": 80, "title": 300, "summary": 3_000}
        assert list(join_duplicates(run(one), LIMITS)) == []

    def test_captures_without_usage(self) -> None:
        bare = made()
        for rule in (unused_eager_load, unused_columns, unread_rows, join_duplicates):
            assert list(rule(bare, LIMITS)) == []
