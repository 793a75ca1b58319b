"""The C tracer where the order of calls is disturbed."""

from __future__ import annotations

import contextvars
import gc
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments.tracing import (
    callers_of,
    calls_of,
    events,
    in_a_context,
    in_a_thread,
    leaf,
    living,
    needs_the_tracer,
    new,
    traced,
)
from tests.recording import recording
from tests.require import require


@pytest.fixture(autouse=True)
def _extension() -> Iterator[None]:
    needs_the_tracer()
    yield
    assert not native_events._users


class TestInterruptions:
    def test_a_recursion_that_is_too_deep_is_whole(self) -> None:
        entered = 0

        def deep() -> None:
            nonlocal entered
            entered += 1
            deep()

        def work() -> None:
            for _ in range(3):
                with pytest.raises(RecursionError):
                    deep()
                leaf()

        result = traced(work)
        assert calls_of(result)["deep"] == entered
        assert callers_of(result, "leaf") == {"work"}
        assert result["mismatches"] == 0

    @pytest.mark.parametrize("builtins", [False, True])
    def test_after_an_interrupt_calls_are_in_their_place(self, builtins: bool) -> None:
        def interrupt(*args: object) -> None:
            raise KeyboardInterrupt

        def waits() -> None:
            signal.raise_signal(signal.SIGUSR1)
            leaf()

        def work() -> None:
            for _ in range(5):
                with pytest.raises(KeyboardInterrupt):
                    waits()
            leaf()

        previous = signal.signal(signal.SIGUSR1, interrupt)
        try:
            result = traced(work, builtins=builtins)
        finally:
            signal.signal(signal.SIGUSR1, previous)
        assert calls_of(result)["waits"] == 5
        assert callers_of(result, "leaf") <= {"work", "waits"}

    def test_finalizers_that_run_at_any_time_are_whole(self) -> None:
        ended = 0

        class Cycle:
            def __init__(self) -> None:
                self.me = self

            def __del__(self) -> None:
                nonlocal ended
                ended += 1
                leaf()

        def work() -> None:
            for _ in range(2000):
                Cycle()
            gc.collect()

        threshold = gc.get_threshold()
        gc.set_threshold(3)
        try:
            result = traced(work, builtins=True)
        finally:
            gc.set_threshold(*threshold)
        found = calls_of(result)
        assert found["__del__"] == ended == 2000
        assert found["leaf"] == 2000
        assert result["mismatches"] == 0

    def test_a_profiler_or_debugger_beside_it_leaves_it_whole(self) -> None:
        def work() -> None:
            sys.settrace(lambda *args: None)
            leaf()
            sys.settrace(None)
            leaf()

        result = traced(work)
        assert calls_of(result)["leaf"] == 2
        assert result["mismatches"] == 0

    def test_values_of_others_in_the_context_do_no_harm(self) -> None:
        def work() -> None:
            tracer = new()
            tracer.start()
            variables = {variable.name: variable for variable in contextvars.copy_context()}
            for value in (1, "x", object(), b"", b"1234567", os.urandom(4096), None):
                for name in ("hotpath_calltree", "hotpath_handover"):
                    if name in variables:
                        variables[name].set(value)
                    leaf()
                    in_a_thread(contextvars.copy_context().run, leaf)
            tracer.stop()
            tracer.result()

        with events():
            in_a_context(work)

    def test_one_that_others_throw_out_of_the_context_is_gone(self) -> None:
        before = living()

        def work() -> None:
            new().start()
            (variable,) = [v for v in contextvars.copy_context() if v.name == "hotpath_calltree"]
            leaf()
            variable.set(None)
            leaf()
            assert living() == before

        with events():
            in_a_context(work)


class TestGreenlets:
    """They change places without any event. Those of another context are never in the tree."""

    @pytest.fixture(autouse=True)
    def _greenlet(self) -> None:
        require(importlib.util.find_spec("greenlet") is not None, "needs greenlet")
        self.greenlet = importlib.import_module("greenlet")

    def _take_turns(self, *, inherit: bool) -> None:
        def first() -> None:
            self.greenlet.getcurrent().parent.switch()
            leaf()

        def second() -> None:
            self.greenlet.getcurrent().parent.switch()
            leaf()

        turns = [self.greenlet.greenlet(first), self.greenlet.greenlet(second)]
        for each in turns:
            if inherit:
                each.gr_context = contextvars.copy_context()
            each.switch()
        for each in turns:
            each.switch()

    def test_those_with_a_context_of_their_own_do_not_enter(self) -> None:
        result = traced(lambda: self._take_turns(inherit=False))
        assert calls_of(result)["first"] == calls_of(result)["leaf"] == 0
        assert result["mismatches"] == 0

    def test_those_of_the_work_are_counted_and_their_disorder_is_told(self) -> None:
        result = traced(lambda: self._take_turns(inherit=True))
        assert calls_of(result)["first"] == calls_of(result)["second"] == 1
        assert calls_of(result)["leaf"] == 2
        assert result["mismatches"] > 0

    def test_the_disorder_is_a_warning(self) -> None:
        with recording("native") as run:
            self._take_turns(inherit=True)
        assert any("another order" in text for text in run.capture.environment.warnings)
