from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest

import django_hotpath
from django_hotpath.analysis.compare import compare
from django_hotpath.capture import Capture, Overlap, RequestInfo, Timing
from tests.factories import capture, function, query, with_functions, with_queries
from tests.report.samples import allocations, finding

FIRST = "this was the first request of the process: imports, URL patterns were loaded for it"


def timed(wall_ms: float, **values: Any) -> Capture:
    return capture(timing=Timing(wall_ms=wall_ms, cpu_ms=wall_ms * 0.8), **values)


def runs(number: int, wall_ms: float = 100.0, seed: int = 1, **values: Any) -> list[Capture]:
    random = Random(seed)
    return [timed(wall_ms * random.lognormvariate(0, 0.05), **values) for _ in range(number)]


def warned(found: Capture, *warnings: str) -> Capture:
    return replace(found, environment=replace(found.environment, warnings=warnings))


def calls(engine: str) -> dict[str, Any]:
    return {**with_functions(function()).instruments["calls"], "engine": engine}


def test_a_faster_set_is_called_so_with_an_interval() -> None:
    told = compare(runs(12), runs(12, 55, seed=2))
    assert told.faster
    assert told.verdict.startswith("Faster by ")
    assert "(12 runs each)" in told.verdict
    wall = told.time("wall_ms")
    assert wall is not None
    assert wall.change_low is not None
    assert wall.change_high is not None
    assert wall.change_low < -0.45 < wall.change_high < 0


def test_a_slower_set_is_called_so() -> None:
    told = compare(runs(10), runs(10, 120, seed=2))
    assert told.slower
    assert told.verdict.startswith("Slower by ")


def test_much_slower_is_told_in_times() -> None:
    assert "times as slow" in compare(runs(8), runs(8, 400, seed=2)).verdict


def test_the_same_code_shows_no_measurable_difference() -> None:
    told = compare(runs(10), runs(10, seed=2))
    assert told.outcome == "same"
    assert told.verdict.startswith("No measurable difference (within ±")
    assert "10 runs each" in told.verdict


def test_a_against_a_is_called_different_in_fewer_than_one_of_twenty() -> None:
    different = 0
    for seed in range(1_000):
        told = compare(runs(8, seed=2 * seed + 10), runs(8, seed=2 * seed + 11))
        different += told.outcome in {"less", "more"}
    assert different <= 25


def test_a_difference_below_two_percent_is_none() -> None:
    before = [timed(100 + i / 100) for i in range(10)]
    after = [timed(101 + i / 100) for i in range(10)]
    assert compare(before, after).outcome == "same"


def test_the_same_captures_give_the_same_verdict() -> None:
    a, b = runs(7), runs(9, 90, seed=2)
    assert compare(a, b) == compare(reversed(a), list(reversed(b)))


def test_one_run_each_tells_no_time_but_what_is_counted() -> None:
    told = compare(with_queries(*(query(i) for i in range(101))), with_queries(query(0), query(1)))
    assert told.outcome == "too_few"
    assert told.verdict.startswith("One run each: cannot tell time (5 runs each")
    assert "queries 101 → 2" in told.verdict


def test_few_runs_say_how_many_are_needed() -> None:
    told = compare(runs(3), runs(12, seed=2))
    assert told.outcome == "less" or "3 and 12 runs" in told.verdict
    told = compare(runs(2), runs(12, seed=2))
    assert told.outcome == "too_few"
    assert "the smaller set needs 3 runs" in told.verdict


def test_a_wide_interval_says_how_many_runs_would_do() -> None:
    random = Random(3)
    a = [timed(100 * random.lognormvariate(0, 0.15)) for _ in range(8)]
    b = [timed(100 * random.lognormvariate(0, 0.15)) for _ in range(8)]
    assert any("difference of 5 %" in note for note in compare(a, b).notes)


def test_runs_that_scatter_by_a_factor_promise_nothing() -> None:
    a = [timed(value) for value in (10, 400, 20, 300, 15)]
    b = [timed(value) for value in (12, 390, 25, 310, 14)]
    told = compare(a, b)
    assert told.outcome == "unclear"
    assert "differ too much" in told.verdict


def test_first_requests_of_a_process_are_left_out() -> None:
    cold = warned(timed(900), FIRST)
    told = compare(runs(6), [cold, *runs(6, seed=2)])
    assert told.b.left_out == (cold.id,)
    assert len(told.b.ids) == 6
    assert any("1 run of B left out" in note for note in told.notes)
    assert told.outcome == "same"


