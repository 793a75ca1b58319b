"""Where on the stack of its thread the measured work begins."""

from __future__ import annotations

import inspect
from contextlib import _GeneratorContextManager
from types import CodeType, FrameType
from typing import NamedTuple

from django_hotpath import callsite

_OF_TASKS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_ITERABLE_COROUTINE
# What our own context managers, made of generators, pass through.
_PASSING = frozenset({_GeneratorContextManager.__enter__.__code__})
_SUSPENDABLE = _OF_TASKS | inspect.CO_GENERATOR


def frames_at_start(frame: FrameType | None) -> tuple[list[FrameType], bool]:
    """The frames that the work may begin in, innermost first, and whether others may be there too.

    The innermost of them that is on the stack later is where the work began: a context manager
    that starts a capture has returned by then. In a coroutine those outside its task are left
    out: they run other tasks as well, and then (true) a stack without any of these is foreign.
    """
    frame = _first_to_stay(frame)
    found: list[FrameType] = []
    in_task = False
    while frame is not None:
        flags = frame.f_code.co_flags
        if in_task and not flags & _SUSPENDABLE:
            break
        in_task = in_task or bool(flags & _OF_TASKS)
        found.append(frame)
        if callsite.is_boundary(frame.f_code):
            return found, False
        frame = frame.f_back
    return found, in_task


def _first_to_stay(frame: FrameType | None) -> FrameType | None:
    """Past our own frames that return before the work begins.

    The outermost one stays, where it calls the work: a middleware, a decorated function.
    """
    outermost = frame
    while frame is not None and (is_tool(frame.f_code) or frame.f_code in _PASSING):
        outermost = frame
        if callsite.is_boundary(frame.f_code):
            return frame
        frame = frame.f_back
    if outermost is None or outermost is frame or outermost.f_code.co_name == "__enter__":
        return frame
    return outermost


def frame_of_step(frame: FrameType | None) -> FrameType | None:
    """The frame that drives a coroutine or generator step by step, seen from ``resume``."""
    outermost = None
    while frame is not None and is_tool(frame.f_code):
        outermost = frame
        if callsite.is_boundary(frame.f_code):
            break
        frame = frame.f_back
    return outermost or frame


class Base(NamedTuple):
    """A frame that the work may begin in, without keeping it: its locals live as without us.

    The memory of a frame that has returned may be another frame's next, even beside the same
    neighbour: so the code counts too. Frames of tasks and generators change their neighbour at
    each step, and stay as long as they are not done: ``outside`` is None.
    """

    code: CodeType
    outside: int | None


def base_of(frame: FrameType) -> Base:
    stays = bool(frame.f_code.co_flags & _SUSPENDABLE)
    return Base(frame.f_code, None if stays else id(frame.f_back))


def is_tool(code: CodeType | str) -> bool:
    return not isinstance(code, str) and callsite.locate(code.co_filename).kind == "hotpath"
