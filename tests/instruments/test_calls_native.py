"""``calls`` by the native tracer: whose calls they are, and whose time."""

from __future__ import annotations

import asyncio
import contextvars
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from django_hotpath import profile
from django_hotpath.instruments.engines import native_events
from django_hotpath.instruments.engines.native import NativeCalls
from tests.recording import Run, recording
from tests.require import require


@pytest.fixture(autouse=True)
def _extension() -> None:
    reason = native_events.unavailable()
    require(reason is None, f"needs the compiled tracer, which {reason}")


def leaf(number: int) -> int:
    return number + 1


def loop(times: int) -> int:
    total = 0
    for number in range(times):
        total += leaf(number)
    return total


def fibonacci(number: int) -> int:
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def foreign(number: int) -> int:
    return number


def down(depth: int) -> int:
    return depth if depth == 0 else down(depth - 1)


def counts(calls: dict[str, Any]) -> dict[str, int]:
    return {row["function"]: row["calls"] for row in calls["functions"]}


def row(calls: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [row for row in calls["functions"] if row["function"] == name]
    return found  # type: ignore[no-any-return]


def path_of(calls: dict[str, Any], name: str) -> list[str]:
    """The functions from the root to the first node of this one."""
    tree = calls["tree"]
    names = [row["function"] for row in calls["functions"]]
    node = next(
        node for node, frame in enumerate(tree["frame"]) if frame >= 0 and names[frame] == name
    )
    path = []
    while node > 0:
        path.append(names[tree["frame"][node]])
        node = tree["parent"][node]
    return path[::-1]


def measured(run: Run | profile) -> dict[str, Any]:
    assert run.capture is not None
    found: dict[str, Any] = run.capture.instruments["calls"]
    return found


class TestCounts:
    def test_calls_are_exact(self) -> None:
        with recording("native") as run:
            loop(50)
        assert (row(run["calls"], "leaf")["calls"], row(run["calls"], "loop")["calls"]) == (50, 1)

    def test_recursion_is_told_apart(self) -> None:
        with recording("native") as run:
            fibonacci(6)
        found = row(run["calls"], "fibonacci")
        assert (found["calls"], found["primitive_calls"]) == (25, 1)

    def test_each_level_of_a_recursion_is_a_node(self) -> None:
        with recording("native") as run:
            down(9)
        assert path_of(run["calls"], "down") == ["down"]
        tree = run["calls"]["tree"]
        assert [calls for calls, frame in zip(tree["calls"], tree["frame"], strict=True)].count(
            1
        ) >= 10

    def test_a_generator_is_called_once_however_often_it_is_resumed(self) -> None:
        def numbers() -> Iterator[int]:
            yield from range(20)

        with recording("native") as run:
            list(numbers())
        name = "TestCounts.test_a_generator_is_called_once_however_often_it_is_resumed.<locals>"
        assert row(run["calls"], f"{name}.numbers")["calls"] == 1

    def test_callers_and_callees_are_those_of_the_tree(self) -> None:
        def one() -> None:
            loop(2)

        def two() -> None:
            loop(3)

        with recording("native") as run:
            one()
            two()
        names = [found["function"].rpartition(".")[2] for found in run["calls"]["functions"]]
        edges = {(names[a], names[b]): calls for a, b, calls, *_ in run["calls"]["edges"]}
        assert edges[("one", "loop")] == edges[("two", "loop")] == 1
        assert edges[("loop", "leaf")] == 5

    def test_built_in_functions_are_shown_when_asked_for(self) -> None:
        with recording("native:builtins") as run:
            sorted([2, 1])
            len([])
            [].append(1)  # type: ignore[arg-type]
        found = counts(run["calls"])
        assert found["<built-in method builtins.sorted>"] == 1
        assert found["<built-in method builtins.len>"] == 1

    def test_a_built_in_function_that_raises_is_left(self) -> None:
        def fails() -> None:
            try:
                int("x")
            except ValueError:
                leaf(1)

        with recording("native:builtins") as run:
            fails()
        assert path_of(run["calls"], "leaf")[-2].endswith("fails")

    def test_without_being_asked_for_they_are_not(self) -> None:
        with recording("native") as run:
            sorted([2, 1])
        assert not [name for name in counts(run["calls"]) if "built-in" in name]


class TestTimes:
    def test_own_times_sum_to_the_total(self) -> None:
        with recording("native") as run:
            loop(50)
            fibonacci(8)
        tree = run["calls"]["tree"]
        assert sum(tree["own_ms"]) == pytest.approx(run["calls"]["total_ms"], abs=0.05)
        assert tree["total_ms"][0] == run["calls"]["total_ms"]

    def test_a_node_is_never_smaller_than_its_children(self) -> None:
        with recording("native") as run:
            fibonacci(9)
        tree = run["calls"]["tree"]
        sums = [0.0] * len(tree["parent"])
        for node, parent in enumerate(tree["parent"][1:], start=1):
            sums[parent] += tree["total_ms"][node]
        for node, inside in enumerate(sums):
            expected = tree["total_ms"][node] - tree["own_ms"][node]
            assert inside == pytest.approx(expected, abs=0.001 * (len(sums)))

    def test_a_sleep_belongs_to_the_function_that_sleeps(self) -> None:
        def sleeps() -> None:
            time.sleep(0.05)

        with recording("native") as run:
            sleeps()
            loop(10)
        name = "TestTimes.test_a_sleep_belongs_to_the_function_that_sleeps.<locals>.sleeps"
        assert row(run["calls"], name)["own_ms"] >= 50

    def test_time_suspended_is_waiting_and_not_own_time(self) -> None:
        async def naps() -> None:
            await asyncio.sleep(0.05)

        run = profile("naps", instruments=["native"], save=False)
        began = time.perf_counter()
        asyncio.run(run(naps)())
        took_ms = (time.perf_counter() - began) * 1000
        name = "TestTimes.test_time_suspended_is_waiting_and_not_own_time.<locals>.naps"
        found = row(measured(run), name)
        assert found["wait_ms"] >= 49
        # However long others had the processor meanwhile: no time is both.
        assert found["cumulative_ms"] + found["wait_ms"] < took_ms

    def test_times_agree_with_the_clock(self) -> None:
        began = time.perf_counter()
        with recording("native") as run:
            time.sleep(0.1)
            loop(1_000)
            ended = time.perf_counter()
        assert 100 <= run["calls"]["total_ms"] <= (ended - began) * 1000 + 50


class TestWhose:
    def test_threads_beside_it_do_not_enter(self) -> None:
        stop = threading.Event()

        def other() -> None:
            while not stop.is_set():
                foreign(1)

        threads = [threading.Thread(target=other) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            with recording("native") as run:
                loop(20_000)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        assert counts(run["calls"])["leaf"] == 20_000
        assert "foreign" not in counts(run["calls"])

    def test_captures_at_once_in_threads_keep_to_themselves(self) -> None:
        barrier = threading.Barrier(8)

        def work(number: int) -> dict[str, int]:
            barrier.wait()
            with recording("native") as run:
                loop(number)
                time.sleep(0.01)
                loop(number)
            return counts(run["calls"])

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(work, range(100, 108)))
        assert [each["leaf"] for each in found] == [2 * number for number in range(100, 108)]

    def test_tasks_that_take_turns_keep_to_themselves(self) -> None:
        async def work(number: int) -> None:
            for _ in range(3):
                loop(number)
                await asyncio.sleep(0)

        async def others() -> None:
            while True:
                foreign(1)
                await asyncio.sleep(0)

        runs = [profile(str(number), instruments=["native"], save=False) for number in range(50)]

        async def main() -> None:
            busy = [asyncio.create_task(others()) for _ in range(5)]
            await asyncio.gather(*(run(work)(number) for number, run in enumerate(runs)))
            for task in busy:
                task.cancel()

        asyncio.run(main())
        found = [counts(measured(run)) for run in runs]
        assert [each.get("leaf", 0) for each in found] == [3 * number for number in range(50)]
        assert not any("foreign" in each for each in found)

    def test_a_block_that_awaits_is_without_what_runs_meanwhile(self) -> None:
        async def others() -> None:
            while True:
                foreign(1)
                await asyncio.sleep(0)

        async def main() -> Run:
            busy = asyncio.create_task(others())
            with recording("native") as run:
                loop(5)
                await asyncio.sleep(0.01)
                loop(6)
            busy.cancel()
            return run

        found = measured(asyncio.run(main()))
        assert counts(found)["leaf"] == 11
        assert "foreign" not in counts(found)
        assert path_of(found, "loop") == ["loop"]
        assert found["tree"]["wait_ms"][0] >= 9

    def test_a_worker_thread_hangs_below_what_handed_the_work_over(self) -> None:
        async def view() -> None:
            await sync_to_async(loop)(7)

        run = profile("view", instruments=["native"], save=False)
        asyncio.run(run(view)())
        assert counts(measured(run))["leaf"] == 7
        assert "SyncToAsync.__call__" in path_of(measured(run), "loop")

    def test_a_task_hangs_below_what_made_it(self) -> None:
        async def child() -> None:
            await asyncio.sleep(0)
            loop(3)

        async def makes() -> None:
            await asyncio.gather(child(), child())

        async def waits() -> None:
            await asyncio.sleep(0)
            await makes()

        run = profile("tasks", instruments=["native"], save=False)
        asyncio.run(run(waits)())
        path = [name.rpartition(".")[2] for name in path_of(measured(run), "loop")]
        assert path.index("waits") < path.index("makes") < path.index("child")
        assert counts(measured(run))["leaf"] == 6

    def test_async_code_below_sync_code_is_in_its_place(self) -> None:
        async def inner() -> None:
            await asyncio.sleep(0)
            loop(4)

        with recording("native") as run:
            async_to_sync(inner)()
        assert "AsyncToSync.__call__" in path_of(run["calls"], "loop")

    def test_to_thread_belongs_to_the_work(self) -> None:
        async def view() -> None:
            await asyncio.to_thread(loop, 7)

        run = profile("view", instruments=["native"], save=False)
        asyncio.run(run(view)())
        assert "to_thread" in path_of(measured(run), "loop")

    def test_a_task_that_outlives_the_work_records_no_more(self) -> None:
        async def later() -> None:
            await asyncio.sleep(0.01)
            foreign(1)

        tasks = []

        async def work() -> None:
            tasks.append(asyncio.create_task(later()))
            await asyncio.sleep(0)

        run = profile("work", instruments=["native"], save=False)

        async def main() -> None:
            await run(work)()
            await tasks[0]

        asyncio.run(main())
        assert "foreign" not in counts(measured(run))

    def test_the_consumer_of_a_generator_is_not_in_it(self) -> None:
        def numbers() -> Iterator[int]:
            for number in range(3):
                yield leaf(number)

        run = profile("numbers", instruments=["native"], save=False)
        for number in run(numbers)():
            foreign(number)
        found = counts(measured(run))
        assert found["leaf"] == 3
        assert "foreign" not in found

    def test_an_inner_capture_is_in_the_outer_one_too(self) -> None:
        with recording("native") as outer:
            loop(2)
            with recording("native") as inner:
                loop(3)
            loop(4)
        assert counts(inner["calls"])["leaf"] == 3
        assert counts(outer["calls"])["leaf"] == 9

    def test_a_context_that_was_copied_belongs_to_the_work(self) -> None:
        with recording("native") as run:
            context = contextvars.copy_context()
            thread = threading.Thread(target=context.run, args=(loop, 9))
            thread.start()
            thread.join()
        assert counts(run["calls"])["leaf"] == 9


class TestTools:
    def test_no_frame_of_ours_is_the_users(self) -> None:
        names = ["native", "queries", "cache", "templates"]
        with profile("x", instruments=names, save=False) as run:
            loop(1)
        assert {f["kind"] for f in measured(run)["functions"]} == {"project", "hotpath"}
        assert set(counts(measured(run))) == {"loop", "leaf", "profiling tools"}

    def test_a_decorator_of_ours_is_not_between_caller_and_callee(self) -> None:
        inner = profile("inner", instruments=["queries"], save=False)(loop)

        def caller() -> None:
            inner(3)

        with recording("native") as run:
            caller()
        path = [name.rpartition(".")[2] for name in path_of(run["calls"], "loop")]
        assert path == ["caller", "loop"]


class TestLimits:
    def test_a_deep_recursion_is_whole(self) -> None:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(15_000)
        try:
            with recording("native") as run:
                down(10_000)
        finally:
            sys.setrecursionlimit(limit)
        assert row(run["calls"], "down")["calls"] == 10_001

    def test_a_tree_that_is_too_large_is_truncated_in_words(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(NativeCalls, "max_nodes", 10)
        with recording("native") as run:
            down(99)
        assert run["calls"]["lost"] >= 90
        warning = next(w for w in run.capture.environment.warnings if "truncated" in w)
        assert "10 nodes" in warning
        tree = run["calls"]["tree"]
        assert len(tree["parent"]) <= 11
        assert sum(tree["own_ms"]) == pytest.approx(run["calls"]["total_ms"], abs=0.05)

    def test_an_exception_leaves_nothing_on(self) -> None:
        def fails() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), profile("x", instruments=["native"], save=False):
            fails()
        assert not events_are_on()

    def test_events_stay_on_for_the_capture_that_still_runs(self) -> None:
        first = profile("first", instruments=["native"], save=False)
        with recording("native") as run:
            with first:
                pass
            assert events_are_on()
            loop(5)
        assert counts(run["calls"])["leaf"] == 5
        assert not events_are_on()

    def test_a_tracer_can_be_stopped_from_another_thread(self) -> None:
        tracer = native_events.new_tracer(1_000, builtins=False)
        native_events.acquire(builtins=False)
        try:
            tracer.start()
            loop(3)
            thread = threading.Thread(target=tracer.stop)
            thread.start()
            thread.join()
            loop(4)
        finally:
            native_events.release(builtins=False)
        result = tracer.result()
        codes = [result["codes"][frame] for frame in result["frame"][1:]]
        calls = dict(zip(codes, result["calls"][1:], strict=True))
        assert calls[leaf.__code__] == 3

    def test_a_tracer_stopped_in_the_middle_of_calls_keeps_their_time(self) -> None:
        tracer = native_events.new_tracer(1_000, builtins=False)

        def stops() -> None:
            time.sleep(0.02)
            tracer.stop()

        native_events.acquire(builtins=False)
        try:
            tracer.start()
            stops()
        finally:
            native_events.release(builtins=False)
        assert sum(tracer.result()["own_ns"]) >= 20_000_000

    def test_captures_leave_no_tracer_behind(self) -> None:
        # In a process of its own: a traceback that another test keeps holds the context of its
        # capture, and with it the tracer.
        script = """
            import os

            os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
            import django

            django.setup()
            import gc

            from django_hotpath.instruments.engines import native_events
            from tests.instruments.test_calls_native import fibonacci
            from tests.recording import recording

            for _ in range(20):
                with recording("native"):
                    fibonacci(5)
            gc.collect()
            assert native_events._calltree.living() == 0
        """
        path = os.pathsep.join([os.getcwd(), os.path.join(os.getcwd(), "demo_project")])
        inherited = os.environ.get("PYTHONPATH")
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [path, inherited]))},
            check=True,
        )

    def test_code_objects_are_let_go(self) -> None:
        made = compile("def made(): pass", "<made>", "exec").co_consts[0]
        function = type(leaf)(made, {})
        before = sys.getrefcount(made)
        with recording("native") as run:
            function()
        assert "made" in counts(run["calls"])
        del run
        assert sys.getrefcount(made) == before

    def test_a_child_process_has_no_events(self) -> None:
        with recording("native"):
            child = os.fork()
            if child == 0:
                try:
                    os._exit(1 if events_are_on() else 0)
                finally:
                    os._exit(2)
            _pid, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0

    def test_a_subinterpreter_is_refused_in_words(self) -> None:
        program = """
            try:
                import _xxsubinterpreters as interpreters
            except ImportError:
                import _interpreters as interpreters
            made = interpreters.create()
            code = '''
            try:
                import django_hotpath._calltree
            except ImportError as error:
                open(1, "w", closefd=False).write(f"refused: {error}")
            '''
            interpreters.run_string(made, __import__("textwrap").dedent(code))
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
        )
        assert "refused: " in done.stdout, done.stderr


class TestOthers:
    @pytest.mark.skipif(sys.version_info < (3, 12), reason="one slot for all before 3.12")
    def test_cprofile_may_run_beside_it(self) -> None:
        import cProfile

        theirs = cProfile.Profile()
        with theirs, recording("native") as run:
            loop(5)
        assert counts(run["calls"])["leaf"] == 5

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="tools came with 3.12")
    def test_without_a_free_tool_it_is_refused_in_words(self) -> None:
        taken = [tool for tool in (3, 4) if sys.monitoring.get_tool(tool) is None]
        for tool in taken:
            sys.monitoring.use_tool_id(tool, "theirs")
        try:
            run = profile("refused", instruments=["native"], save=False)
            with run:
                pass
        finally:
            for tool in taken:
                sys.monitoring.free_tool_id(tool)
        assert run.capture is None
        assert "monitoring tools are taken" in (run.refused or "")

    @pytest.mark.skipif(sys.version_info >= (3, 12), reason="no slot to share since 3.12")
    def test_a_profile_function_in_the_slot_is_a_reason(self) -> None:
        run = profile("refused", instruments=["native"], save=False)
        sys.setprofile(lambda *args: None)
        try:
            with run:
                pass
        finally:
            sys.setprofile(None)
        assert "another profiler is active" in (run.refused or "")

    @pytest.mark.skipif(sys.version_info >= (3, 12), reason="no slot to share since 3.12")
    def test_a_profiler_that_takes_over_is_told(self) -> None:
        with recording("native") as run:
            sys.setprofile(lambda *args: None)
            loop(1)
        sys.setprofile(None)
        assert any("took over" in warning for warning in run.capture.environment.warnings)


def events_are_on() -> bool:
    if sys.version_info >= (3, 12):
        return any(sys.monitoring.get_tool(tool) == "django-hotpath" for tool in (3, 4))
    return sys.getprofile() is not None or native_events._calltree.is_hooked()
