"""The interpreter's events for the native tracer: on while at least one capture needs them.

From Python 3.12 ``sys.monitoring`` under a tool id of its own, on 3.11 a profile function in every
thread. Either way the tracer itself sorts out whose events they are.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from asyncio import base_events, tasks, threads
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from asgiref import sync
from asgiref.sync import AsyncToSync, SyncToAsync

_calltree: ModuleType | None
_why_not = ""
if getattr(sys, "_is_gil_enabled", None) is not None and sys._is_gil_enabled() is False:
    # Importing it would switch the lock on for the whole process.
    _calltree, _why_not = None, "does not work in a Python without the global interpreter lock"
else:
    try:
        _calltree = importlib.import_module("django_hotpath._calltree")
    except ImportError as error:
        _calltree = None
        # Without the cache, which would give the wheel of the first time: that without a tracer.
        _why_not = (
            "is not built: it needs a C compiler (on Debian and Ubuntu the package gcc) and "
            "Python's headers (python3-dev), then python -m pip install --force-reinstall "
            "--no-deps --no-cache-dir --no-binary django-hotpath django-hotpath"
            if importlib.util.find_spec("django_hotpath._calltree") is None
            else f"cannot be used here: {error}"
        )

_CLOCK = "/sys/devices/system/clocksource/clocksource0/current_clocksource"

MONITORING = sys.version_info >= (3, 12)

_TOOL_NAME = "django-hotpath"
# 0 to 2 and 5 are spoken for (debugger, coverage, profiler, optimizer).
_TOOL_IDS = (4, 3)

_lock = threading.Lock()
_users = 0
_with_builtins = 0
_tool_id: int | None = None
_previous_hook: Any = None


def unavailable() -> str | None:
    """Why the tracer cannot be used in this installation; None when it can."""
    return _why_not or None


def busy() -> str | None:
    """Why there are no events to be had at this moment; None when there are."""
    if MONITORING:
        if _tool_id is not None or _free_tool_id() is not None:
            return None
        return "all of Python's monitoring tools are taken by others"
    holder = sys.getprofile()
    if holder is None:
        return None
    return f"another profiler is active in this thread ({type(holder).__name__})"


# Single calls that are kept for the time order, and how long one is at the least (a little under
# 20 microseconds: what is rounded off must not be missing). When there are more, it is longer.
MAX_SPANS = 50_000
LEAST_NS = 18_900


def new_tracer(
    max_nodes: int, builtins: bool, *, max_spans: int = MAX_SPANS, least_ns: int = LEAST_NS
) -> Any:
    assert _calltree is not None, _why_not
    return _calltree.Tracer(
        max_nodes=max_nodes, builtins=builtins, max_spans=max_spans, least_ns=least_ns
    )


def acquire(*, builtins: bool) -> None:
    """Switches the events on. Raises ``RuntimeError`` when there are none to be had."""
    global _users, _with_builtins
    with _lock:
        try:
            _switch_on(builtins=builtins or _with_builtins > 0)
        except BaseException:
            if _users == 0:
                _switch_off()
            raise
        _users += 1
        _with_builtins += builtins


def release(*, builtins: bool) -> bool:
    """Switches them off after the last one; true when somebody had taken them from us."""
    global _users, _with_builtins
    with _lock:
        if _users == 0:
            # This process was forked while a capture ran: it has no events any more.
            return False
        stolen = _stolen()
        _users -= 1
        _with_builtins -= builtins
        if _users == 0:
            _switch_off()
        elif builtins and _with_builtins == 0:
            _switch_on(builtins=False)
        return stolen


if MONITORING:
    _monitoring = sys.monitoring
    _events = _monitoring.events
    _PYTHON_EVENTS = (
        _events.PY_START
        | _events.PY_RESUME
        | _events.PY_THROW
        | _events.PY_YIELD
        | _events.PY_RETURN
        | _events.PY_UNWIND
    )

    def _free_tool_id() -> int | None:
        return next((found for found in _TOOL_IDS if _monitoring.get_tool(found) is None), None)

    def _callbacks(tracer: ModuleType) -> dict[int, Callable[..., object]]:
        return {
            _events.PY_START: tracer.on_start,
            _events.PY_RESUME: tracer.on_resume,
            _events.PY_THROW: tracer.on_resume,
            _events.PY_YIELD: tracer.on_yield,
            _events.PY_RETURN: tracer.on_return,
            _events.PY_UNWIND: tracer.on_return,
            _events.CALL: tracer.on_call,
            _events.C_RETURN: tracer.on_c_return,
            _events.C_RAISE: tracer.on_c_return,
        }

    def _switch_on(*, builtins: bool) -> None:
        global _tool_id
        if _tool_id is None:
            free = _free_tool_id()
            if free is None or _calltree is None:
                raise RuntimeError("no monitoring tool is free")
            _monitoring.use_tool_id(free, _TOOL_NAME)
            _tool_id = free
            for event, callback in _callbacks(_calltree).items():
                _monitoring.register_callback(free, event, callback)
        # C_RETURN and C_RAISE come with CALL.
        _monitoring.set_events(_tool_id, _PYTHON_EVENTS | (_events.CALL if builtins else 0))

    def _switch_off() -> None:
        global _tool_id
        if _tool_id is None or _calltree is None or _stolen():
            _tool_id = None
            return
        _monitoring.set_events(_tool_id, 0)
        for event in _callbacks(_calltree):
            _monitoring.register_callback(_tool_id, event, None)
        _monitoring.free_tool_id(_tool_id)
        _tool_id = None

    def _stolen() -> bool:
        return _tool_id is None or _monitoring.get_tool(_tool_id) != _TOOL_NAME

else:

    def _free_tool_id() -> int | None:
        return None

    def _switch_on(*, builtins: bool) -> None:
        global _previous_hook
        if _calltree is None:
            raise RuntimeError(_why_not)
        if _users == 0:
            _previous_hook = threading.getprofile()
            threading.setprofile(_calltree.hook_this_thread)
        # Threads that came into being otherwise are found now.
        _calltree.hook_threads()

    def _switch_off() -> None:
        global _previous_hook
        if _calltree is None:
            return
        if threading.getprofile() is _calltree.hook_this_thread:
            threading.setprofile(_previous_hook)
        _previous_hook = None
        _calltree.unhook_threads()

    def _stolen() -> bool:
        return _calltree is not None and not _calltree.is_hooked()


def _after_fork() -> None:
    """The child has the events too, and nobody who would ever switch them off."""
    global _lock, _users, _with_builtins
    _lock = threading.Lock()
    if _users:
        _users = _with_builtins = 0
        _switch_off()


def _handovers() -> list[CodeType]:
    """Where a task or thread begins: what runs in it hangs below in the tree."""
    functions: list[Any] = [
        SyncToAsync.__call__,
        AsyncToSync.__call__,
        threads.to_thread,
        tasks.create_task,
        tasks.ensure_future,
        getattr(tasks, "_ensure_future", None),
        base_events.BaseEventLoop.create_task,
        base_events.BaseEventLoop.call_soon,
        base_events.BaseEventLoop.call_soon_threadsafe,
        base_events.BaseEventLoop.call_at,
    ]
    return [function.__code__ for function in functions if function is not None]


def _counter_is_trusted() -> bool:
    """Whether Linux itself takes its time from the processor's counter."""
    try:
        return Path(_CLOCK).read_text("ascii").strip() == "tsc"
    except (OSError, ValueError):
        return False


if _calltree is not None:
    if _counter_is_trusted():
        _calltree.use_counter()
    for _code in _handovers():
        _calltree.handover(_code)
    _restore = getattr(sync, "_restore_context", None)
    if isinstance(_restore, FunctionType):
        _calltree.sets_variables(_restore.__code__)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_after_fork)
