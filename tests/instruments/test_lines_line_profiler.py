"""``lines`` by line_profiler: what it must leave as it was, and what it cannot do."""

from __future__ import annotations

import sys
import threading
import warnings
from typing import Any

import pytest

from django_hotpath import locks, profile
from django_hotpath.instruments.engines.line_profiler import MONITORS, LineProfilerLines
from tests.instruments.line_reading import function, functions, hits
from tests.instruments.line_views import bare_decorator
from tests.require import require

HERE = __name__


@pytest.fixture(autouse=True)
def _installed() -> None:
    reason = LineProfilerLines.available()
    require(reason is None, f"line_profiler {reason}")


def loop(times: int) -> int:
    total = 0
    for number in range(times):
        total += number
    return total


class First:
    value = 1

    def same(self) -> int:
        found = self.value
        return found + 0


class Second:
    value = 2

    def same(self) -> int:
        found = self.value
        return found + 0


def nesting() -> list[int]:
    found = [number + 1 for number in range(3)]
    return sorted(number for number in found)


one_line = lambda value: value + 1  # noqa: E731


@bare_decorator
def decorated(request: Any) -> int:
    return 1


def measure(work: Any, *targets: str) -> Any:
    text = "+".join(f"{HERE}.{target}" for target in targets)
    run = profile("test", instruments=[f"line_profiler:{text}"], save=False)
    with run:
        work()
    return run


def result(run: Any) -> dict[str, Any]:
    assert run.capture is not None, run.refused
    return run.capture.instruments["lines"]  # type: ignore[no-any-return]


def test_it_is_what_the_result_says() -> None:
    found = result(measure(lambda: loop(3), "loop"))
    assert found["engine"] == "line_profiler"
    assert hits(found, "loop")["total += number"] == 3
    assert function(found, "loop")["total_ms"] > 0
    assert function(found, "loop")["calls"] is None


def test_functions_with_the_same_instructions_are_kept_apart() -> None:
    def work() -> None:
        First().same()
        Second().same()
        Second().same()

    found = result(measure(work, "First", "Second"))
    assert hits(found, "First.same")["found = self.value"] == 1
    assert hits(found, "Second.same")["found = self.value"] == 2


def test_code_is_put_back_after_each_capture() -> None:
    code = loop.__code__
    sizes = []
    for _ in range(50):
        measure(lambda: sizes.append(len(loop.__code__.co_code)), "loop")
    assert loop.__code__ is code
    # Its own bookkeeping makes the code longer with each time.
    assert len(set(sizes)) == 1


def test_code_that_somebody_replaced_meanwhile_stays() -> None:
    def other(times: int) -> int:
        return -times

    code = loop.__code__
    try:
        measure(lambda: setattr(loop, "__code__", other.__code__), "loop")
        assert loop(3) == -3
    finally:
        loop.__code__ = code


def test_nothing_of_it_stays_on() -> None:
    trace = sys.gettrace()
    measure(lambda: loop(3), "loop")
    assert sys.gettrace() is trace
    if MONITORS:
        assert not sys.monitoring._all_events()
        assert not any(sys.monitoring.get_tool(number) for number in range(6))


def test_after_an_exception_nothing_of_it_stays_on_either() -> None:
    code, trace = loop.__code__, sys.gettrace()
    with pytest.raises(KeyError):
        measure(lambda: {}["theirs"], "loop")
    assert loop.__code__ is code
    assert sys.gettrace() is trace


def test_decorated_functions_bring_no_warning_of_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = measure(lambda: decorated(None), "decorated")
    assert functions(result(run)) == {"decorated", "bare_decorator.<locals>.inner"}


def test_it_says_that_nested_functions_are_not_apart() -> None:
    assert functions(result(measure(nesting, "nesting"))) == {"nesting"}
    assert "Nested functions" in LineProfilerLines.disturbed_by


