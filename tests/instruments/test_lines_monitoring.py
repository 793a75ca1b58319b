"""``lines`` by ``sys.monitoring``: whose lines count, and whose time."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from django_hotpath import profile
from django_hotpath.instruments.base import Active
from tests.instruments.line_reading import function, functions, hits, lines

if sys.version_info < (3, 12):
    pytest.skip("sys.monitoring came with 3.12", allow_module_level=True)

from django_hotpath.instruments.engines import line_calibration, line_events, line_monitoring

HERE = __name__


class Clock:
    """Stands still but for ``advance``."""

    def __init__(self) -> None:
        self.now = 1_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, ms: int) -> None:
        self.now += ms * 1_000_000


clock = Clock()


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only where a function says so."""
    line_calibration.calibrate()
    monkeypatch.setattr(line_events, "_unseen_ns", 0)
    monkeypatch.setattr(line_events, "clock", clock)
    monkeypatch.setattr(line_monitoring, "clock", clock)


def measure(work: Callable[[], Any], *targets: str) -> dict[str, Any]:
    """The lines of these functions of this module while ``work`` runs."""
    text = "+".join(f"{HERE}.{target}" for target in targets)
    with profile("test", instruments=[f"lines:{text}"], save=False) as run:
        work()
    assert run.capture is not None, run.refused
    return run.capture.instruments["lines"]  # type: ignore[no-any-return]


def loop(times: int) -> int:
    total = 0
    for number in range(times):
        total += number
    return total


def outer() -> None:
    clock.advance(1)
    inner()
    clock.advance(2)


def inner() -> None:
    clock.advance(10)


def countdown(number: int) -> None:
    clock.advance(1)
    if number:
        countdown(number - 1)
    clock.advance(1)


def fails() -> None:
    clock.advance(3)
    raise KeyError("theirs")


def catches() -> None:
    try:
        fails()
    except KeyError:
        clock.advance(5)


def numbers() -> Iterator[int]:
    clock.advance(1)
    yield 1
    clock.advance(2)
    yield 2


def guarded() -> Iterator[int]:
    try:
        yield 1
    except ValueError:
        clock.advance(4)
        yield 2


async def waits() -> None:
    clock.advance(1)
    await asyncio.sleep(0)
    clock.advance(2)


async def streams() -> AsyncIterator[int]:
    await asyncio.sleep(0)
    yield 1
    yield 2


async def rounds(times: int) -> int:
    done = 0
    for _ in range(times):
        await asyncio.sleep(0)
        done += 1
    return done


one_line = lambda value: value + 1  # noqa: E731


def deep(number: int) -> int:
    return 0 if number == 0 else 1 + deep(number - 1)


def ms(result: dict[str, Any], name: str) -> dict[str, float]:
    return {text: line["ms"] for text, line in lines(result, name).items() if line["hits"]}


def idle() -> bool:
    """Whether nothing of ours is left in the process."""
    return (
        not sys.monitoring._all_events()
        and not any(sys.monitoring.get_tool(number) for number in range(6))
        and not line_events._users
        and not line_events._tracks
    )


@pytest.fixture(autouse=True)
def _leaves_nothing() -> Iterator[None]:
    assert idle()
    yield
    assert idle()


