"""Random programs of tasks and threads whose tree is known from how they are made.

A plan is a nested list of (kind, copy, inside). Functions of a plan run in the task or thread that
they run in by chance, but always for the function that is above them in the plan.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from asgiref.sync import async_to_sync, sync_to_async

Plan = list[tuple[str, int, "Plan"]]
Path = tuple[CodeType, ...]

COPIES = 3

# How a coroutine, or a function in a worker thread, can go on.
_IN_COROUTINE = ["awaited", "gathered", "left_running", "in_thread", "by_asgiref", "plain", "rests"]
_IN_THREAD = ["plain", "plain", "back_to_async"]


def make(rng: random.Random, size: int, kinds: list[str] = _IN_COROUTINE, depth: int = 0) -> Plan:
    plan: Plan = []
    while size > 0:
        kind = rng.choice(kinds)
        inside: Plan = []
        if depth < 4 and kind != "rests":
            below = _IN_COROUTINE if kind in _COROUTINES else _IN_THREAD
            if kind == "plain" and kinds is _IN_COROUTINE:
                below = ["plain"]
            elif kind == "plain":
                below = kinds
            inside = make(rng, rng.randrange(0, size // 2 + 1), below, depth + 1)
        plan.append((kind, rng.randrange(COPIES), inside))
        size -= 1 + len(inside)
    return plan


def expected(plan: Plan, path: Path) -> Counter[Path]:
    """Calls by path of what runs this plan below ``path``."""
    calls: Counter[Path] = Counter()
    for kind, copy, inside in plan:
        if kind != "rests":
            function = (_async if kind in _COROUTINES else _sync)[copy]
            here = (*path, function.__code__)
            calls[here] += 1
            calls += expected(inside, here)
    return calls


async def run_async(plan: Plan) -> None:
    running: list[Any] = []
    for kind, copy, inside in plan:
        if kind == "rests":
            await asyncio.sleep(0)
        elif kind == "awaited":
            await _async[copy](inside)
        elif kind == "gathered":
            await asyncio.gather(_async[copy](inside), asyncio.sleep(0))
        elif kind == "left_running":
            running.append(asyncio.create_task(_async[copy](inside)))
        elif kind == "in_thread":
            await asyncio.to_thread(_sync[copy], inside)
        elif kind == "by_asgiref":
            await sync_to_async(_sync[copy], thread_sensitive=False)(inside)
        else:
            _sync[copy](inside)
    for task in running:
        await task


def run_sync(plan: Plan) -> None:
    for kind, copy, inside in plan:
        if kind == "back_to_async":
            async_to_sync(_async[copy])(inside)
        else:
            _sync[copy](inside)


def _copies(function: Callable[..., Any]) -> list[Any]:
    made = []
    for number in range(COPIES):
        code = function.__code__.replace(co_name=f"{function.__name__}_{number}")
        made.append(FunctionType(code, globals(), code.co_name))
    return made


_async = _copies(run_async)
_sync = _copies(run_sync)
_COROUTINES = ("awaited", "gathered", "left_running", "back_to_async")
OURS = {function.__code__ for function in (*_async, *_sync, run_async, run_sync)}
