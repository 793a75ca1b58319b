"""What the thread of an event loop does just now, seen from another thread.

Whoever holds a frame, a task or a context of another thread may be the last to do so, and would
tear down what is in it, in the wrong thread. So each look is one chain of iterators written in C,
run by one call: nothing else runs before all of them are let go of, and what comes out are code
objects, numbers and our own objects.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from asyncio.events import Handle
from asyncio.runners import Runner
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from itertools import accumulate, chain, islice, repeat, takewhile
from operator import attrgetter, getitem, methodcaller
from types import FrameType
from typing import Any, NamedTuple

from django.template.base import Node

from django_hotpath import callsite
from django_hotpath.instruments.base import Active, current
from django_hotpath.instruments.engines.stack_look import local_of
from django_hotpath.steps import Steps

_HANDLE_RUN = Handle._run.__code__
_STEPS = Steps.steps.__code__
_TEMPLATE = Node.render_annotated.__code__
# Frames outside of these are the loop's own, and of whoever started it.
_OUTERMOST = (_HANDLE_RUN, Runner.run.__code__)

_CLEAR = methodcaller("clear")
_FRAME = attrgetter("f_code", "f_lineno", "f_lasti")
_OUR_CAPTURE = methodcaller("get", current)
_SELF = methodcaller("get", "self")
_CONTEXT_OF_HANDLE = attrgetter("_context")
_CONTEXT_OF_TASK = methodcaller("get_context")
_TASKS_TELL = hasattr(asyncio.Task, "get_context")
# Before Python 3.12 the function of that name is written in Python.
_current_task: Callable[[Any], Any] = (
    asyncio.current_task if sys.version_info >= (3, 12) else asyncio.tasks._current_tasks.get  # type: ignore[attr-defined]
)


@dataclass(slots=True)
class Look:
    """A stack of the loop's thread: the project's frames, and what they were in.

    ``inside`` is the innermost Python frame, ``entered`` the innermost coroutine of the project,
    both as in ``callsite.Frame``. ``late_ns`` is how late the look was: C code that keeps the GIL
    lets nobody look before it has ended. ``busy_ns`` is how long in the last ``span_ns`` the thread
    computed or wanted to; None where the system does not tell.
    """

    walk: callsite.Walk
    inside: callsite.Frame
    entered: callsite.Frame | None
    importing: bool
    late_ns: int = 0
    span_ns: int = 0
    busy_ns: int | None = None


class Running(NamedTuple):
    """What the loop runs now, told by ids alone.

    ``key`` stays the same as long as it runs, ``task`` is None for a plain callback, and
    ``capture`` is what its context belongs to.
    """

    key: int
    task: int | None
    capture: Active | None


def stack_of(thread: int) -> list[callsite.Frame]:
    """Innermost first; empty when the thread is gone."""
    everyone: list[dict[int, FrameType]] = []
    frames: list[FrameType] = []
    tops = map(dict.get, map(getitem, repeat(everyone), repeat(0)), (thread,))
    starts = map(chain, map(repeat, tops, repeat(1)), repeat(repeat("f_back")))
    outward: Iterator[Any] = map(takewhile, repeat(bool), map(accumulate, starts, repeat(getattr)))
    out: list[Any] = []
    out.extend(
        chain(
            map(everyone.append, _once()),
            map(frames.append, chain.from_iterable(outward)),
            map(_FRAME, frames),
            map(_CLEAR, (frames, everyone)),
        )
    )
    return out[1 + (len(out) - 3) // 2 : -2]


def running_in(
    loop: asyncio.AbstractEventLoop, thread: int, stack: Sequence[callsite.Frame]
) -> Running | None:
    """None where it cannot be told, or has changed since the stack was taken."""
    task = _task_of(loop)
    depth = next((n for n, frame in enumerate(stack) if frame[0] is _HANDLE_RUN), None)
    if depth is None:
        # Another loop than asyncio's own: tasks tell their context, from Python 3.12 on.
        return None if task is None or len(task) == 1 else Running(task[0], task[0], task[1])
    handle = _handle_at(thread, depth)
    if handle is None:
        return None
    return Running(handle[0], None if task is None else task[0], handle[1])


def _task_of(loop: asyncio.AbstractEventLoop) -> tuple[Any, ...] | None:
    """The id of the current task, then what its context belongs to, if that can be told."""
    held: list[Any] = []
    out: list[Any] = []
    try:
        out.extend(
            chain(
                map(held.append, filter(None, map(_current_task, (loop,)))),
                map(id, held),
                map(_OUR_CAPTURE, map(_CONTEXT_OF_TASK, held if _TASKS_TELL else ())),
                map(_CLEAR, (held,)),
            )
        )
    except AttributeError:
        # Not a task of asyncio's own.
        held.clear()
        return None
    return tuple(out[1:-1]) if len(out) > 1 else None


def _handle_at(thread: int, depth: int) -> tuple[int, Active | None] | None:
    """The id of the handle that runs, and what its context belongs to."""
    everyone: list[dict[int, FrameType]] = []
    held: list[Any] = []
    of_code, of_locals = _getters(depth)
    tops = map(getitem, map(getitem, repeat(everyone), repeat(0)), repeat(thread))
    out: list[Any] = []
    try:
        out.extend(
            chain(
                map(everyone.append, _once()),
                map(of_code, islice(tops, 1)),
                map(held.append, map(_SELF, map(of_locals, islice(tops, 1)))),
                map(id, held),
                map(_OUR_CAPTURE, map(_CONTEXT_OF_HANDLE, held)),
                map(_CLEAR, (held, everyone)),
            )
        )
    except (AttributeError, KeyError, TypeError):
        # The thread is gone, or its stack is another by now.
        return None
    finally:
        held.clear()
        everyone.clear()
    return (out[3], out[4]) if out[1] is _HANDLE_RUN else None


@functools.lru_cache(maxsize=256)
def _getters(depth: int) -> tuple[attrgetter[Any], attrgetter[Any]]:
    outward = "f_back." * depth
    return attrgetter(f"{outward}f_code"), attrgetter(f"{outward}f_locals")


def _once() -> Iterator[dict[int, FrameType]]:
    return islice(iter(sys._current_frames, None), 1)


def look_at(thread: int, stack: Sequence[callsite.Frame]) -> Look:
    """What a stack, which is not empty, tells."""
    frames: list[callsite.Frame] = []
    entered: callsite.Frame | None = None
    template: tuple[Any, int] | None = None
    importing = False
    for depth, frame in enumerate(stack):
        code = frame[0]
        if code is _STEPS or code in _OUTERMOST:
            break
        if code.co_filename.startswith("<frozen importlib"):
            importing = True
        elif code is _TEMPLATE:
            template = template or _template_line(local_of(thread, depth, code, "self"))
        elif callsite.locate(code.co_filename).kind == "project":
            frames.append(frame)
            if entered is None and code.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR):
                entered = frame
    walk = callsite.Walk(tuple(frames), template, None, in_template=template is not None)
    return Look(walk, stack[0], entered, importing)


def _template_line(node: Any) -> tuple[Any, int] | None:
    token, origin = getattr(node, "token", None), getattr(node, "origin", None)
    return None if token is None or origin is None else (origin, token.lineno or 0)


def busy_ns(native_id: int) -> int | None:
    """How long a thread has computed, or waited for a processor to be free, on Linux."""
    try:
        with open(f"/proc/self/task/{native_id}/schedstat", "rb") as statistics:
            computed, queued, *_rest = statistics.read().split()
            return int(computed) + int(queued) or None
    except (OSError, ValueError):
        return None
