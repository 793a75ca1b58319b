"""``eventloop``: lag, what blocked the loop, and what was awaited."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import pytest
from asgiref.sync import sync_to_async

import django_hotpath as hotpath
from django_hotpath import callsite
from django_hotpath.capture import Capture
from django_hotpath.instruments import eventloop, loopstack, loopwatch
from django_hotpath.instruments.base import Active, Session, current
from django_hotpath.instruments.eventloop import EventLoop
from django_hotpath.instruments.loopstack import Look
from django_hotpath.instruments.registry import Spec
from django_hotpath.recorder import Recorder
from django_hotpath.steps import Steps
from tests.recording import recording
from tests.require import require

MS = 1_000_000


class Block:
    """Blocks its thread until the watching thread has looked at it, however busy the machine is."""

    def __init__(self) -> None:
        self.enough = threading.Event()
        self.missing = 0
        # Whether only looks at the step of a capture's own task count.
        self.own_only = False

    def __call__(self, looks: int = 10) -> None:
        self.missing = looks
        self.enough.clear()
        assert self.enough.wait(timeout=60)

    def was_looked_at(self) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.enough.set()


@pytest.fixture(autouse=True)
def block(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Block:
    """Blocks in the loop; with a limit of 1 ms whatever was looked at so often is over it."""
    settings.HOTPATH = {**settings.HOTPATH, "BLOCKING_MS": 1}
    made = Block()
    looked = EventLoop.looked

    def counted(self: EventLoop, at: object, now: int, look: Look, running: Any) -> None:
        looked(self, at, now, look, running)
        if made.own_only and not isinstance(at, eventloop.Step):
            return
        if any(code is Block.__call__.__code__ for code, _line, _offset in look.walk.frames):
            made.was_looked_at()

    monkeypatch.setattr(EventLoop, "looked", counted)
    return made


async def measured(work: Callable[[], Any], *, save: bool = False) -> dict[str, Any]:
    """What ``eventloop`` gives for a coroutine function."""
    run = hotpath.profile("test", instruments=["eventloop"], save=save)
    await run(work)()
    return result_of(run.capture)


def result_of(capture: Capture | None) -> dict[str, Any]:
    assert capture is not None
    result: dict[str, Any] = capture.instruments["eventloop"]
    return result


def lines(result: dict[str, Any]) -> set[str]:
    """The functions that blocked, also for a part of a step."""
    return {
        line["call_site"]["function"]
        for hold in result["holds"]
        for line in hold["lines"]
        if line["call_site"]
    }


def blocked(result: dict[str, Any]) -> dict[str, Any]:
    """The hold in which ``Block`` was looked at, with that line of it."""
    ((hold, line),) = [
        (hold, line)
        for hold in result["holds"]
        for line in hold["lines"]
        if line["call_site"] and line["call_site"]["function"] == "Block.__call__"
    ]
    return {**hold, **line}


def takes_time() -> None:
    """Long enough that nobody finds it done already."""
    time.sleep(0.02)


def ended(thread: threading.Thread | None) -> bool:
    if thread is not None:
        thread.join(60)
    return thread is None or not thread.is_alive()


class TestWithoutLoop:
    def test_says_that_there_was_none(self) -> None:
        with recording("eventloop") as run:
            pass
        assert run["eventloop"] == {"loop": None}
        assert not [text for text in run.capture.environment.warnings if "loop" in text]

    def test_a_loop_that_the_work_starts_itself_is_not_the_applications(self) -> None:
        with recording("eventloop") as run:
            asyncio.run(asyncio.sleep(0))
        assert run["eventloop"] == {"loop": None}


class TestBlocking:
    async def test_the_line_that_blocked_is_named(self, block: Block) -> None:
        async def view() -> None:
            block()

        result = await measured(view)
        hold = blocked(result)
        assert hold["call_site"]["file"] == "tests/instruments/test_eventloop.py"
        assert hold["call_site"]["function"] == "Block.__call__"
        assert hold["expression"] == "self.enough.wait(timeout=60)"
        assert hold["entered"]["function"].endswith("view")
        assert hold["entered"]["expression"] == "block()"
        assert [frame["function"].rpartition(".")[2] for frame in hold["stack"]] == [
            "view",
            "__call__",
        ]
        assert (hold["task"], hold["exact"]) == ("own", True)

    async def test_the_innermost_function_of_a_library_is_named(self, block: Block) -> None:
        def sync() -> None:
            list(json.JSONDecoder(object_hook=lambda found: block()).decode('[{"a": 1}]'))

        async def view() -> None:
            sync()

        result = await measured(view)
        hold = blocked(result)
        assert (
            hold["inside"]["function"] == "Semaphore.acquire"
            or "wait" in (hold["inside"]["function"])
        )
        assert hold["inside"]["package"] == "threading"

    async def test_waiting_is_told_from_computing(self, block: Block) -> None:
        async def waits() -> None:
            block(looks=20)

        async def computes() -> None:
            total = 0
            while total < 5_000_000:
                total += 1

        hold = blocked(await measured(waits))
        if sys.platform == "linux":
            assert hold["doing"] == "waiting"
        computed = max((await measured(computes))["holds"], key=lambda hold: hold["duration_ms"])
        # How much of the time that is depends on who else wants the processor.
        assert computed["cpu_ms"] > 10

    async def test_gone_after_the_fix(self, settings: Any) -> None:
        settings.HOTPATH = {**settings.HOTPATH, "BLOCKING_MS": 60_000}

        async def view() -> None:
            await asyncio.sleep(0)

        result = await measured(view)
        assert (result["held_count"], result["holds"]) == (0, [])

    async def test_work_in_a_thread_does_not_block(self, block: Block) -> None:
        entered = threading.Event()

        def in_thread() -> None:
            entered.set()
            release.wait(60)

        release = threading.Event()

        async def view() -> None:
            work = asyncio.ensure_future(sync_to_async(in_thread)())
            while not entered.is_set():
                await asyncio.sleep(0.001)
            release.set()
            await work

        result = await measured(view)
        assert not [name for name in lines(result) if "in_thread" in name]

    async def test_a_capture_that_stays_on_meanwhile_holds_nothing(self, block: Block) -> None:
        """As it does for engines that measure the thread in which a sync view runs."""

        async def stranger() -> None:
            block()
            over.set()

        over = asyncio.Event()
        recorder = Recorder((Spec("eventloop"),), "test")
        task = asyncio.create_task(stranger())
        recorder.start()
        await Steps(recorder, over.wait(), keep_on=lambda: True)
        recorder.stop()
        await task
        result = result_of(recorder.capture())
        assert "Block.__call__" not in lines(result)
        assert [wait["for"] for wait in result["waits"]] == ["lock"]

    async def test_others_that_block_are_never_named(self, block: Block) -> None:
        async def stranger() -> None:
            await asyncio.sleep(0)
            block()
            over.set()

        over = asyncio.Event()

        async def view() -> None:
            await over.wait()

        task = asyncio.create_task(stranger())
        result = await measured(view)
        await task
        assert "Block.__call__" not in lines(result)
        assert result["others"]["count"] >= 1
        assert result["others"]["max_ms"] > 0
        assert "stranger" not in json.dumps(result)

    async def test_a_task_that_the_request_started_is_named_as_such(self, block: Block) -> None:
        async def child() -> None:
            # Once the view waits, and not in its own step.
            await asyncio.sleep(0.001)
            block()

        async def view() -> None:
            await asyncio.gather(child())

        result = await measured(view)
        hold = blocked(result)
        assert (hold["task"], hold["exact"]) == ("started", False)
        assert hold["call_site"]["function"] == "Block.__call__"
        assert hold["entered"]["function"].endswith("child")

    async def test_a_callback_of_the_request_is_named_as_such(self, block: Block) -> None:
        def callback() -> None:
            block()
            done.set()

        done = asyncio.Event()

        async def view() -> None:
            asyncio.get_running_loop().call_soon(callback)
            await done.wait()

        result = await measured(view)
        hold = blocked(result)
        assert hold["task"] == "callback"
        assert [frame["function"].rpartition(".")[2] for frame in hold["stack"]] == [
            "callback",
            "__call__",
        ]

    async def test_a_with_block_in_a_coroutine_names_the_line(self, block: Block) -> None:
        with recording("eventloop") as run:
            await asyncio.sleep(0)
            block()
        hold = blocked(run["eventloop"])
        assert (hold["task"], hold["exact"]) == ("own", False)
        assert hold["call_site"]["function"] == "Block.__call__"
        assert (run["eventloop"]["driven"], run["eventloop"]["steps"]) == (False, 0)

    async def test_a_hold_without_an_await_after_it_counts_as_lag(self, block: Block) -> None:
        async def view() -> None:
            block(looks=20)

        result = await measured(view)
        assert result["ticks"] >= 1
        assert result["lag_max_ms"] > 0

    async def test_an_error_after_a_hold_is_the_applications(self, block: Block) -> None:
        async def view() -> None:
            block()
            raise KeyError("theirs")

        run = hotpath.profile("test", instruments=["eventloop"], save=False)
        with pytest.raises(KeyError, match="theirs"):
            await run(view)()
        assert "Block.__call__" in lines(result_of(run.capture))

    async def test_profiling_tools_are_not_the_applications(self, block: Block) -> None:
        from django_hotpath.instruments import holds

        async def view() -> None:
            block()

        result = await measured(view)
        assert result["holds"]
        step = holds.Step(0, ended_ns=5)
        walked = callsite.Walk(((view.__code__, 1, 0),), None, None)
        step.looks = [(1, Look(walked, (EventLoop.stop.__code__, 1, 0), None, False))]
        (line,) = holds.plain(step, Session())["lines"]
        assert (line["call_site"], line["inside"]["kind"]) == (None, "hotpath")


class TestLooks:
    """What was seen counts only for the step during which it was seen."""

    def look(self) -> Look:
        code = self.look.__code__
        walked = callsite.Walk(((code, 1, 0),), None, None)
        return Look(walked, (code, 1, 0), None, False)

    async def test_a_look_after_the_step_is_dropped(self) -> None:
        instrument = EventLoop(Session(work=asyncio.sleep(0)))
        instrument.start()
        step = instrument.wants_look(2**62, 2**62)
        assert isinstance(step, eventloop.Step)
        instrument.pause()
        instrument.looked(step, 2**62, self.look(), None)
        instrument.resume()
        instrument.looked(step, 2**62, self.look(), None)
        assert step.looks == []
        assert instrument.wants_look(2**62, 2**62) is not step
        instrument.stop()
        instrument.session.work.close()

    async def test_a_look_during_the_step_counts(self) -> None:
        instrument = EventLoop(Session(work=asyncio.sleep(0)))
        instrument.start()
        step = instrument.wants_look(2**62, 2**62)
        assert isinstance(step, eventloop.Step)
        instrument.looked(step, 2**62, self.look(), None)
        assert len(step.looks) == 1
        instrument.stop()
        instrument.session.work.close()

    def other(self, **values: Any) -> Look:
        """A look at another line."""
        look = self.look()
        walked = look.walk._replace(frames=((self.look.__code__, 9, 0),))
        return replace(look, walk=walked, **values)

    def lines(self, *looks: tuple[int, Look]) -> list[tuple[int, float, float]]:
        """Lines of a step of 100 ms with these looks: line, about and seen milliseconds."""
        step = eventloop.Step(0, ended_ns=100 * MS)
        step.looks = [(moment * MS, look) for moment, look in looks]
        found = eventloop.holds.plain(step, Session())["lines"]
        return [(row["call_site"]["line"], row["about_ms"], row["seen_ms"]) for row in found]

    def test_a_look_stands_for_the_time_until_the_next(self) -> None:
        found = self.lines((20, self.look()), (40, self.other()), (60, self.other()))
        assert found == [(9, 75.0, 60.0), (1, 25.0, 20.0)]

    def test_a_late_look_stands_for_the_time_before_it(self) -> None:
        """C code that keeps the GIL: the only look comes when it has ended."""
        late = self.other(late_ns=70 * MS)
        assert self.lines((95, late)) == [(9, 100.0, 75.0)]
        assert self.lines((20, self.look()), (95, late)) == [(9, 93.75, 75.0), (1, 6.25, 5.0)]

    def test_a_look_cannot_be_later_than_the_step_is_old(self) -> None:
        assert self.lines((95, self.other(late_ns=900 * MS))) == [(9, 100.0, 100.0)]

    @pytest.mark.parametrize(
        ("busy_ms", "doing"), [(0, "waiting"), (3, "waiting"), (5, "both"), (7, "computing")]
    )
    def test_what_the_thread_did_tells_computing_from_waiting(
        self, busy_ms: int, doing: str
    ) -> None:
        """Wanting a processor that others have is no waiting."""
        step = eventloop.Step(0, ended_ns=100 * MS, cpu_ns=0)
        look = replace(self.look(), span_ns=10 * MS, busy_ns=busy_ms * MS)
        step.looks = [(50 * MS, look), (60 * MS, look)]
        found = eventloop.holds.plain(step, Session())
        assert (found["doing"], found["lines"][0]["doing"]) == (doing, doing)

    def test_each_line_is_told_what_it_did(self) -> None:
        step = eventloop.Step(0, ended_ns=100 * MS)
        step.looks = [
            (20 * MS, replace(self.look(), span_ns=10, busy_ns=0)),
            (60 * MS, self.other(span_ns=10, busy_ns=10)),
        ]
        found = eventloop.holds.plain(step, Session())
        assert found["doing"] == "both"
        assert {row["call_site"]["line"]: row["doing"] for row in found["lines"]} == {
            1: "waiting",
            9: "computing",
        }

    @pytest.mark.parametrize(("cpu_ms", "doing"), [(0, None), (69, None), (70, "computing")])
    def test_little_cpu_time_alone_does_not_tell_waiting(
        self, cpu_ms: int, doing: str | None
    ) -> None:
        step = eventloop.Step(0, ended_ns=100 * MS, cpu_ns=cpu_ms * MS)
        assert eventloop.holds.plain(step, Session())["doing"] == doing


class TestStacks:
    """What is looked at is let go of at once: it is another thread's."""

    class Thing:
        pass

    def test_a_stack_keeps_nothing(self) -> None:
        def inner() -> tuple[Any, list[callsite.Frame]]:
            thing = self.Thing()
            return weakref.ref(thing), loopstack.stack_of(threading.get_ident())

        thing, stack = inner()
        assert thing() is None
        assert stack[1][0] is inner.__code__
        assert [code for code, _line, _offset in stack][2] is sys._getframe().f_code
        assert stack[2][1] == inner.__code__.co_firstlineno + 4

    def test_a_thread_that_is_gone_has_none(self) -> None:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        assert loopstack.stack_of(thread.ident or 0) == []

    def seen(self, added: int = 0) -> loopstack.Running | None:
        """What a thread sees of the running loop, with so many frames too many."""
        loop, here = asyncio.get_running_loop(), threading.get_ident()
        found: list[Any] = []

        def look() -> None:
            stack = loopstack.stack_of(here)
            found.append(loopstack.running_in(loop, here, stack[:1] * added + stack))

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return found[0]  # type: ignore[no-any-return]

    async def test_a_task_is_told_by_its_context_and_not_kept(self) -> None:
        thing = self.Thing()
        found: list[Any] = [weakref.ref(thing)]

        async def child(thing: Any) -> None:
            active = Active(None, None)
            current.set(active)
            running = self.seen()
            assert running is not None
            found.extend([running.capture is active, running.task == id(asyncio.current_task())])

        await asyncio.create_task(child(thing))
        del thing
        gc.collect()
        assert (found[0](), found[1:]) == (None, [True, True])

    async def test_a_callback_is_told_by_its_context(self) -> None:
        done = asyncio.get_running_loop().create_future()
        active = Active(None, None)

        def callback() -> None:
            current.set(active)
            done.set_result(self.seen())

        asyncio.get_running_loop().call_soon(callback)
        running = await done
        assert (running.capture, running.task) == (active, None)

    async def test_a_stack_that_has_changed_tells_nothing(self) -> None:
        assert self.seen() is not None
        assert self.seen(added=1) is None


