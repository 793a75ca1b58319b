"""Tracers that see one thread: on in the thread that does the work, off when it is suspended."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from collections.abc import Callable, Coroutine, Generator
from threading import get_ident
from typing import Any, Protocol

from asgiref.sync import iscoroutinefunction

View = Callable[..., Any]


class Tracer(Protocol):
    def enable(self) -> None:
        """In this thread."""

    def disable(self) -> None: ...


class ThreadSlot:
    """Where a tracer is on; each thread has it once."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._threads: set[int] = set()

    def on(self) -> bool:
        """Whether it was off before in this thread."""
        thread = get_ident()
        if thread in self._threads:
            return False
        self._threads.add(thread)
        self._tracer.enable()
        return True

    def off(self) -> None:
        thread = get_ident()
        if thread in self._threads:
            self._threads.discard(thread)
            self._tracer.disable()

    def around(self, view: View) -> View:
        """The view to call instead, where it runs in another thread: sync under ASGI, or the other
        way round."""
        if iscoroutinefunction(view) == in_event_loop():
            return view
        return self._around_coroutine(view) if iscoroutinefunction(view) else self._around(view)

    def _around_coroutine(self, view: View) -> View:
        @functools.wraps(view)
        async def traced(*args: Any, **kwargs: Any) -> Any:
            self.on()
            try:
                # The view of a class runs its dispatch here.
                work = view(*args, **kwargs)
            finally:
                self.off()
            return await _Steps(self, work)

        return traced

    def _around(self, view: View) -> View:
        @functools.wraps(view)
        def traced(*args: Any, **kwargs: Any) -> Any:
            switched = self.on()
            try:
                return view(*args, **kwargs)
            finally:
                if switched:
                    self.off()

        return traced


class _Steps:
    """Drives a coroutine with the tracer on while it runs itself."""

    def __init__(self, slot: ThreadSlot, work: Coroutine[Any, Any, Any]) -> None:
        self._slot = slot
        self._work = work

    def __await__(self) -> Generator[Any, Any, Any]:
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            self._slot.on()
            try:
                if thrown is None:
                    waiting_for = self._work.send(sent)
                else:
                    # Nothing of ours may hold the error: its traceback holds this frame.
                    error, thrown = thrown, None
                    try:
                        waiting_for = self._work.throw(error)
                    finally:
                        del error
            except StopIteration as stop:
                return stop.value
            finally:
                self._slot.off()
            try:
                sent = yield waiting_for
            except GeneratorExit:
                self._work.close()
                raise
            except BaseException as caught:
                sent, thrown = None, caught


def holder() -> str | None:
    """Who traces this thread, or those that are started: a debugger, coverage."""
    found = sys.gettrace() or threading.gettrace()
    return None if found is None else type(found).__name__


def in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
