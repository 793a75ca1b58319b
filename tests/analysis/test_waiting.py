"""A slow function that computed is told from one that waited, and both from a busy machine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from django_hotpath.analysis.findings import find
from django_hotpath.analysis.waiting import at_once, spent
from django_hotpath.capture import Capture, Finding, Timing
from tests.factories import function, with_functions

# Calls of one function: (start, milliseconds).
IN_TURN = [(0, 50), (50, 50), (100, 50)]
AT_ONCE = [(0, 50), (1, 50), (2, 50)]


def measured(
    cpu_ms: float | None,
    queued_ms: float | None = None,
    spans: list[tuple[int, int]] = IN_TURN,
    own_ms: float = 150.0,
) -> Capture:
    found = with_functions(function("ask", own_ms=own_ms, calls=len(spans)))
    calls: dict[str, Any] = {
        **found.instruments["calls"],
        "engine": "native",
        "tree": {"parent": [-1], "frame": [0]},
        "spans": {
            "node": [0] * len(spans),
            "start_ms": [start for start, _ in spans],
            "duration_ms": [duration for _, duration in spans],
        },
    }
    timing = Timing(wall_ms=own_ms, process_cpu_ms=cpu_ms, queued_ms=queued_ms)
    return replace(found, timing=timing, instruments={**found.instruments, "calls": calls})


def found(capture: Capture) -> list[Finding]:
    return [finding for finding in find(capture) if finding.kind == "slow_function"]


def test_one_that_computed_takes_the_time() -> None:
    (finding,) = found(measured(cpu_ms=149))
    assert " takes 100% of the time" in finding.title
    assert "waited" not in finding.detail


def test_one_that_waited_says_so_and_has_other_advice() -> None:
    (finding,) = found(measured(cpu_ms=2))
    assert " waits for 100% of the time" in finding.title
    assert "It waited for 148 ms of it or more" in finding.detail
    assert finding.fix is not None
    assert "threads" in finding.fix.summary


def test_silent_on_calls_that_wait_at_once() -> None:
    assert found(measured(cpu_ms=2, spans=AT_ONCE)) == []


def test_threads_that_compute_are_told_that_they_take_turns() -> None:
    (finding,) = found(measured(cpu_ms=50, spans=AT_ONCE))
    assert " takes " in finding.title
    assert "take turns" not in finding.title
    assert "the GIL" in finding.detail


def test_silent_where_the_machine_was_busy_with_other_work() -> None:
    assert found(measured(cpu_ms=3, queued_ms=140)) == []


def test_a_busy_machine_is_named_beside_what_was_computed() -> None:
    (finding,) = found(measured(cpu_ms=50, queued_ms=100))
    assert "For 100 ms others had the processors" in finding.detail
    assert " takes " in finding.title


@pytest.mark.parametrize("queued_ms", [None, 0.0, 500.0])
def test_without_the_processors_time_own_time_is_all_there_is(queued_ms: float | None) -> None:
    assert found(measured(cpu_ms=None, queued_ms=queued_ms))
    assert spent(measured(cpu_ms=None, queued_ms=queued_ms), 150).by_itself == 150


def test_the_parts_add_up() -> None:
    parts = spent(measured(cpu_ms=20, queued_ms=50), 150)
    assert (parts.computed, parts.queued, parts.waited) == (20, 50, 80)


@pytest.mark.parametrize(
    ("spans", "times"), [(IN_TURN, 1.0), (AT_ONCE, 150 / 52), ([(0, 10), (100, 10)], 1.0)]
)
def test_how_many_calls_ran_at_once(spans: list[tuple[int, int]], times: float) -> None:
    calls = measured(cpu_ms=1, spans=spans).instruments["calls"]
    assert at_once(calls, 0) == pytest.approx(times)


def test_no_spans_no_claim() -> None:
    assert at_once({"functions": []}, 0) == 1
