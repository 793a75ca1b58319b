"""The async half of a stack: who awaits the work that runs in this worker thread.

Django's async ORM runs its statements by ``sync_to_async``: the thread's stack ends there, and the
view is a suspended coroutine of the event loop.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Coroutine, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any

from asgiref.sync import SyncToAsync

HANDOVER = SyncToAsync.thread_handler.__code__
_AWAITS_THREAD = SyncToAsync.__call__.__code__
_SUSPENDABLE = (
    inspect.CO_COROUTINE
    | inspect.CO_GENERATOR
    | inspect.CO_ITERABLE_COROUTINE
    | inspect.CO_ASYNC_GENERATOR
)
_LOOKS = 3

# The coroutine that a capture drives: nearly always the one that waits.
root: ContextVar[Coroutine[Any, Any, Any] | None] = ContextVar("hotpath_root", default=None)


def waiting_frames(handover: FrameType) -> list[FrameType]:
    """The frames of the coroutine that waits for this thread, innermost first.

    ``handover`` is the frame of ``SyncToAsync.thread_handler``. Empty where it cannot be told
    which coroutine it is: a wrong line would be worse than none.
    """
    seen = handover.f_locals
    token, loop = seen.get("task_context"), seen.get("loop")
    if token is None or loop is None:
        return []
    in_generators: list[list[FrameType]] = []
    # It goes on meanwhile: between handing the work over and waiting for it, it is neither.
    for _ in range(_LOOKS):
        in_generators.clear()
        frames = _suspended(loop, token, in_generators) or _running(loop, token)
        if frames:
            return frames
    return in_generators[0][::-1] if len(in_generators) == 1 else []


def _suspended(
    loop: asyncio.AbstractEventLoop, token: object, in_generators: list[list[FrameType]]
) -> list[FrameType]:
    # The recorder drives its coroutine by hand, so the chain of its task ends there.
    for awaitable in _candidates(loop):
        frames, end = _chain(awaitable)
        if _waits_for(frames, token):
            return frames[::-1]
        if type(end).__name__ in {"async_generator_asend", "anext_awaitable"}:
            # "async for": the generator behind it cannot be reached from outside.
            in_generators.append(frames)
    return []


def _running(loop: asyncio.AbstractEventLoop, token: object) -> list[FrameType]:
    """The same when the thread was quicker than the coroutine, which still runs its loop."""
    running = sys._current_frames()
    # Not every loop tells its thread: uvloop's does not.
    thread = getattr(loop, "_thread_id", None)
    innermost = [running[thread]] if thread in running else list(running.values())
    for frame in innermost:
        frames = _handing_over(frame, token)
        if frames:
            return frames
    return []


def _handing_over(innermost: FrameType | None, token: object) -> list[FrameType]:
    frame = innermost
    while frame is not None and not _hands_over(frame, token):
        frame = frame.f_back
    frames = []
    while frame is not None and frame.f_code.co_flags & _SUSPENDABLE:
        frames.append(frame)
        frame = frame.f_back
    return frames


def _hands_over(frame: FrameType, token: object) -> bool:
    return frame.f_code is _AWAITS_THREAD and frame.f_locals.get("task_context") is token


def _candidates(loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    driven = root.get()
    if driven is not None:
        yield driven
    for task in asyncio.all_tasks(loop):
        yield task.get_coro()


def _chain(awaitable: Any) -> tuple[list[FrameType], Any]:
    """Frames from the outside in, and what the innermost one waits for."""
    frames = []
    for frame, following in _follow(awaitable):
        frames.append(frame)
        awaitable = following
    return frames, awaitable


def _follow(awaitable: Any) -> Iterator[tuple[FrameType, Any]]:
    while awaitable is not None:
        for prefix in ("cr", "gi", "ag"):
            frame = getattr(awaitable, f"{prefix}_frame", None)
            if frame is not None:
                attribute = "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await"
                awaitable = getattr(awaitable, attribute, None)
                yield frame, awaitable
                break
        else:
            return


def _waits_for(frames: list[FrameType], token: object) -> bool:
    return bool(frames) and _hands_over(frames[-1], token)
