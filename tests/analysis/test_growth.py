"""Several runs of a route: what it keeps each time, and whether the process grows by it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from django_hotpath.analysis.findings import find
from django_hotpath.analysis.growth import (
    Growth,
    growth,
    growth_findings,
    with_growth_findings,
)
from django_hotpath.capture import Capture, Overlap, RequestInfo
from tests import factories

LEAK = {"file": "shop/views.py", "line": 12, "kind": "project", "source": "seen.append(book)"}
OTHER = {"file": "shop/other.py", "line": 3, "kind": "project", "source": "answer = render()"}


def line(size: int, count: int, place: dict[str, Any] = LEAK) -> dict[str, Any]:
    return {**place, "size": size, "count": count}


def run(*rows: dict[str, Any], blocks: int = 100_000, rss: int = 0, **values: Any) -> Capture:
    environment = values.pop("environment", {})
    request = values.pop("request", {})
    allocations = {
        "foreign": False,
        "by_line": list(rows),
        "blocks_before": blocks,
        "rss_before": 100_000_000 + rss,
        "garbage": 0,
        "modules_loaded": 0,
        **values.pop("allocations", {}),
    }
    made = factories.capture(instruments={"allocations": allocations}, **values)
    assert made.request is not None
    return dataclasses.replace(
        made,
        environment=dataclasses.replace(made.environment, **environment),
        request=dataclasses.replace(made.request, **request),
    )


def compared(*runs: Capture) -> Growth:
    found = growth(runs[:-1], runs[-1])
    assert found is not None
    return found


def leaking(number: int, count: int = 1_000, **values: Any) -> list[Capture]:
    """Runs that each keep blocks of 100 bytes, by which the process grows."""
    return [
        run(line(count * 100, count), blocks=100_000 + index * count, **values)
        for index in range(number)
    ]


class TestLeaks:
    def test_a_line_that_the_process_grows_with_is_accused(self) -> None:
        (finding,) = growth_findings(compared(*leaking(4)))
        assert (finding.kind, finding.severity, finding.count) == ("memory_growth", "medium", 4)
        assert str(finding.call_site) == "shop/views.py:12"
        assert "at least 100,000 bytes" in finding.detail.lower()

    def test_large_pieces_are_seen_by_the_resident_set_size(self) -> None:
        size = 6_000_000
        runs = [run(line(size, 2), rss=index * size) for index in range(4)]
        (finding,) = growth_findings(compared(*runs))
        assert finding.severity == "high"

    def test_the_runs_may_be_given_in_any_order_and_twice(self) -> None:
        runs = leaking(5)
        mixed = growth([*runs[3::-1], *runs], runs[-1])
        assert mixed == compared(*runs)
        assert growth_findings(mixed)

    def test_a_warm_up_before_does_not_hide_it(self) -> None:
        runs = leaking(6)
        first = dataclasses.replace(
            runs[0], instruments=run(line(100_000, 1_000), blocks=10_000).instruments
        )
        assert growth_findings(compared(first, *runs[1:]))

    def test_only_the_last_ten_runs_are_compared(self) -> None:
        runs = leaking(30)
        assert compared(*runs).runs == tuple(found.id for found in runs[-10:])

    def test_a_line_of_a_library_says_where_the_project_kept_something_too(self) -> None:
        library = {**LEAK, "file": "django/db/models/base.py", "line": 625, "kind": "django"}
        runs = [
            run(
                line(100_000, 1_000, library),
                line(8_056, 2, OTHER),
                blocks=100_000 + number * 1_000,
                rss=number * 100_000,
            )
            for number in range(5)
        ]
        (finding,) = growth_findings(compared(*runs))
        assert "base.py:625" in finding.title
        assert "at shop/other.py:3" in finding.detail

    def test_a_line_of_the_project_points_nowhere_else(self) -> None:
        (finding,) = growth_findings(compared(*leaking(5)))
        assert "not yours" not in finding.detail

    def test_it_takes_the_place_of_what_one_run_said_of_the_line(self) -> None:
        size = 12_000_000
        runs = [run(line(size, 2), rss=index * size) for index in range(4)]
        newest = runs[-1].with_findings(find(runs[-1]))
        assert [found.severity for found in newest.findings] == ["low"]
        shown = with_growth_findings(newest, compared(*runs))
        assert [found.severity for found in shown.findings] == ["high"]


class TestNoLeaks:
    def test_a_line_that_stopped_is_not_named(self) -> None:
        runs = [*leaking(5), run(line(10, 1), blocks=105_000)]
        found = compared(*runs)
        assert (found.lines, growth_findings(found)) == ((), ())

    def test_a_full_cache_that_replaces_its_entries_is_not_named(self) -> None:
        found = compared(*(run(line(100_000, 1_000)) for _ in range(8)))
        assert (found.lines, found.given_back, found.grew) == ((), 1, False)

    def test_an_answer_that_is_large_each_time_is_not_named(self) -> None:
        found = compared(*(run(line(20_000_000, 1), rss=index * 300_000) for index in range(8)))
        assert (found.lines, found.given_back) == ((), 1)

    def test_blocks_that_go_up_and_down_accuse_nobody(self) -> None:
        blocks = [100_000, 104_000, 99_000, 103_500, 101_000]
        found = compared(*(run(line(100_000, 1_000), blocks=number) for number in blocks))
        assert growth_findings(found) == ()

    def test_a_cache_that_was_filled_and_is_full_now_accuses_nobody(self) -> None:
        blocks = [100_000, 101_000, 102_000, 103_000, 103_000]
        found = compared(*(run(line(100_000, 1_000), blocks=number) for number in blocks))
        assert growth_findings(found) == ()

    def test_a_small_line_beside_a_large_growth_of_something_else_is_not_accused(self) -> None:
        rows = [
            run(line(50_000, 500, OTHER), blocks=100_000 + index * 50_000) for index in range(6)
        ]
        assert growth_findings(compared(*rows)) == ()

    def test_what_is_within_the_noise_is_not_accused(self) -> None:
        assert growth_findings(compared(*leaking(6, count=100))) == ()

    def test_without_the_collector_there_is_more_noise(self) -> None:
        uncollected = {"garbage": None}
        assert growth_findings(compared(*leaking(6, allocations=uncollected))) == ()
        assert growth_findings(compared(*leaking(6, count=10_000, allocations=uncollected)))

    def test_only_the_last_runs_need_the_collector(self) -> None:
        """The first of them is often the one that the report made by itself."""
        runs = leaking(6)
        first = run(line(100_000, 1_000), blocks=99_000, allocations={"garbage": None})
        # Ids sort by time: this one comes first.
        found = compared(dataclasses.replace(first, id="0" * 26), *runs)
        assert len(found.runs) == 7
        assert growth_findings(found)

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_few_runs_accuse_nobody(self, number: int) -> None:
        found = compared(*leaking(number))
        assert growth_findings(found) == ()
        assert found.enough is (number == 3)


class TestWhichRuns:
    @pytest.mark.parametrize(
        ("values", "reason"),
        [
            ({"environment": {"pid": 2}}, "another process"),
            ({"overlap": Overlap(requests=1, share=0.5)}, "other requests"),
            ({"allocations": {"modules_loaded": 3}}, "warming up"),
            ({"allocations": {"foreign": True}}, "somebody else"),
            ({"allocations": {"blocks_before": None}}, "older version"),
            ({"request": {"status": 500}}, "an error"),
        ],
    )
    def test_one_that_cannot_be_compared_is_skipped_with_the_reason(
        self, values: dict[str, Any], reason: str
    ) -> None:
        bad = run(line(100_000, 1_000), **values)
        found = compared(*leaking(2), bad, run(line(100_000, 1_000)))
        assert len(found.runs) == 3
        ((words, number),) = found.skipped.items()
        assert reason in words
        assert number == 1

    @pytest.mark.parametrize(
        "request_info",
        [{"route": "authors/"}, {"method": "HEAD"}, {"route": None, "path": "/authors/"}],
    )
    def test_other_routes_and_methods_are_others(self, request_info: dict[str, Any]) -> None:
        other = run(line(1_000_000, 1), request=request_info)
        newest = run(line(1_000_000, 1))
        assert compared(other, newest).runs == (newest.id,)

    def test_pages_of_one_route_are_alike(self) -> None:
        runs = [run(line(100_000, 10), request={"path": f"/books/{n}/"}) for n in range(3)]
        assert len(compared(*runs).runs) == 3

    def test_captures_without_allocations_are_passed_over(self) -> None:
        newest = run(line(1_000_000, 1))
        assert compared(factories.capture(), newest).skipped == {}

    def test_later_ones_do_not_count(self) -> None:
        runs = leaking(6)
        assert growth(runs, runs[3]) == compared(*runs[:4])

    @pytest.mark.parametrize(
        "values",
        [{"request": None}, {"instruments": {}}, {"instruments": {"allocations": {"by_line": []}}}],
    )
    def test_a_capture_that_cannot_be_compared_gives_none(self, values: dict[str, Any]) -> None:
        assert growth(leaking(3), dataclasses.replace(run(line(1, 1)), **values)) is None


class TestOneRun:
    """The rule ``memory_growth`` in a single capture."""

    def found(self, capture: Capture) -> list[str]:
        return [finding.severity for finding in find(capture) if finding.kind == "memory_growth"]

    def test_a_line_that_holds_much_is_a_low_finding(self) -> None:
        assert self.found(run(line(12_000_000, 40))) == ["low"]

    def test_one_that_holds_less_is_none(self) -> None:
        assert self.found(run(line(9_000_000, 40))) == []

    def test_a_library_is_none(self) -> None:
        assert self.found(run(line(50_000_000, 40, {**LEAK, "kind": "library"}))) == []

    def test_a_run_that_loaded_modules_has_none(self) -> None:
        assert self.found(run(line(12_000_000, 40), allocations={"modules_loaded": 1})) == []

    def test_the_first_request_of_a_process_has_none(self) -> None:
        words = ("this was the first request of the process: imports, …",)
        assert self.found(run(line(12_000_000, 40), environment={"warnings": words})) == []

    def test_other_requests_meanwhile_leave_none(self) -> None:
        assert self.found(run(line(12_000_000, 40), overlap=Overlap(requests=1, share=0.1))) == []


def test_requests_without_a_route_are_compared_by_path() -> None:
    info = RequestInfo(method="GET", path="/x/", status=200)
    runs = [dataclasses.replace(found, request=info) for found in leaking(3)]
    assert len(compared(*runs).runs) == 3