class TestLag:
    """By a clock that stands still: no figure depends on the machine."""

    @pytest.fixture
    def instrument(self, settings: Any) -> EventLoop:
        settings.HOTPATH = {**settings.HOTPATH, "BLOCKING_MS": 50}
        found = EventLoop(Session())
        found._loop_name = "test"
        return found

    def test_ticks_give_median_and_worst(self, instrument: EventLoop) -> None:
        for number, lag in enumerate((1, 2, 3, 4, 40)):
            instrument.ticked(number, number + lag * MS)
        result = instrument.result()
        assert result["ticks"] == 5
        assert result["lag_max_ms"] == 40.0

    def test_a_long_hold_counts_for_the_ticks_that_it_left_out(self, instrument: EventLoop) -> None:
        for number in range(9):
            instrument.ticked(number, number)
        instrument.ticked(9, 1_000 * MS)
        # 100 ticks were due during the hold, and nine before it.
        assert instrument.result()["lag_p50_ms"] == pytest.approx(455, abs=15)

    def test_an_unknown_hold_is_others(self, instrument: EventLoop) -> None:
        instrument.ticked(0, 60 * MS)
        instrument.ticked(100 * MS, 149 * MS)
        assert instrument.result()["others"] == {"count": 1, "total_ms": 60.0, "max_ms": 60.0}

    def test_what_the_own_task_did_is_not_others(self, instrument: EventLoop) -> None:
        instrument._recent.append((0, 200 * MS, 0))
        instrument.ticked(10 * MS, 201 * MS)
        assert instrument.result()["others"]["count"] == 0

    def test_what_was_before_the_capture_is_not_its_lag(self, instrument: EventLoop) -> None:
        instrument._joined_ns = 90 * MS
        instrument.ticked(0, 100 * MS)
        assert instrument.result()["lag_max_ms"] == 10.0

    def test_a_tick_counts_once(self, instrument: EventLoop) -> None:
        instrument.ticked(5, 60 * MS)
        instrument.ticked(5, 61 * MS)
        assert instrument.result()["ticks"] == 1

    def test_nothing_is_known_without_a_tick(self, instrument: EventLoop) -> None:
        result = instrument.result()
        assert (result["ticks"], result["lag_p50_ms"]) == (0, None)


