"""``gc_pressure``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django_hotpath.capture import Capture, Overlap
from tests.analysis.found import kinds, only
from tests.factories import capture


def pause(generation: int, ms: float) -> dict[str, Any]:
    return {"generation": generation, "start_ms": 1.0, "duration_ms": ms, "collected": 9}


def with_gc(total_ms: float = 40.0, *, wall_ms: float = 100.0, **values: Any) -> Capture:
    recorded = {
        "count": 8,
        "total_ms": total_ms,
        "collected": 20_000,
        "uncollectable": 0,
        "generations": [7, 1, 0],
        "truncated": 0,
        "pauses": [pause(1, 12.0)],
        **values,
    }
    return capture(wall_ms=wall_ms, instruments={"gc": recorded})


def test_found() -> None:
    finding = only(with_gc())
    assert (finding.kind, finding.severity, finding.count) == ("gc_pressure", "high", 8)
    assert "paused the work 8 times, for 40 ms (40% of the time)" in finding.title
    assert "The longest pause took 12.0 ms; it freed 20,000 objects" in finding.detail
    assert finding.cost_ms == 40.0


def test_gone_after_the_fix() -> None:
    assert kinds(with_gc(1.0, count=1)) == []


def test_silent_on_a_small_share() -> None:
    assert kinds(with_gc(40.0, wall_ms=1_000.0)) == []


def test_silent_on_a_quick_page() -> None:
    assert kinds(with_gc(5.0, wall_ms=10.0)) == []


def test_silent_on_a_full_round_that_came_by() -> None:
    assert kinds(with_gc(210.0, count=2, pauses=[pause(2, 200.0), pause(0, 1.0)])) == []


def test_found_where_full_rounds_come_again_and_again() -> None:
    full = [pause(2, 30.0) for _ in range(3)]
    finding = only(with_gc(90.0, count=3, generations=[0, 0, 3], pauses=full))
    assert finding.count == 3
    assert "3 rounds looked through every object" in finding.detail


def test_silent_on_the_first_request_which_loads_modules() -> None:
    found = with_gc()
    warning = "this was the first request of the process"
    environment = replace(found.environment, warnings=(warning,))
    assert kinds(replace(found, environment=environment)) == []


def test_silent_on_collections_that_were_asked_for() -> None:
    found = with_gc()
    objects = {"engine": "hotpath", "created": 0, "alive": 0, "models": [], "garbage": 10}
    assert kinds(replace(found, instruments={**found.instruments, "objects": objects})) == []


def test_much_garbage_is_blamed_on_cycles() -> None:
    finding = only(with_gc(collected=100_000))
    assert finding.fix is not None
    assert "weakref" in finding.fix.summary


def test_little_garbage_is_blamed_on_objects_that_stay() -> None:
    finding = only(with_gc(collected=10))
    assert finding.fix is not None
    assert "gc.freeze()" in finding.fix.summary


def test_other_requests_make_it_less_sure() -> None:
    finding = only(replace(with_gc(), overlap=Overlap(requests=2, share=0.5)))
    assert finding.severity == "medium"
    assert "they may have caused it" in finding.detail
