"""Line events of ``sys.monitoring``, shared by all captures of the process (Python 3.12+).

One tool id, local events on the code that some capture asked for, counted; the last capture gives
all of it back. Any thread that runs such code comes by here: who is meant is told by the
ContextVar, so that an unprofiled request pays for the events but is in no capture.
"""

from __future__ import annotations

import logging
import sys
import threading
from threading import get_ident
from types import CodeType
from typing import Any, Protocol

from django_hotpath.instruments.base import Active, clock, current
from django_hotpath.instruments.engines.line_state import State, Track

logger = logging.getLogger("hotpath")

TOOL = "django-hotpath lines"
# Not those of debuggers (0), coverage (1) and profilers (2): an application may start one.
_TOOL_IDS = (4, 3, 5)


class Watcher(Protocol):
    """Follows the lines of one capture.

    ``moment`` is the clock of the thread in nanoseconds, without the time that events took in it;
    ``frame`` identifies a coroutine's frame from an ``on_suspend`` to the ``on_resume`` after it.
    Every method ignores code that the watcher does not know.
    """

    def on_begin(self, moment: int, track: Track, code: CodeType) -> None: ...
    def on_line(self, moment: int, track: Track, code: CodeType, line: int) -> None: ...
    def on_leave(self, moment: int, track: Track, code: CodeType) -> None: ...
    def on_suspend(self, moment: int, track: Track, code: CodeType, frame: int) -> None: ...
    def resume(
        self, moment: int, track: Track, code: CodeType, offset: int, frame: int
    ) -> None: ...
    def on_broken(self, error: Exception) -> None: ...

    def fast(self, track: Track, code: CodeType) -> State | None:
        """The state in which ``_on_line`` may count by itself; None: it may not."""


_tracks: dict[int, Track] = {}
# What an event takes before and after our clock.
_unseen_ns = 0
_users: dict[int, tuple[CodeType, int]] = {}
_lock = threading.RLock()
_tool: int | None = None


def unavailable() -> str | None:
    if sys.version_info < (3, 12):
        return "needs Python 3.12 or later (sys.monitoring)"
    return None


def taken() -> str | None:
    """Why no tool id can be had; None when one can."""
    with _lock:
        return None if _tool is not None else no_free_tool_id()


def free_tool_id() -> int | None:
    return next((n for n in _TOOL_IDS if sys.monitoring.get_tool(n) is None), None)


def no_free_tool_id() -> str | None:
    """Why another tool cannot have an id of its own; None when it can."""
    if free_tool_id() is not None:
        return None
    names = ", ".join(str(sys.monitoring.get_tool(number)) for number in _TOOL_IDS)
    return f"the monitoring slots of this process are taken ({names})"


def _track() -> Track:
    thread = get_ident()
    track = _tracks.get(thread)
    if track is None:
        track = _tracks[thread] = Track(thread)
    return track


def watch(code: CodeType, lines_alone: bool = False) -> None:
    """Events on this code from now on. Raises ``RuntimeError`` when no tool id can be had."""
    with _lock:
        tool = _acquire_tool()
        _code, users = _users.get(id(code), (code, 0))
        if users == 0:
            events = sys.monitoring.events.LINE if lines_alone else _local_events()
            sys.monitoring.set_local_events(tool, code, events)
        _users[id(code)] = (code, users + 1)


def unwatch(code: CodeType) -> None:
    """Takes back a ``watch``."""
    with _lock:
        _code, users = _users.pop(id(code), (code, 0))
        if users > 1:
            _users[id(code)] = (code, users - 1)
        elif _tool is not None:
            sys.monitoring.set_local_events(_tool, code, 0)
        if not _users:
            _release_tool()


def unseen(nanoseconds: int) -> None:
    """What an event takes outside of our own clock, as ``line_calibration`` measured it."""
    global _unseen_ns
    _unseen_ns = nanoseconds


def _acquire_tool() -> int:
    global _tool
    if _tool is None:
        free = free_tool_id()
        if free is None:
            raise RuntimeError(taken())
        sys.monitoring.use_tool_id(free, TOOL)
        _tool = free
        for event, callback in _callbacks().items():
            sys.monitoring.register_callback(free, event, callback)
        # These two cannot be had for single code objects before Python 3.15. They cost where an
        # exception leaves a frame, nothing elsewhere.
        events = sys.monitoring.events
        sys.monitoring.set_events(free, events.PY_UNWIND | events.PY_THROW)
    return _tool


