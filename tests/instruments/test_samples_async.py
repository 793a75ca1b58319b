"""``samples`` by the engine ``thread``: tasks, and the worker threads that they use."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from django_hotpath import profile
from django_hotpath.instruments.base import active_instrument
from tests.instruments.sampled import (
    compute,
    more_samples,
    names,
    outermost,
    paths,
    seen,
    until,
)


def profiled(label: str = "test") -> profile:
    return profile(label, instruments=["thread"], save=False)


def busy() -> None:
    until(more_samples())


async def turns(done: Any) -> None:
    """Works and gives way in turn, until it is done."""
    began = time.monotonic()
    while not done():
        compute(2_000)
        await asyncio.sleep(0)
        assert time.monotonic() - began < 60, "not sampled"


async def test_the_own_task_is_sampled_and_no_other() -> None:
    run = profiled()
    stop = asyncio.Event()

    async def other() -> None:
        while not stop.is_set():
            compute(2_000)
            await asyncio.sleep(0)

    @run
    async def mine() -> None:
        await turns(more_samples(30))

    task = asyncio.create_task(other())
    await mine()
    stop.set()
    await task
    assert {"mine", "turns"} <= names(run.capture)
    assert outermost(run.capture) == {"mine"}


async def test_fifty_captures_at_once_have_only_their_own() -> None:
    def request(number: int) -> Any:
        async def work() -> None:
            await turns(seen(work.__code__, 3))

        work.__code__ = work.__code__.replace(co_name=f"work{number}", co_qualname=f"work{number}")
        return work

    runs = [profiled() for _ in range(50)]
    await asyncio.gather(*(run(request(number))() for number, run in enumerate(runs)))
    for number, run in enumerate(runs):
        assert outermost(run.capture) == {f"work{number}"}


async def test_a_block_in_a_coroutine_is_sampled_without_other_tasks() -> None:
    async def work(run: profile | None, done: Any) -> None:
        """The same code in all tasks: only the frame tells them apart."""
        if run is None:
            await marked(done)
            return
        with run:
            mine = more_samples(30)
            await turns(mine)

    async def marked(done: Any) -> None:
        await turns(done)

    stop = asyncio.Event()
    run = profiled()
    task = asyncio.create_task(work(None, stop.is_set))
    await work(run, None)
    stop.set()
    await task
    assert "marked" not in names(run.capture)
    assert "turns" in names(run.capture)


async def test_time_awaited_is_no_sample() -> None:
    run = profiled()

    @run
    async def mine() -> None:
        busy()
        await asyncio.sleep(0.2)
        busy()

    await mine()
    assert run.capture is not None
    samples = run.capture.instruments["samples"]
    assert samples["sampled_ms"] <= run.capture.timing.wall_ms - 200


async def test_a_worker_thread_of_sync_to_async_is_sampled() -> None:
    run = profiled()

    def sync_view() -> None:
        busy()

    @run
    async def mine() -> None:
        await sync_to_async(sync_view)()

    await mine()
    assert {"sync_view", "busy"} <= names(run.capture)


async def test_a_worker_thread_of_to_thread_is_sampled() -> None:
    run = profiled()

    def in_thread() -> None:
        busy()

    @run
    async def mine() -> None:
        await asyncio.to_thread(in_thread)

    await mine()
    assert "in_thread" in names(run.capture)


async def test_the_same_worker_thread_serving_another_is_not_sampled() -> None:
    first, second = profiled(), profiled()
    threads: dict[str, Any] = {}
    turn = asyncio.Event()

    def mine() -> None:
        import threading

        threads["mine"] = threading.get_ident()
        busy()

    def theirs() -> None:
        import threading

        threads["theirs"] = threading.get_ident()
        busy()

    @first
    async def one() -> None:
        await sync_to_async(mine)()
        turn.set()
        # Still captured, and suspended, while the thread works for the other one.
        await done.wait()

    @second
    async def two() -> None:
        await turn.wait()
        await sync_to_async(theirs)()
        done.set()

    done = asyncio.Event()
    await asyncio.gather(one(), two())
    assert threads["mine"] == threads["theirs"]
    assert "mine" in names(first.capture) - names(second.capture)
    assert "theirs" in names(second.capture) - names(first.capture)


async def test_unprofiled_work_in_the_same_worker_thread_is_not_sampled() -> None:
    run = profiled()
    turn, done = asyncio.Event(), asyncio.Event()

    def mine() -> None:
        busy()

    def nobody() -> None:
        assert active_instrument("samples") is None
        until(lambda: time.monotonic() > ends, lambda: compute(500))

    @run
    async def one() -> None:
        await sync_to_async(mine)()
        turn.set()
        await done.wait()

    async def two() -> None:
        await turn.wait()
        await sync_to_async(nobody)()
        done.set()

    ends = time.monotonic() + 0.3
    task = asyncio.create_task(two())
    await one()
    await task
    assert "mine" in names(run.capture)
    assert "nobody" not in names(run.capture)


async def test_workers_at_the_same_time_share_the_time() -> None:
    run = profiled()

    @run
    async def mine() -> None:
        done = more_samples(20)
        await asyncio.gather(*(asyncio.to_thread(until, done) for _ in range(3)))

    await mine()
    assert run.capture is not None
    samples = run.capture.instruments["samples"]
    assert samples["sampled_ms"] <= run.capture.timing.wall_ms + 1
    assert "until" in names(run.capture)


def test_async_work_of_sync_work_hangs_below_it() -> None:
    async def coroutine() -> None:
        busy()

    def sync_view() -> None:
        async_to_sync(coroutine)()

    with profiled() as run:
        sync_view()
    assert any(
        "sync_view" in path and "coroutine" in path[path.index("sync_view") :]
        for path in paths(run.capture)
    )


async def test_async_work_behind_sync_middleware_hangs_below_it() -> None:
    run = profiled()

    async def view() -> None:
        busy()

    def middleware() -> None:
        async_to_sync(view)()

    @run
    async def mine() -> None:
        await sync_to_async(middleware)()

    await mine()
    assert any(
        "middleware" in path and "view" in path[path.index("middleware") :]
        for path in paths(run.capture)
    )


def test_sync_work_of_async_work_of_sync_work_hangs_below_both() -> None:
    """As a sync middleware above an async view that uses the ORM: all in one thread again."""

    def query() -> None:
        busy()

    async def view() -> None:
        await sync_to_async(query)()

    def middleware() -> None:
        async_to_sync(view)()

    with profiled() as run:
        middleware()
    assert any(
        "middleware" in path and "query" in path[path.index("middleware") :]
        for path in paths(run.capture)
    )


async def test_an_exception_in_a_worker_goes_on() -> None:
    run = profiled()

    def fails() -> None:
        busy()
        raise KeyError("theirs")

    @run
    async def mine() -> None:
        await sync_to_async(fails)()

    with pytest.raises(KeyError, match="theirs"):
        await mine()
    assert "fails" in names(run.capture)