def test_nothing_but_first_requests_is_said() -> None:
    told = compare(warned(timed(900), FIRST), timed(100))
    assert told.a.ids
    assert any("nothing but first requests" in text for text in told.cautions)


def test_a_drift_that_explains_the_difference_is_no_verdict() -> None:
    random = Random(4)
    a = [timed(100 + random.gauss(0, 1)) for _ in range(12)]
    b = [timed(100 + 3 * i + random.gauss(0, 1)) for i in range(12)]
    told = compare(a, b)
    assert told.outcome == "unclear"
    assert "became slower one after the other" in told.verdict


def test_a_steady_difference_beside_a_small_drift_is_a_verdict() -> None:
    random = Random(4)
    a = [timed(100 + random.gauss(0, 1)) for _ in range(12)]
    b = [timed(200 + i + random.gauss(0, 1)) for i in range(12)]
    assert compare(a, b).slower


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"calls": calls("native")}, {"calls": calls("cprofile")}),
        ({"calls": calls("native")}, {}),
        ({}, {"allocations": allocations()}),
        ({"calls": calls("native")}, {"calls": {**calls("native"), "builtins": True}}),
    ],
)
def test_times_by_other_instruments_are_not_compared(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    told = compare(runs(10, instruments=before), runs(10, 50, seed=2, instruments=after))
    assert told.outcome == "refused"
    assert "not measured alike" in told.verdict
    assert not told.faster


def test_times_of_a_mixed_set_are_not_compared() -> None:
    mixed = [*runs(5), *runs(5, instruments={"calls": calls("native")})]
    told = compare(mixed, runs(10))
    assert told.outcome == "refused"
    assert "the runs of A were not measured alike" in told.verdict


def test_light_instruments_do_not_keep_times_from_being_compared() -> None:
    told = compare(runs(8, instruments={"gc": {"count": 1}}), runs(8, seed=2))
    assert told.outcome == "same"


def test_inflated_times_are_flagged() -> None:
    told = compare(
        runs(6, instruments={"allocations": allocations()}),
        runs(6, seed=2, instruments={"allocations": allocations()}),
    )
    assert any("inflated" in text for text in told.cautions)


def test_shared_processes_and_other_tools_are_flagged() -> None:
    shared = [replace(run, overlap=Overlap(requests=2, share=0.5)) for run in runs(5)]
    told = compare(shared, [warned(timed(100), "another tool was active and makes code slower")])
    assert any("5 of the 5 runs of A shared the process" in text for text in told.cautions)
    assert any("the run of B another tool" in text for text in told.cautions)


def test_another_request_or_answer_is_flagged() -> None:
    other = RequestInfo(method="GET", path="/authors/", route="authors/", status=500)
    told = compare(timed(100), timed(5, request=other))
    assert any("not of one request" in text for text in told.cautions)
    assert any("answers differ: 200 against 500" in text for text in told.cautions)


def test_another_python_is_flagged() -> None:
    other = timed(100)
    other = replace(other, environment=replace(other.environment, python="3.12.0"))
    assert any("Python is another" in text for text in compare(timed(100), other).cautions)


def test_counts_are_compared_exactly() -> None:
    a = [with_queries(query(0), query(1)) for _ in range(2)]
    b = [with_queries(query(0)) for _ in range(2)]
    found = compare(a, b).count("queries")
    assert found is not None
    assert (found.before, found.after, found.outcome) == ((2, 2), (1, 1), "less")


def test_counts_that_differ_between_runs_are_ranges() -> None:
    a = [with_queries(query(0)), with_queries(query(0), query(1))]
    found = compare(a, with_queries(query(0))).count("queries")
    assert found is not None
    assert (found.before, found.after, found.outcome) == ((1, 2), (1, 1), "unclear")


def test_a_capture_alone_may_be_given() -> None:
    assert django_hotpath.compare(timed(1), timed(2)).outcome == "too_few"


def test_a_capture_that_is_given_twice_counts_once() -> None:
    one = timed(100)
    assert compare([one, one], timed(100)).a.ids == (one.id,)


def test_an_empty_set_is_an_error() -> None:
    with pytest.raises(ValueError, match="B holds no capture"):
        compare(timed(1), [])


def test_the_result_is_json() -> None:
    told = compare(
        replace(with_queries(query(0)), findings=(finding(),)),
        with_queries(query(0, "SELECT 2 FROM a")),
    )
    assert json.loads(json.dumps(told.to_dict()))["verdict"] == told.verdict
