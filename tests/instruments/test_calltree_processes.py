"""The C tracer in threads and processes that begin and end."""

from __future__ import annotations

import contextvars
import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments.tracing import (
    calls_of,
    events,
    in_a_thread,
    leaf,
    needs_the_tracer,
    traced,
)


@pytest.fixture(autouse=True)
def _extension() -> Iterator[None]:
    needs_the_tracer()
    yield
    assert not native_events._users


class TestProcesses:
    def test_a_child_forked_in_a_thread_can_measure_itself(self) -> None:
        codes: list[int] = []

        def forks() -> None:
            child = os.fork()
            if child == 0:
                code = 2
                try:
                    code = 0 if calls_of(traced(leaf))["leaf"] == 1 else 1
                finally:
                    os._exit(code)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

        # The interpreter's own word of warning, from 3.12.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            traced(lambda: in_a_thread(contextvars.copy_context().run, forks))
        assert codes == [0]

    def test_a_worker_process_of_multiprocessing_runs_without_it(self) -> None:
        spawned = multiprocessing.get_context("spawn").Process(target=leaf)

        def work() -> None:
            spawned.start()
            spawned.join()

        assert calls_of(traced(work))["leaf"] == 0
        assert spawned.exitcode == 0

    @pytest.mark.parametrize(
        "end",
        ["pass", "raise SystemExit(0)", "[sys.modules.pop(m) for m in list(sys.modules)]"],
        ids=["falls off", "exits", "forgets all modules"],
    )
    def test_an_interpreter_that_ends_while_it_runs_ends_well(self, end: str) -> None:
        program = f"""
            import atexit, contextvars, sys, threading
            from django_hotpath.instruments.engines import native_events

            def leaf():
                return 1

            def spin(leaf=leaf):
                while True:
                    leaf()

            class Late:
                def __del__(self, leaf=leaf):
                    leaf()

            def generator():
                try:
                    while True:
                        yield leaf()
                finally:
                    leaf()

            late, held = Late(), generator()
            tracer = native_events.new_tracer(1000, True)
            native_events.acquire(builtins=True)
            tracer.start()
            next(held)
            atexit.register(leaf)
            for _ in range(2):
                threading.Thread(
                    target=contextvars.copy_context().run, args=(spin,), daemon=True
                ).start()
            {end}
        """
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", textwrap.dedent(program)],
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_events_that_an_audit_hook_forbids_are_not_left_half_on(self) -> None:
        program = """
            import sys
            from django_hotpath.instruments.engines import native_events

            forbidden = ["sys.setprofile", "sys.monitoring.register_callback"]

            def audit(event, args):
                if event in forbidden:
                    raise PermissionError(event)

            sys.addaudithook(audit)
            try:
                native_events.acquire(builtins=False)
            except PermissionError:
                forbidden.clear()
            assert not forbidden
            assert native_events.busy() is None
            assert native_events._users == 0
            native_events.acquire(builtins=False)
            native_events.release(builtins=False)
            if sys.version_info >= (3, 12):
                assert sys.monitoring.get_tool(4) is None
            else:
                assert not native_events._calltree.is_hooked()
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="threads are hooked on 3.11 only")
class TestHookedThreads:
    def test_a_thread_that_begins_after_the_last_capture_is_not_hooked(self) -> None:
        calltree: Any = native_events._calltree
        hooked: list[bool] = []

        def late() -> None:
            # As a thread does that had read threading.setprofile's function before it was reset.
            sys.setprofile(calltree.hook_this_thread)
            leaf()
            hooked.append(calltree.is_hooked())

        with events():
            pass
        in_a_thread(late)
        assert hooked == [False]

    def test_threads_that_begin_during_a_capture_are_let_go_with_it(self) -> None:
        calltree: Any = native_events._calltree
        ready, ended = threading.Event(), threading.Event()
        hooked: list[bool] = []

        def works() -> None:
            hooked.append(calltree.is_hooked())
            ready.set()
            ended.wait()
            hooked.append(calltree.is_hooked())

        with events():
            thread = threading.Thread(target=works)
            thread.start()
            ready.wait()
        ended.set()
        thread.join()
        assert hooked == [True, False]
        assert threading.getprofile() is None

    def test_a_profile_function_of_somebody_else_stays(self) -> None:
        theirs: list[str] = []

        def works() -> None:
            sys.setprofile(lambda frame, event, argument: theirs.append(event))
            ready.set()
            ended.wait()
            leaf()

        ready, ended = threading.Event(), threading.Event()
        thread = threading.Thread(target=works)
        thread.start()
        ready.wait()
        with events():
            before = len(theirs)
            ended.set()
            thread.join()
        assert len(theirs) > before
