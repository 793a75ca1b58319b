"""Who awaits the work of a worker thread, whichever of the two is quicker."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from django_hotpath import asyncstack
from django_hotpath.instruments.base import importable
from tests.require import require


class AtOnce(ThreadPoolExecutor):
    """The work is over before the coroutine that hands it over can begin to wait."""

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(*args, **kwargs)
        future.exception()
        return future


def awaiting() -> list[str]:
    frame = sys._getframe()
    while frame.f_code is not asyncstack.HANDOVER:
        assert frame.f_back is not None
        frame = frame.f_back
    return [found.f_code.co_name for found in asyncstack.waiting_frames(frame)]


Loops = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=["asyncio", "uvloop"])
def loops(request: pytest.FixtureRequest) -> Loops:
    if request.param == "asyncio":
        return asyncio.new_event_loop
    require(importable("uvloop"), "needs uvloop: python -m pip install uvloop")
    import uvloop

    made: Loops = uvloop.new_event_loop
    return made


def seen_by(executor: ThreadPoolExecutor, loops: Loops) -> list[str]:
    async def view() -> list[str]:
        return await sync_to_async(awaiting, thread_sensitive=False, executor=executor)()

    async def other() -> None:
        await asyncio.sleep(0)

    async def main() -> list[str]:
        beside = asyncio.create_task(other())
        found = await view()
        await beside
        return found

    with executor, asyncio.Runner(loop_factory=loops) as runner:
        return runner.run(main())


def test_a_coroutine_that_waits_already_is_found(loops: Loops) -> None:
    assert seen_by(ThreadPoolExecutor(1), loops)[:3] == ["__call__", "view", "main"]


def test_a_coroutine_that_does_not_wait_yet_is_found(loops: Loops) -> None:
    assert seen_by(AtOnce(1), loops)[:3] == ["__call__", "view", "main"]


def test_through_an_async_generator_too(loops: Loops) -> None:
    executor = AtOnce(1)

    async def rows() -> AsyncIterator[list[str]]:
        yield await sync_to_async(awaiting, thread_sensitive=False, executor=executor)()

    async def view() -> list[str]:
        found = []
        async for row in rows():
            found += row
        return found

    with executor, asyncio.Runner(loop_factory=loops) as runner:
        assert runner.run(view())[:3] == ["__call__", "rows", "view"]