@pytest.mark.usefixtures("still")
class TestTime:
    def test_of_a_line_includes_what_it_calls(self) -> None:
        result = measure(outer, "outer", "inner")
        assert ms(result, "outer") == {
            "clock.advance(1)": 1,
            "inner()": 10,
            "clock.advance(2)": 2,
        }
        assert function(result, "inner")["total_ms"] == 10

    def test_of_a_function_is_the_sum_of_its_lines(self) -> None:
        result = measure(outer, "outer")
        found = function(result, "outer")
        assert found["total_ms"] == 13
        shares = [line["share"] for line in found["lines"] if line["hits"]]
        assert shares == [0.0769, 0.7692, 0.1538]

    def test_of_a_hit_is_the_mean(self) -> None:
        result = measure(lambda: [inner(), inner()], "inner")
        line = lines(result, "inner")["clock.advance(10)"]
        assert (line["hits"], line["ms"], line["ms_per_hit"]) == (2, 20, 10)

    def test_of_a_function_that_calls_itself_counts_once(self) -> None:
        result = measure(lambda: countdown(3), "countdown")
        assert function(result, "countdown")["calls"] == 4
        assert function(result, "countdown")["total_ms"] == 8
        assert ms(result, "countdown")["countdown(number - 1)"] == 0

    def test_after_an_exception_is_not_that_of_the_line_that_raised(self) -> None:
        def work() -> None:
            with pytest.raises(KeyError):
                fails()
            clock.advance(100)

        result = measure(work, "fails")
        assert ms(result, "fails") == {"clock.advance(3)": 3, 'raise KeyError("theirs")': 0}

    def test_of_an_exception_that_is_caught_goes_on_where_it_is_caught(self) -> None:
        result = measure(catches, "catches", "fails")
        assert ms(result, "catches") == {
            "try:": 0,
            "fails()": 3,
            "except KeyError:": 0,
            "clock.advance(5)": 5,
        }

    def test_of_a_generator_is_without_its_suspensions(self) -> None:
        def work() -> None:
            for _ in numbers():
                clock.advance(100)

        result = measure(work, "numbers")
        assert function(result, "numbers")["total_ms"] == 3
        assert function(result, "numbers")["waited_ms"] == 0

    def test_goes_on_where_an_exception_is_thrown_into_a_generator(self) -> None:
        def work() -> None:
            found = guarded()
            next(found)
            clock.advance(100)
            found.throw(ValueError())
            clock.advance(100)
            found.close()

        assert function(measure(work, "guarded"), "guarded")["total_ms"] == 4

    def test_of_a_coroutine_is_without_its_waits_which_are_told_apart(self) -> None:
        async def work() -> None:
            other = asyncio.create_task(passing())
            await waits()
            await other

        async def passing() -> None:
            clock.advance(100)

        result = measure(lambda: asyncio.run(work()), "waits")
        assert function(result, "waits")["total_ms"] == 3
        assert lines(result, "waits")["await asyncio.sleep(0)"]["waited_ms"] == 100

    def test_that_an_async_generator_is_idle_is_no_wait(self) -> None:
        async def work() -> None:
            async for _ in streams():
                clock.advance(100)

        result = measure(lambda: asyncio.run(work()), "streams")
        assert function(result, "streams")["waited_ms"] == 0

    def test_of_our_own_is_in_no_line(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Slow(line_monitoring.MonitoringLines):
            def on_line(self, *event: Any) -> None:
                super().on_line(*event)
                clock.advance(50)

        monkeypatch.setattr(line_monitoring, "MonitoringLines", Slow)
        result = measure(lambda: loop(3), "loop")
        assert function(result, "loop")["total_ms"] == 0


class TestHits:
    def test_of_code_that_was_not_reached_are_none(self) -> None:
        assert hits(measure(lambda: loop(0), "loop"), "loop") == {
            "total = 0": 1,
            "for number in range(times):": 1,
            "total += number": 0,
            "return total": 1,
        }

    def test_of_lines_without_code_are_null(self) -> None:
        found = function(measure(lambda: loop(1), "loop"), "loop")["lines"][0]
        assert (found["source"], found["hits"]) == ("def loop(times: int) -> int:", None)

    def test_of_functions_of_one_line_are_there(self) -> None:
        result = measure(lambda: one_line(1), "one_line")
        assert list(hits(result, "<lambda>").values()) == [1]

    def test_of_other_threads_are_theirs(self) -> None:
        def work() -> None:
            thread = threading.Thread(target=loop, args=(1000,))
            thread.start()
            loop(3)
            thread.join()

        if sys.version_info >= (3, 14) and sys.flags.thread_inherit_context:
            pytest.skip("threads belong to who starts them")
        assert hits(measure(work, "loop"), "loop")["total += number"] == 3

    def test_of_worker_threads_of_the_work_are_its_own(self) -> None:
        async def work() -> None:
            await asyncio.gather(
                asyncio.to_thread(loop, 5),
                sync_to_async(loop, thread_sensitive=False)(7),
            )

        result = measure(lambda: asyncio.run(work()), "loop")
        assert hits(result, "loop")["total += number"] == 12
        assert function(result, "loop")["calls"] == 2

    def test_of_captures_at_the_same_time_are_kept_apart(self) -> None:
        together = threading.Barrier(8)

        def work(times: int) -> None:
            together.wait()
            for _ in range(20):
                loop(times)
            together.wait()

        def capture(times: int) -> int:
            result = measure(lambda: work(times), "loop")
            return hits(result, "loop")["total += number"]

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(capture, range(1, 9)))
        assert found == [20 * times for times in range(1, 9)]

    async def test_of_fifty_interleaved_tasks_are_kept_apart(self) -> None:
        runs = [profile("test", instruments=["lines"], save=False) for _ in range(50)]
        done = await asyncio.gather(*(run(rounds)(i + 1) for i, run in enumerate(runs)))
        assert done == list(range(1, 51))
        for times, run in enumerate(runs, start=1):
            assert run.capture is not None, run.refused
            assert hits(run.capture.instruments["lines"], "rounds")["done += 1"] == times

    def test_within_a_capture_are_in_the_one_around_it_too(self) -> None:
        found = []

        def work() -> None:
            loop(1)
            found.append(measure(lambda: loop(2), "loop"))
            loop(4)

        result = measure(work, "loop")
        assert hits(found[0], "loop")["total += number"] == 2
        assert hits(result, "loop")["total += number"] == 7

    def test_within_a_capture_of_something_else_are_in_the_one_around_it(self) -> None:
        def work() -> None:
            loop(1)
            with profile("test", instruments=["gc"], save=False):
                loop(2)
            loop(4)

        assert hits(measure(work, "loop"), "loop")["total += number"] == 7

    def test_of_code_that_only_another_capture_asked_for_are_not_kept(self) -> None:
        result = measure(lambda: [measure(lambda: loop(2), "loop"), inner()], "inner")
        assert functions(result) == {"inner"}

    def test_of_a_task_that_outlives_the_capture_are_not_counted(self) -> None:
        async def work() -> Any:
            run = profile("test", instruments=[f"lines:{HERE}.rounds"], save=False)

            async def starts() -> asyncio.Task[int]:
                return asyncio.create_task(rounds(5))

            task = await run(starts)()
            await task
            assert run.capture is not None
            return run.capture.instruments["lines"]

        assert sum(hits(asyncio.run(work()), "rounds").values()) == 0


