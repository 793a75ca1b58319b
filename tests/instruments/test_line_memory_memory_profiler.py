"""``line_memory`` by memory_profiler: whom it gives way to."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from django_hotpath import locks, profile
from django_hotpath.instruments.engines.memory_profiler import MemoryProfilerLineMemory
from tests.instruments.line_reading import hits
from tests.require import require

NAMES = [f"memory_profiler:{__name__}.loop"]


def loop(times: int) -> int:
    total = 0
    for number in range(times):
        total += number
    return total


def theirs(frame: Any, event: str, value: object) -> None:
    return None


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    reason = MemoryProfilerLineMemory.available()
    require(reason is None, f"memory_profiler {reason}")
    before = sys.gettrace()
    yield
    sys.settrace(before)


def test_it_is_what_the_result_says() -> None:
    with profile("test", instruments=NAMES, save=False) as run:
        loop(3)
    assert run.capture is not None, run.refused
    result = run.capture.instruments["line_memory"]
    assert (result["engine"], result["unit"]) == ("memory_profiler", "rss")
    assert hits(result, "loop")["total += number"] == 3


def test_under_a_trace_function_it_is_refused_rather_than_blind() -> None:
    sys.settrace(theirs)
    with profile("test", instruments=NAMES, save=False) as run:
        assert loop(3) == 3
    assert run.capture is None
    assert "memory_profiler would see no line" in str(run.refused)


def test_under_one_for_new_threads_too() -> None:
    threading.settrace(theirs)
    try:
        with profile("test", instruments=NAMES, save=False) as run:
            pass
    finally:
        threading.settrace(None)  # type: ignore[arg-type]
    assert "another tool traces this process" in str(run.refused)


def test_a_trace_function_that_comes_meanwhile_stays() -> None:
    with profile("test", instruments=NAMES, save=False) as run:
        loop(3)
        sys.settrace(theirs)
    assert sys.gettrace() is theirs
    assert run.capture is not None
    assert any("began to trace" in text for text in run.capture.environment.warnings)


def test_an_error_of_ours_is_not_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, *event: Any) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(MemoryProfilerLineMemory, "_count", broken)
    with profile("test", instruments=NAMES, save=False) as run:
        assert loop(3) == 3
    assert run.capture is not None
    assert [text for text in run.capture.environment.warnings if "stopped before the end" in text]


def test_one_capture_at_a_time() -> None:
    assert locks.acquire("memory_profiler")
    try:
        with profile("test", instruments=NAMES, save=False) as run:
            loop(3)
    finally:
        locks.release("memory_profiler")
    assert "another capture is using it" in str(run.refused)
