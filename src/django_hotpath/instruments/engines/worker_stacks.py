"""Which capture a worker thread works for at this moment, told from its stack alone.

The context variable of another thread cannot be read. But asgiref and asyncio run handed-over
work inside a copy of the context it came from, and the frame that does so holds that copy. It is
looked up anew each time: the same pool thread serves somebody else next.
"""

from __future__ import annotations

import functools
from concurrent.futures import thread as executor_thread
from contextvars import Context
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from asgiref.sync import AsyncToSync, SyncToAsync

from django_hotpath.asyncstack import HANDOVER
from django_hotpath.instruments.base import Active, current
from django_hotpath.instruments.engines.stack_look import Stack, local_of

# In the thread that waits for async work, and around that work in the thread of the event loop.
_WAITS = AsyncToSync.__call__.__code__
_RUNS_ASYNC = AsyncToSync.main_wrap.__code__

# The frames that hold the context of what was handed over, and where they hold it. Codes that a
# pool runs in vary with the version: one that is missing is no handover.
_HOLDERS: dict[int, str] = {}
_KEPT: list[CodeType] = []

for _function, _local in (
    (SyncToAsync.thread_handler, "func"),
    (AsyncToSync.main_wrap, "context"),
    (getattr(getattr(executor_thread, "_WorkItem", None), "run", None), "self"),
):
    _code = getattr(_function, "__code__", None)
    if _code is not None:
        _KEPT.append(_code)
        _HOLDERS[id(_code)] = _local


class HandedOver(NamedTuple):
    """Work that a thread does for a capture, and its stack since the handover, innermost first.

    ``waits``: it only waits for async work to end. ``from_sync``: it is such async work.
    """

    active: Active
    stack: list[CodeType]
    waits: bool
    from_sync: bool


def handed_over(thread: int, stack: Stack) -> HandedOver | None:
    """What a thread with this stack works for; None when for no capture."""
    holders = _HOLDERS
    for depth, code in enumerate(stack.codes):
        local = holders.get(id(code))
        if local is None:
            continue
        context = _context(local_of(thread, depth, code, local))
        if context is not None:
            active = context.get(current)
            if active is None:
                return None
            inner = stack.codes[:depth]
            return HandedOver(active, inner, waits_for_async(inner), code is _RUNS_ASYNC)
    return None


def waits_for_async(stack: list[CodeType]) -> bool:
    """Whether the thread of this stack, innermost first, only waits for async work to end."""
    for code in stack:
        if code is _WAITS:
            return True
        if code is HANDOVER:
            return False
    return False


def _context(holder: Any) -> Context | None:
    """The context that is found in what a handover frame holds."""
    if isinstance(holder, list):
        holder = holder[0] if holder else None
    holder = getattr(holder, "fn", holder)
    while isinstance(holder, functools.partial):
        holder = holder.func
    if isinstance(holder, Context):
        return holder
    owner = getattr(holder, "__self__", None)
    if isinstance(owner, Context):
        return owner
    if isinstance(holder, FunctionType):
        for cell in holder.__closure__ or ():
            try:
                found = cell.cell_contents
            except ValueError:
                continue
            if isinstance(found, Context):
                return found
    return None
