"""A view to be profiled while other requests run, and what those others do.

Both call ``leaf``: what of its calls is the profiled request's own is known, the rest is foreign.
"""

from __future__ import annotations

import asyncio
from time import perf_counter, thread_time

from django.http import HttpRequest, HttpResponse

LEAVES = 8_000
STEPS = 20
# Functions that only the others call.
FOREIGN = frozenset({"busy", "busy_async", "others_work", "only_others"})

# Of the last profiled view: seconds by the wall clock, and of its thread's CPU time.
took = {"wall": 0.0, "cpu": 0.0}


def leaf(number: int) -> int:
    # Long enough that what an engine costs a call does not hide the rest.
    return sum(range(number % 10, 500))


def own_work(times: int) -> int:
    total = 0
    for number in range(times):
        total += leaf(number)
    return total


def only_others(number: int) -> int:
    return number


def others_work(times: int) -> int:
    total = 0
    for number in range(times):
        total += leaf(number) + only_others(number)
    return total


class _Timed:
    def __enter__(self) -> None:
        self.began = perf_counter(), thread_time()

    def __exit__(self, *error: object) -> None:
        cpu, wall = thread_time(), perf_counter()
        took["wall"] += wall - self.began[0]
        took["cpu"] += cpu - self.began[1]


def measured(request: HttpRequest) -> HttpResponse:
    took.update(wall=0.0, cpu=0.0)
    with _Timed():
        own_work(LEAVES)
    return HttpResponse("measured")


def busy(request: HttpRequest) -> HttpResponse:
    others_work(LEAVES // 20)
    return HttpResponse("busy")


async def measured_async(request: HttpRequest) -> HttpResponse:
    took.update(wall=0.0, cpu=0.0)
    for _ in range(STEPS):
        with _Timed():
            own_work(LEAVES // STEPS)
        await asyncio.sleep(0)
    return HttpResponse("measured")


async def busy_async(request: HttpRequest) -> HttpResponse:
    for _ in range(STEPS):
        others_work(20)
        await asyncio.sleep(0)
    return HttpResponse("busy")
