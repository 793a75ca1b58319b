"""What goes on in an event loop while captures run in it: a ticker, and a thread that looks on.

Nothing of this exists while no capture runs. The ticker is a timer of the loop that says how late
it ran; it never keeps a loop alive. The thread looks at the loop's stack when something has held
the loop for longer than half of the limit.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import os
import threading
from collections.abc import Sequence
from typing import Protocol

from asgiref.sync import SyncToAsync

from django_hotpath.instruments.base import clock
from django_hotpath.instruments.loopstack import (
    Look,
    Running,
    busy_ns,
    look_at,
    running_in,
    stack_of,
)

logger = logging.getLogger("hotpath")

INTERVAL_NS = 10_000_000

_NEVER = 2**62


class Watcher(Protocol):
    """A capture in a loop. ``ticked`` is called in the loop, the other two in the thread."""

    poll_ns: int

    def ticked(self, due_ns: int, ran_ns: int) -> None:
        """A timer for ``due_ns`` ran at ``ran_ns``."""

    def wants_look(self, now_ns: int, due_ns: int) -> object | None:
        """What to look at: the step that runs, or the watch where it is overdue; None: nothing."""

    def looked(self, at: object, now_ns: int, look: Look, running: Running | None) -> None: ...


class LoopWatch:
    """The ticker of one loop, shared by all captures in it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        # Set by begin: a sync middleware is called in another thread than the loop's.
        self.thread_id: int | None = None
        self.native_id = 0
        self._polled: tuple[int, int | None] = (clock(), None)
        self.watchers: tuple[Watcher, ...] = ()
        self.due_ns = _NEVER
        self._timer: asyncio.TimerHandle | None = None
        # Not that of a request: nothing of it may live on in the loop.
        self._context = contextvars.Context()

    def start(self) -> None:
        """Raises ``RuntimeError`` when the loop is closed."""
        if _runs_here(self.loop):
            self._begin()
        else:
            self.loop.call_soon_threadsafe(self._begin_if_wanted, context=self._context)

    def _begin_if_wanted(self) -> None:
        if self.watchers and self.thread_id is None:
            self._begin()

    def _begin(self) -> None:
        self.thread_id, self.native_id = threading.get_ident(), threading.get_native_id()
        self._polled = clock(), busy_ns(self.native_id)
        self._schedule()

    def _schedule(self) -> None:
        """Raises ``RuntimeError`` when the loop is closed."""
        self.due_ns = clock() + INTERVAL_NS
        self._timer = self.loop.call_later(
            INTERVAL_NS / 1_000_000_000, self._tick, context=self._context
        )

    def cancel(self) -> None:
        """From another thread, or once the loop is closed, the timer is left to end by itself."""
        timer, self._timer = self._timer, None
        if timer is not None and not self.loop.is_closed() and _runs_here(self.loop):
            timer.cancel()

    def _tick(self) -> None:
        ran, due = clock(), self.due_ns
        for watcher in self.watchers:
            try:
                watcher.ticked(due, ran)
            except Exception:
                logger.exception("eventloop failed; the work goes on without it")
                leave(self, watcher)
        self._timer = None
        if self.watchers:
            self._schedule()

    def look(self, late_ns: int = 0) -> None:
        """Called in the watching thread at each poll, that much later than it wanted to."""
        looks: list[Look] = []
        wanted: list[tuple[Watcher, object]] = []
        for watcher in self.watchers:
            at = watcher.wants_look(clock(), self.due_ns)
            if at is not None:
                wanted.append((watcher, at))
        # Whose step it is first: the other looks are dear, and by then it may be over.
        wanted.sort(key=lambda one: one[1] is self)
        for watcher, at in wanted:
            now = clock()
            found, running = self._look(mine=at is not self)
            if found is not None:
                found.late_ns = late_ns
                watcher.looked(at, now, found, running)
                looks.append(found)
        # Last of all: reading a file lets the loop go on.
        self._note_usage(looks)

    def _look(self, *, mine: bool) -> tuple[Look | None, Running | None]:
        """The stack; and what runs, unless it is a step of the watcher's own."""
        thread = self.thread_id
        stack = stack_of(thread) if thread is not None else []
        if thread is None or not stack:
            return None, None
        if mine:
            return look_at(thread, stack), None
        before = running_in(self.loop, thread, stack)
        stack = stack_of(thread)
        running = running_in(self.loop, thread, stack)
        if running is None or before is None or running.key != before.key or not stack:
            return None, None
        return look_at(thread, stack), running

    def _note_usage(self, looks: Sequence[Look]) -> None:
        """How long the thread was busy since the last poll, for what was seen since then."""
        now, busy = clock(), busy_ns(self.native_id)
        (before, busy_before), self._polled = self._polled, (now, busy)
        for look in looks:
            if busy is not None and busy_before is not None:
                look.span_ns, look.busy_ns = now - before, busy - busy_before


