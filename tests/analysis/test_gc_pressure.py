"""``gc_pressure``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django_hotpath.capture import Capture, Overlap
from tests.analysis.found import kinds, only
from tests.factories import capture


def with_gc(total_ms: float = 40.0, *, wall_ms: float = 100.0, **values: Any) -> Capture:
    recorded = {
        "count": 8,
        "total_ms": total_ms,
        "collected": 20_000,
        "uncollectable": 0,
        "generations": [6, 1, 1],
        "truncated": 0,
        "pauses": [{"generation": 2, "start_ms": 1.0, "duration_ms": 12.0, "collected": 9}],
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