class TestWhatAProfileIsAbout:
    def test_is_the_function_it_decorates(self) -> None:
        run = profile("test", instruments=["lines"], save=False)
        run(loop)(3)
        assert run.capture is not None
        assert functions(run.capture.instruments["lines"]) == {"loop"}

    def test_is_the_function_that_holds_the_block(self) -> None:
        with profile("test", instruments=["lines"], save=False) as run:
            number = 1
            number += 1
        assert run.capture is not None
        found = hits(run.capture.instruments["lines"], "test_is_the_function_that_holds_the_block")
        assert (found["number = 1"], found["number += 1"], number) == (1, 1, 2)
        assert found["assert run.capture is not None"] == 0

    def test_is_found_through_an_exit_stack(self) -> None:
        with ExitStack() as stack:
            run = stack.enter_context(profile("test", instruments=["lines"], save=False))
        assert run.capture is not None
        assert "exit_stack" in str(functions(run.capture.instruments["lines"]))


class TestTheApplication:
    def test_sees_no_error_of_ours(self, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
        def broken(self: Any, *event: Any) -> None:
            raise ZeroDivisionError("ours")

        for name in ("on_begin", "on_line", "on_leave"):
            monkeypatch.setattr(line_monitoring.MonitoringLines, name, broken)
        with profile("test", instruments=[f"lines:{HERE}.loop"], save=False) as run:
            assert loop(3) == 3
        assert run.capture is not None
        assert [w for w in run.capture.environment.warnings if "stopped before the end" in w]
        assert [record.levelname for record in caplog.records].count("ERROR") == 1

    def test_reaches_the_recursion_limit_as_ever(self) -> None:
        def work() -> None:
            with pytest.raises(RecursionError):
                deep(10_000)
            assert deep(100) == 100

        assert function(measure(work, "deep"), "deep")["calls"] > 100

    def test_is_told_when_no_slot_is_free(self) -> None:
        for number in (3, 4, 5):
            sys.monitoring.use_tool_id(number, f"tool {number}")
        try:
            with profile("test", instruments=["lines"], save=False) as run:
                assert loop(3) == 3
        finally:
            for number in (3, 4, 5):
                sys.monitoring.free_tool_id(number)
        assert run.capture is None
        assert "the monitoring slots of this process are taken (tool 4" in str(run.refused)

    def test_may_use_a_profiler_and_coverage_of_its_own(self) -> None:
        sys.monitoring.use_tool_id(sys.monitoring.PROFILER_ID, "theirs")
        sys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, "theirs")
        try:
            result = measure(lambda: loop(3), "loop")
        finally:
            sys.monitoring.free_tool_id(sys.monitoring.PROFILER_ID)
            sys.monitoring.free_tool_id(sys.monitoring.COVERAGE_ID)
        assert hits(result, "loop")["total += number"] == 3

    def test_may_run_under_a_debugger(self) -> None:
        seen = []

        def trace(frame: Any, event: str, _value: object) -> Any:
            if frame.f_code is loop.__code__:
                seen.append(event)
                return trace
            return None

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            result = measure(lambda: loop(3), "loop")
        finally:
            sys.settrace(before)
        assert hits(result, "loop")["total += number"] == 3
        assert seen.count("line") == 9

    def test_is_slowed_only_where_it_was_asked_for(self) -> None:
        def work() -> int:
            return sys.monitoring.get_local_events(tool(), inner.__code__)

        assert measure(lambda: found.append(work()), "loop")
        assert found == [0]