@pytest.mark.skipif(sys.version_info[:3] != (3, 13, 0), reason="measured on 3.13.0")
def test_it_says_that_functions_of_one_line_get_no_hits() -> None:
    found = result(measure(lambda: one_line(1), "one_line"))
    assert sum(hits(found, "<lambda>").values()) == 0
    assert "functions of one line" in LineProfilerLines.disturbed_by


def test_a_block_that_runs_already_is_refused_in_words() -> None:
    with profile("test", instruments=["line_profiler"], save=False) as run:
        pass
    assert run.capture is not None
    assert any("is running already" in text for text in run.capture.environment.warnings)


def test_one_capture_at_a_time() -> None:
    assert locks.acquire("line_profiler")
    try:
        run = measure(lambda: loop(3), "loop")
    finally:
        locks.release("line_profiler")
    assert run.capture is None
    assert "another capture is using it" in run.refused


@pytest.mark.skipif(MONITORS, reason="they do not share a slot from Python 3.12 on")
def test_it_does_not_run_beside_memory_profiler() -> None:
    names = [f"line_profiler:{HERE}.loop", f"memory_profiler:{HERE}.loop"]
    with profile("test", instruments=names, save=False) as run:
        loop(3)
    assert run.capture is None
    assert "cannot run beside" in str(run.refused)


def test_captures_in_two_threads_one_after_the_other() -> None:
    found = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: found.append(measure(lambda: loop(3), "loop")))
        thread.start()
        thread.join()
    assert [hits(result(run), "loop")["total += number"] for run in found] == [3, 3, 3]


def test_cprofile_runs_beside_it() -> None:
    with profile("test", instruments=["cprofile", f"line_profiler:{HERE}.loop"], save=False) as run:
        loop(3)
    assert hits(result(run), "loop")["total += number"] == 3
    assert run.capture is not None
    assert run.capture.instruments["calls"]["engine"] == "cprofile"


class TestWithATraceFunction:
    """Before 3.12 there is one slot for debuggers, coverage and line_profiler."""

    pytestmark = pytest.mark.skipif(MONITORS, reason="by sys.monitoring since 3.12")

    def test_of_somebody_else_it_is_refused(self) -> None:
        before = sys.gettrace()
        sys.settrace(lambda frame, event, value: None)
        try:
            run = measure(lambda: loop(3), "loop")
        finally:
            sys.settrace(before)
        assert run.capture is None
        assert "another tool traces this process" in run.refused

    def test_that_comes_meanwhile_it_gives_way(self) -> None:
        before = sys.gettrace()

        def theirs(frame: Any, event: str, value: object) -> None:
            return None

        try:
            run = measure(lambda: sys.settrace(theirs), "loop")
            assert sys.gettrace() is theirs
        finally:
            sys.settrace(before)
        assert run.capture is not None
        assert any("began to trace" in text for text in run.capture.environment.warnings)

    def test_of_its_own_other_threads_are_not_counted(self) -> None:
        def work() -> None:
            thread = threading.Thread(target=loop, args=(1000,))
            thread.start()
            thread.join()
            loop(3)

        assert hits(result(measure(work, "loop")), "loop")["total += number"] == 3


@pytest.mark.skipif(not MONITORS, reason="of one thread before 3.12")
def test_other_threads_that_ran_are_named() -> None:
    def work() -> None:
        ready = threading.Event()
        thread = threading.Thread(target=lambda: [ready.set(), loop(300_000)], name="a neighbour")
        thread.start()
        ready.wait()
        loop(3)
        thread.join()

    going = threading.Event()
    stop = threading.Event()

    def busy() -> None:
        going.set()
        while not stop.is_set():
            loop(1000)

    neighbour = threading.Thread(target=busy, name="a neighbour")
    neighbour.start()
    going.wait()
    try:
        run = measure(work, "loop")
    finally:
        stop.set()
        neighbour.join()
    assert hits(result(run), "loop")["total += number"] > 3
    assert any("a neighbour" in text for text in run.capture.environment.warnings)