def _release_tool() -> None:
    global _tool
    if _tool is None:
        return
    tool, _tool = _tool, None
    sys.monitoring.set_events(tool, 0)
    for event in _callbacks():
        sys.monitoring.register_callback(tool, event, None)
    sys.monitoring.free_tool_id(tool)
    _tracks.clear()


def _local_events() -> int:
    events = sys.monitoring.events
    return events.PY_START | events.PY_RESUME | events.PY_RETURN | events.PY_YIELD | events.LINE


def _callbacks() -> dict[int, Any]:
    events = sys.monitoring.events
    return {
        events.PY_START: _on_start,
        events.PY_RESUME: _on_resume,
        events.PY_THROW: _on_throw,
        events.LINE: _on_line,
        events.PY_RETURN: _on_return,
        events.PY_YIELD: _on_yield,
        events.PY_UNWIND: _on_unwind,
    }


# What these raise would be raised in the application.


def _on_line(code: CodeType, line: int) -> None:
    active = current.get()
    if active is None:
        return
    # Nearly every line follows one of the same code in the same thread, and only its time is asked
    # for: then this does what MonitoringLines.on_line does, in a third of the time.
    state = active.last
    if state is not None and state.code is code and state.thread == get_ident():
        now = clock()
        track = state.track
        moment = now - track.lost
        cell = state.cell
        if cell is not None:
            cell[1] += moment - state.since
        try:
            cell = state.cells[line]
        except KeyError:
            cell = state.cells[line] = [0, 0, 0]
        cell[0] += 1
        state.cell = cell
        state.since = moment
        spent = clock() - now + _unseen_ns
        track.lost += spent
        active.lost_ns += spent
    elif active.watchers:
        active.last = _tell(active, "on_line", code, line)


def _on_start(code: CodeType, _offset: int) -> None:
    active = current.get()
    if active is not None and active.watchers:
        caller = active.last
        active.last = state = _tell(active, "on_begin", code)
        if state is not None and state is not caller:
            state.caller = caller


def _on_return(code: CodeType, _offset: int, _value: object) -> None:
    active = current.get()
    if active is not None and active.watchers:
        state = _tell(active, "on_leave", code)
        active.last = None if state is None else state.caller


def _on_unwind(code: CodeType, offset: int, error: BaseException) -> None:
    if id(code) in _users:
        _on_return(code, offset, error)


def _on_yield(code: CodeType, _offset: int, value: object) -> None:
    active = current.get()
    if active is not None and active.watchers:
        # A generator hands something over and is not waiting.
        frame = id(sys._getframe(1)) if _waits(code, value) else 0
        state = _tell(active, "on_suspend", code, frame)
        active.last = None if state is None else state.caller


def _on_resume(code: CodeType, offset: int) -> None:
    active = current.get()
    if active is not None and active.watchers:
        frame = id(sys._getframe(1)) if code.co_flags & _AWAITING else 0
        caller = active.last
        active.last = state = _tell(active, "on_resume", code, offset, frame)
        if state is not None and state is not caller:
            state.caller = caller


def _on_throw(code: CodeType, offset: int, _error: BaseException) -> None:
    active = current.get()
    if id(code) in _users and active is not None and active.watchers:
        frame = id(sys._getframe(1)) if code.co_flags & _AWAITING else 0
        _tell(active, "on_resume", code, offset, frame)


def _tell(active: Active, event: str, code: CodeType, *values: int) -> State | None:
    """Tells the watchers; gives the state in which ``_on_line`` may count by itself."""
    now = clock()
    quick: State | None = None
    try:
        track = _track()
        for watcher in active.watchers:
            try:
                getattr(watcher, event)(now - track.lost, track, code, *values)
            except Exception as error:
                watcher.on_broken(error)
        if len(active.watchers) == 1:
            quick = active.watchers[0].fast(track, code)
        spent = clock() - now + _unseen_ns
        track.lost += spent
        active.lost_ns += spent
    except RecursionError:
        # The application is about to run into the limit itself.
        return None
    return quick


_COROUTINE, _ITERABLE_COROUTINE, _ASYNC_GENERATOR = 0x80, 0x100, 0x200
_AWAITING = _COROUTINE | _ITERABLE_COROUTINE | _ASYNC_GENERATOR


def _waits(code: CodeType, value: object) -> bool:
    if code.co_flags & (_COROUTINE | _ITERABLE_COROUTINE):
        return True
    # What an async generator yields by itself is wrapped, what it awaits is not.
    wrapped = type(value).__name__ == "async_generator_wrapped_value"
    return bool(code.co_flags & _ASYNC_GENERATOR) and not wrapped
