"""What a suspended task waits for, by the frames below the project's await."""

from __future__ import annotations

import os
from asyncio import queues, tasks, threads
from types import CodeType, FrameType, FunctionType, MethodType
from typing import Any

from asgiref.sync import SyncToAsync

from django_hotpath.callsite import locate

_MAX_WRAPPERS = 100
_TO_THREAD = SyncToAsync.__call__.__code__
_ASYNCIO = os.path.dirname(tasks.__file__) + os.sep
_BY_CODE = {
    tasks.sleep.__code__: "sleep",
    threads.to_thread.__code__: "threads",
    queues.Queue.get.__code__: "queue",
    queues.Queue.put.__code__: "queue",
    queues.Queue.join.__code__: "queue",
}
# By their id: to hash a code object is slow.
_REASONS = {id(code): reason for code, reason in _BY_CODE.items()}
# Whatever these wait for is further in.
_UNSPECIFIC = frozenset({"runners", "taskgroups", "tasks", "timeouts"})


def reason(inner: list[FrameType], end: Any) -> str:
    """What is waited for, by the frames between the project's await and the end, outermost first.

    A client library that waits for a lock of asyncio's is still what the project waits for.
    """
    for frame in inner:
        if (found := handed_over(frame)) is not None:
            return "thread" if getattr(found, "_thread_sensitive", True) else "threads"
    for frame in inner:
        code = frame.f_code
        if id(code) in _REASONS:
            return _REASONS[id(code)]
        if code.co_filename.startswith(_ASYNCIO):
            name = os.path.basename(code.co_filename).removesuffix(".py")
            if name not in _UNSPECIFIC:
                return "lock" if name == "locks" else f"asyncio.{name}"
            continue
        where = locate(code.co_filename)
        if where.kind in {"library", "django"}:
            return where.package
    if type(end).__name__ in {"async_generator_asend", "anext_awaitable"}:
        return "async generator"
    return "future"


def handed_over(frame: FrameType) -> Any:
    """The ``SyncToAsync`` that hands sync code to a thread in this frame."""
    return frame.f_locals.get("self") if frame.f_code is _TO_THREAD else None


def sync_code(handed: Any) -> CodeType | None:
    """The code of the function that is handed over; looks at nothing of other objects."""
    function = getattr(handed, "func", None)
    if isinstance(function, MethodType):
        function = function.__func__
    for _ in range(_MAX_WRAPPERS):
        if not isinstance(function, FunctionType) or "__wrapped__" not in function.__dict__:
            break
        function = function.__dict__["__wrapped__"]
    return function.__code__ if isinstance(function, FunctionType) else None