class TestWaits:
    async def test_waits_are_in_order_with_their_lines(self) -> None:
        async def fetch(number: int) -> int:
            await asyncio.sleep(0.001)
            return number

        async def view() -> None:
            await fetch(1)
            await fetch(2)

        result = await measured(view)
        functions = [wait["call_site"]["function"].rpartition(".")[2] for wait in result["waits"]]
        assert functions == ["fetch", "fetch"]
        assert [wait["for"] for wait in result["waits"]] == ["sleep", "sleep"]
        assert result["wait_count"] == 2
        assert result["waits"][0]["start_ms"] < result["waits"][1]["start_ms"]

    async def test_suspensions_of_one_await_are_one_wait(self) -> None:
        async def many() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        async def view() -> None:
            await sync_to_async(takes_time, thread_sensitive=False)()
            await many()

        result = await measured(view)
        assert [wait["for"] for wait in result["waits"]] == ["threads", *["sleep"] * 5]

    @pytest.mark.parametrize(("sensitive", "reason"), [(True, "thread"), (False, "threads")])
    async def test_the_threads_of_sync_code_are_told_apart(
        self, sensitive: bool, reason: str
    ) -> None:
        async def view() -> None:
            await sync_to_async(takes_time, thread_sensitive=sensitive)()

        (wait,) = (await measured(view))["waits"]
        assert wait["for"] == reason

    async def test_locks_and_queues_are_told(self) -> None:
        async def view() -> None:
            loop = asyncio.get_running_loop()
            event, queue = asyncio.Event(), asyncio.Queue[int]()
            loop.call_soon(event.set)
            loop.call_later(0.001, queue.put_nowait, 1)
            await event.wait()
            await queue.get()

        assert [wait["for"] for wait in (await measured(view))["waits"]] == ["lock", "queue"]

    async def test_a_library_that_waits_for_a_lock_is_named(self) -> None:
        library: dict[str, Any] = {}
        source = "async def get(event):\n    await event.wait()"
        exec(compile(source, "/lib/site-packages/httpx/_client.py", "exec"), library)

        async def view() -> None:
            event = asyncio.Event()
            asyncio.get_running_loop().call_soon(event.set)
            await asyncio.wait_for(library["get"](event), 60)

        waits = (await measured(view))["waits"]
        # Before Python 3.12 wait_for() runs it in a task of its own.
        assert {wait["for"] for wait in waits} <= {"httpx", "future"}
        if sys.version_info >= (3, 12):
            assert waits[0]["for"] == "httpx"

    async def test_a_cancelled_wait_says_so(self) -> None:
        async def view() -> None:
            await asyncio.sleep(3600)

        run = hotpath.profile("test", instruments=["eventloop"], save=False)
        task = asyncio.create_task(run(view)())
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [wait["for"] for wait in result_of(run.capture)["waits"]] == ["sleep"]

    async def test_a_client_that_leaves_ends_it(self) -> None:
        """The coroutine is closed where it waits, and never runs again."""

        async def view() -> None:
            await asyncio.Event().wait()

        run = hotpath.profile("test", instruments=["eventloop"], save=False)
        work = run(view)()
        work.send(None)
        work.close()
        (wait,) = result_of(run.capture)["waits"]
        assert wait["unfinished"]
        assert loopwatch._watches == {}

    async def test_exceptions_pass_through(self) -> None:
        async def fails() -> None:
            await asyncio.sleep(0)
            raise LookupError("theirs")

        async def view() -> str:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fails())
                    await asyncio.sleep(3600)
            except* LookupError:
                pass
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.sleep(3600)
            except TimeoutError:
                return "timed out"
            return "not"

        run = hotpath.profile("test", instruments=["eventloop"], save=False)
        assert await run(view)() == "timed out"  # type: ignore[misc]
        assert run.refused is None
        assert result_of(run.capture)["wait_count"] >= 2

    async def test_async_generators_are_followed_as_far_as_they_can_be(self) -> None:
        async def numbers() -> AsyncIterator[int]:
            await asyncio.sleep(0)
            yield 1

        async def view() -> None:
            async for _ in numbers():
                pass

        (wait,) = (await measured(view))["waits"]
        assert wait["for"] == "async generator"
        assert wait["call_site"]["function"].endswith("view")

    async def test_waits_beyond_the_bound_are_counted(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("django_hotpath.instruments.awaits.MAX_WAITS", 2)

        async def view() -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        result = await measured(view)
        assert (len(result["waits"]), result["truncated"], result["wait_count"]) == (2, 3, 5)

    async def test_nothing_of_the_application_is_kept_alive(self) -> None:
        class Thing:
            pass

        alive: list[Any] = []

        async def view() -> None:
            thing = Thing()
            alive.append(weakref.ref(thing))
            await asyncio.sleep(0)

        run = hotpath.profile("test", instruments=["eventloop"], save=False)
        await run(view)()
        gc.collect()
        assert alive[0]() is None


async def test_every_key_of_a_result_is_in_the_docs(block: Block, settings: Any) -> None:
    def keys(value: Any) -> Iterator[str]:
        for found in value.values() if isinstance(value, dict) else value:
            if isinstance(found, (dict, list)):
                yield from keys(found)
        if isinstance(value, dict):
            yield from value

    async def fetch() -> int:
        await asyncio.sleep(0.01)
        return 1

    async def view() -> int:
        block()
        one = await fetch()
        two = await fetch()
        return one + two

    result = await measured(view)
    assert result["holds"]
    assert result["sequences"]
    docs = (settings.BASE_DIR / "docs" / "reference" / "capture.md").read_text()
    assert [key for key in keys(result) if f"`{key}`" not in docs and f'"{key}"' not in docs] == []


class TestNesting:
    async def test_a_capture_inside_another_one_does_not_hide_the_line(self) -> None:
        inner = hotpath.profile("inner", instruments=["eventloop"], save=False)

        @inner
        async def fetch() -> None:
            await asyncio.sleep(0)

        async def view() -> None:
            await fetch()

        outer = await measured(view)
        for result in (outer, result_of(inner.capture)):
            (wait,) = result["waits"]
            assert wait["call_site"]["function"].endswith("fetch")
        assert outer["sequences"] == []

    async def test_both_name_what_blocks_in_the_inner_one(self, block: Block) -> None:
        inner = hotpath.profile("inner", instruments=["eventloop"], save=False)

        @inner
        async def fetch() -> None:
            block()

        outer = await measured(fetch)
        assert "Block.__call__" in lines(outer)
        assert "Block.__call__" in lines(result_of(inner.capture))

    async def test_a_generator_is_not_a_task(self) -> None:
        run = hotpath.profile("test", instruments=["eventloop"], save=False)

        @run
        def numbers() -> Iterator[int]:
            yield from range(3)

        assert list(numbers()) == [0, 1, 2]
        result = result_of(run.capture)
        assert (result["driven"], result["steps"], result["waits"]) == (False, 0, [])


class TestInterleaved:
    async def test_50_captures_share_a_ticker_and_keep_apart(self, block: Block) -> None:
        together = asyncio.Barrier(50)
        # The 49 others look at what holds the loop too.
        block.own_only = True
        watched: set[int] = set()

        async def one(number: int) -> dict[str, Any]:
            async def view() -> None:
                await together.wait()
                watched.update(id(watch) for watch in loopwatch._watches.values())
                for _ in range(5):
                    await asyncio.sleep(0)
                if number == 7:
                    block()
                await asyncio.sleep(0)

            return await measured(view)

        results = await asyncio.gather(*(one(number) for number in range(50)))
        assert len(watched) == 1
        assert [n for n, found in enumerate(results) if "Block.__call__" in lines(found)] == [7]
        assert {found["wait_count"] for found in results} == {7, 6}
        assert loopwatch._watches == {}

    def test_loops_of_other_threads_have_their_own(self, block: Block) -> None:
        results: dict[str, Any] = {}
        both = threading.Barrier(2)

        def serve(name: str, blocks: bool) -> None:
            async def view() -> None:
                if blocks:
                    block()
                await asyncio.sleep(0)

            async def serve_at_once() -> None:
                both.wait(60)
                results[name] = await measured(view)

            asyncio.run(serve_at_once())

        threads = [
            threading.Thread(target=serve, args=("blocked", True)),
            threading.Thread(target=serve, args=("free", False)),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert "Block.__call__" in lines(results["blocked"])
        assert "Block.__call__" not in lines(results["free"])


class TestCleanUp:
    async def test_ticker_and_thread_end_with_the_last_capture(self) -> None:
        seen: list[Any] = []

        async def view() -> None:
            seen.append(loopwatch._thread)
            (watch,) = loopwatch._watches.values()
            seen.append(watch._timer)

        await measured(view)
        assert loopwatch._watches == {}
        assert seen[1].cancelled()
        assert ended(seen[0])

    def test_a_loop_closed_before_the_end_is_no_trouble(self) -> None:
        loop = asyncio.new_event_loop()
        instrument = EventLoop(Session())

        async def start() -> None:
            instrument.start()

        loop.run_until_complete(start())
        loop.close()
        instrument.stop()
        assert instrument.result()["loop"].endswith("EventLoop")
        assert loopwatch._watches == {}

    def test_a_capture_abandoned_in_a_closed_loop_does_not_keep_the_thread(self) -> None:
        loop = asyncio.new_event_loop()
        instrument = EventLoop(Session())

        async def start() -> None:
            instrument.start()

        loop.run_until_complete(start())
        thread = loopwatch._thread
        loop.close()
        assert ended(thread)
        assert loopwatch._watches == {}
        instrument.stop()

    def test_the_end_may_come_in_another_thread(self) -> None:
        instrument = EventLoop(Session())

        async def start() -> None:
            instrument.start()
            thread = threading.Thread(target=instrument.stop)
            thread.start()
            thread.join()
            # The timer ends by itself.
            await asyncio.sleep(0.02)

        asyncio.run(start())
        assert loopwatch._watches == {}

    def test_it_does_not_keep_a_loop_running(self) -> None:
        instrument = EventLoop(Session())

        async def start() -> None:
            instrument.start()

        asyncio.run(start())
        instrument.stop()

    async def test_a_failing_watcher_is_left_out(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(EventLoop):
            def ticked(self, due_ns: int, ran_ns: int) -> None:
                raise ZeroDivisionError

        instrument = Broken(Session())
        instrument.start()
        while loopwatch._watches:
            await asyncio.sleep(0.005)
        assert "eventloop failed" in caplog.text
        with pytest.raises(ZeroDivisionError):
            instrument.stop()

    def test_after_a_fork_it_starts_anew(self) -> None:
        loopwatch._forget()
        with recording("eventloop") as run:
            pass
        assert run["eventloop"]["loop"] is None
        assert asyncio.run(measured(_nothing))["loop"]


async def _nothing() -> None:
    await asyncio.sleep(0)


class TestUvloop:
    @pytest.fixture
    def uvloop(self) -> Any:
        require(find_spec("uvloop") is not None, "needs uvloop")
        import uvloop

        return uvloop

    def run(self, uvloop: Any, work: Any) -> Any:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)

    def test_the_line_that_blocked_is_named(self, uvloop: Any, block: Block) -> None:
        async def view() -> None:
            block()
            await asyncio.sleep(0.02)

        result = self.run(uvloop, measured(view))
        assert result["loop"] == "uvloop.Loop"
        assert "Block.__call__" in lines(result)
        assert result["ticks"] >= 1

    def test_closed_before_the_end(self, uvloop: Any) -> None:
        instrument = EventLoop(Session())

        async def start() -> None:
            instrument.start()

        self.run(uvloop, start())
        instrument.stop()
        assert loopwatch._watches == {}

    def test_ended_in_another_thread(self, uvloop: Any) -> None:
        instrument = EventLoop(Session())

        async def start() -> None:
            instrument.start()
            thread = threading.Thread(target=instrument.stop)
            thread.start()
            thread.join()
            await asyncio.sleep(0.02)

        self.run(uvloop, start())
        assert loopwatch._watches == {}
