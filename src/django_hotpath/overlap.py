"""Which other requests this process served while a capture ran.

Costs nothing while nothing is captured: Django's own signals are listened to only meanwhile, and
requests that were under way before are read off the stacks of the threads and tasks.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from types import CodeType, FrameType
from typing import Any

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished, request_started

from django_hotpath.capture import Overlap
from django_hotpath.instruments.base import clock, current

# It writes the history while nothing is captured, and only sleeps meanwhile.
HISTORY_THREAD = "hotpath-history"

_SYNC_HANDLERS = frozenset({BaseHandler.get_response.__code__})
_ASYNC_HANDLERS = frozenset(
    {
        BaseHandler.get_response_async.__code__,
        ASGIHandler.__call__.__code__,
        ASGIHandler.handle.__code__,
    }
)

# Less is waking up and going back to sleep.
_RUNS_NS = 1_000_000


class OverlapCounter:
    """Counts requests other than those that the owner's own work makes (a test client's)."""

    def __init__(self, owner: object = None) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._in_flight = 0
        self._total = 0
        self._busy_since: int | None = None
        self._busy_ns = 0

    def start(self) -> None:
        under_way = _threads_in_requests() + _tasks_in_requests()
        with self._lock:
            self._in_flight = self._total = under_way
            if under_way:
                self._busy_since = clock()
        request_started.connect(self._on_start, dispatch_uid=id(self))
        request_finished.connect(self._on_finish, dispatch_uid=id(self))

    def stop(self) -> None:
        request_started.disconnect(dispatch_uid=id(self))
        request_finished.disconnect(dispatch_uid=id(self))
        with self._lock:
            self._settle()

    def result(self, wall_ns: int) -> Overlap:
        share = min(self._busy_ns / wall_ns, 1.0) if wall_ns > 0 else 0.0
        return Overlap(requests=self._total, share=round(share, 4))

    def _is_own(self) -> bool:
        active = current.get()
        while active is not None:
            if active.owner is self._owner:
                return True
            active = active.parent
        return False

    def _on_start(self, **kwargs: Any) -> None:
        if self._is_own():
            return
        with self._lock:
            self._in_flight += 1
            self._total += 1
            if self._busy_since is None:
                self._busy_since = clock()

    def _on_finish(self, **kwargs: Any) -> None:
        if self._is_own():
            return
        with self._lock:
            if self._in_flight == 0:
                return
            self._in_flight -= 1
            if self._in_flight == 0:
                self._settle()

    def _settle(self) -> None:
        if self._busy_since is not None:
            self._busy_ns += clock() - self._busy_since
            self._busy_since = None


def thread_states() -> dict[int, tuple[str, int | tuple[int, int]]]:
    """Name and state of every other thread that serves no request, for ``threads_that_ran``.

    The state is the thread's CPU time in nanoseconds where Linux tells it, else where it stands.
    """
    own = threading.get_ident()
    frames = sys._current_frames()
    return {
        thread.ident: (thread.name, _state(thread, frames[thread.ident]))
        for thread in threading.enumerate()
        if thread.ident is not None
        and thread.ident != own
        and thread.name != HISTORY_THREAD
        and thread.ident in frames
        and not _is_in(frames[thread.ident], _SYNC_HANDLERS)
    }


def threads_that_ran(before: dict[int, tuple[str, int | tuple[int, int]]]) -> list[str]:
    """Names of the threads that have run since ``thread_states`` gave ``before``."""
    return sorted(
        name
        for ident, (name, state) in thread_states().items()
        if _has_run(before[ident][1] if ident in before else 0, state)
    )


def _state(thread: threading.Thread, frame: FrameType) -> int | tuple[int, int]:
    try:
        with open(f"/proc/self/task/{thread.native_id}/schedstat", "rb") as statistics:
            return int(statistics.read().split()[0])
    except (OSError, ValueError, IndexError):
        return id(frame), frame.f_lasti


def _has_run(before: int | tuple[int, int], after: int | tuple[int, int]) -> bool:
    if isinstance(before, int) and isinstance(after, int):
        return after - before > _RUNS_NS
    return before != after


def _threads_in_requests() -> int:
    own = threading.get_ident()
    return sum(
        ident != own and _is_in(frame, _SYNC_HANDLERS)
        for ident, frame in sys._current_frames().items()
    )


def _is_in(frame: FrameType | None, codes: frozenset[CodeType]) -> bool:
    while frame is not None:
        if frame.f_code in codes:
            return True
        frame = frame.f_back
    return False


def _tasks_in_requests() -> int:
    try:
        own = asyncio.current_task()
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return 0
    return sum(task is not own and _awaits_handler(task) for task in tasks)


def _awaits_handler(task: asyncio.Task[Any]) -> bool:
    awaited: Any = task.get_coro()
    while awaited is not None:
        if getattr(awaited, "cr_code", None) in _ASYNC_HANDLERS:
            return True
        awaited = getattr(awaited, "cr_await", None)
    return False