def serving_loop() -> tuple[bool, asyncio.AbstractEventLoop | None]:
    """The loop that serves this request, and whether this is its thread.

    A middleware that is sync only has those outside of it run in a worker thread of the loop.
    """
    try:
        return True, asyncio.get_running_loop()
    except RuntimeError:
        loop = getattr(SyncToAsync.threadlocal, "main_event_loop", None)
    return False, loop if loop is not None and loop.is_running() else None


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


# Reentrant: the garbage collector may close an abandoned capture at any line.
_lock = threading.RLock()
_watches: dict[int, LoopWatch] = {}
_thread: threading.Thread | None = None
_ended = threading.Event()


def join(loop: asyncio.AbstractEventLoop, watcher: Watcher) -> LoopWatch:
    """Tells the watcher about this loop from now on.

    Raises ``RuntimeError`` when the loop is closed or no thread can be started.
    """
    with _lock:
        known = _watches.get(id(loop))
        watch = known or LoopWatch(loop)
        # First of all: a loop in another thread looks whether anybody wants it to begin.
        watch.watchers += (watcher,)
        try:
            if known is None:
                watch.start()
                _watches[id(loop)] = watch
            _start_thread(watcher.poll_ns)
        except BaseException:
            _without(watch, watcher)
            raise
    return watch


def leave(watch: LoopWatch, watcher: Watcher) -> None:
    """Safe to call twice, in any thread, and once the loop is closed."""
    with _lock:
        _without(watch, watcher)


def _without(watch: LoopWatch, watcher: Watcher) -> None:
    watch.watchers = tuple(other for other in watch.watchers if other is not watcher)
    if watch.watchers:
        return
    watch.cancel()
    if _watches.get(id(watch.loop)) is watch:
        del _watches[id(watch.loop)]
    if not _watches:
        _ended.set()


def _start_thread(poll_ns: int) -> None:
    global _thread, _ended
    if _thread is not None and _thread.is_alive() and not _ended.is_set():
        return
    _ended = threading.Event()
    _thread = threading.Thread(
        target=_watch, args=(_ended, poll_ns), name="hotpath-loop", daemon=True
    )
    _thread.start()


def _watch(ended: threading.Event, poll_ns: int) -> None:
    due = clock() + poll_ns
    while not ended.wait(poll_ns / 1_000_000_000):
        late = max(clock() - due, 0)
        for watch in tuple(_watches.values()):
            try:
                if watch.loop.is_closed():
                    for watcher in watch.watchers:
                        leave(watch, watcher)
                else:
                    watch.look(late)
            except Exception:
                logger.exception("the loop could not be looked at")
        due = clock() + poll_ns


def _forget() -> None:
    """After a fork the thread is gone, and the lock may have been held."""
    global _lock, _thread, _ended
    _lock = threading.RLock()
    _thread = None
    _ended = threading.Event()
    _watches.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