found: list[int] = []


def tool() -> int:
    return next(n for n in range(6) if sys.monitoring.get_tool(n) == line_events.TOOL)


class TestAThousandCaptures:
    def test_leave_nothing_behind(self) -> None:
        active = []

        def work() -> None:
            from django_hotpath.instruments.base import current

            loop(2)
            if len(active) < 3:
                active.append(weakref.ref(current.get()))  # type: ignore[arg-type]

        def captures(number: int) -> int:
            for _ in range(number):
                measure(work, "loop")
            gc.collect()
            return sys.getallocatedblocks()

        captures(100)
        before = captures(100)
        after = captures(800)
        assert after - before < 400
        assert [ref() for ref in active] == [None, None, None]

    def test_of_a_crowd_leave_nothing_behind(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda i: measure(lambda: loop(i), "loop"), range(200)))
        assert [hits(result, "loop")["total += number"] for result in results] == list(range(200))


def test_a_huge_function_is_kept_where_it_costs(tmp_path: Path) -> None:
    path = tmp_path / "huge.py"
    body = "".join(f"    value += {number}\n" for number in range(5_000))
    path.write_text(f"def huge(value, clock):\n{body}    clock.advance(1)\n    return value\n")
    spec = importlib.util.spec_from_file_location("huge_for_tests", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["huge_for_tests"] = module
    try:
        spec.loader.exec_module(module)
        with profile("test", instruments=["lines:huge_for_tests.huge"], save=False) as run:
            module.huge(0, clock)
    finally:
        del sys.modules["huge_for_tests"]
    assert run.capture is not None
    kept = function(run.capture.instruments["lines"], "huge")
    assert kept["left_out"] == 5_003 - len(kept["lines"])
    assert len(kept["lines"]) <= 1_006
    assert [line["line"] for line in kept["lines"]] == sorted(
        line["line"] for line in kept["lines"]
    )


def test_watchers_of_a_capture_end_with_it() -> None:
    active = Active(None, None)
    outer_watchers = active.watchers
    measure(lambda: loop(1), "loop")
    assert outer_watchers == active.watchers == ()
