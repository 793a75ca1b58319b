"""The C tracer's single calls beside each other: the lanes of threads and tasks."""

from __future__ import annotations

import asyncio
import contextvars
import os
import random
import threading
from collections import Counter
from typing import Any

import pytest

from tests.instruments import random_async
from tests.instruments.tracing import (
    Suspend,
    check_spans,
    events,
    every,
    in_a_thread,
    leaf,
    needs_the_tracer,
    new,
    of,
    traced,
)

PROGRAMS = int(os.environ.get("HOTPATH_TEST_PROGRAMS", "10000"))


@pytest.fixture(autouse=True)
def _extension() -> None:
    needs_the_tracer()


def test_random_tasks_and_threads_never_overlap_within_a_lane() -> None:
    async def traced_plan(plan: random_async.Plan) -> Any:
        tracer = new(1_000_000, least_ns=0, max_spans=1_000_000)
        tracer.start()
        await random_async.run_async(plan)
        tracer.stop()
        return tracer.result()

    async def at_once(plans: list[random_async.Plan]) -> list[Any]:
        return await asyncio.gather(*map(traced_plan, plans))

    for seed in range(max(PROGRAMS // 100, 1)):
        rng = random.Random(seed)
        plans = [random_async.make(rng, rng.randrange(1, 12)) for _ in range(3)]
        with events():
            results = asyncio.run(at_once(plans))
        for result in results:
            runs = Counter(span.node for span in check_spans(result))
            for node in range(1, len(result["parent"])):
                code = result["codes"][result["frame"][node]]
                if code in random_async.OURS:
                    assert runs[node] >= result["calls"][node], f"seed {seed}"


def test_threads_at_once_have_a_lane_each() -> None:
    barrier = threading.Barrier(2)

    def meets() -> None:
        barrier.wait()
        barrier.wait()

    def work() -> None:
        contexts = [contextvars.copy_context() for _ in range(2)]
        threads = [threading.Thread(target=each.run, args=(meets,)) for each in contexts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = traced(work, least_ns=0)
    assert {span.lane for span in of(result, "meets")} == {1, 2}
    assert {span.lane for span in of(result, "work")} == {0}
    check_spans(result)


def test_threads_one_after_the_other_share_a_lane() -> None:
    def work() -> None:
        for _ in range(5):
            in_a_thread(contextvars.copy_context().run, leaf)

    assert {span.lane for span in of(traced(work, least_ns=0), "leaf")} == {1}


async def steps(number: int) -> None:
    for _ in range(number):
        leaf()
        await asyncio.sleep(0)


async def gathered(tracer: Any, count: int) -> None:
    tracer.start()
    await asyncio.gather(*(steps(3) for _ in range(count)))
    tracer.stop()


def test_tasks_that_take_turns_have_a_lane_each_for_all_of_their_runs() -> None:
    tracer = new(least_ns=0)
    with events():
        asyncio.run(gathered(tracer, 3))
    result = tracer.result()
    runs = Counter(span.lane for span in of(result, "steps"))
    assert sorted(runs.values()) == [4, 4, 4]
    assert 0 not in runs
    check_spans(result)


def test_a_lane_is_given_to_the_next_task_when_its_own_has_ended() -> None:
    async def one_by_one(tracer: Any) -> None:
        tracer.start()
        for _ in range(20):
            await asyncio.create_task(steps(1))
        tracer.stop()

    tracer = new(least_ns=0)
    with events():
        asyncio.run(one_by_one(tracer))
    result = tracer.result()
    assert len({span.lane for span in of(result, "steps")}) == 1
    check_spans(result)


def test_a_task_that_was_only_dropped_does_no_harm() -> None:
    async def forgotten() -> None:
        leaf()
        await Suspend()

    def begun() -> None:
        coroutine = forgotten()
        coroutine.send(None)
        kept.append(coroutine)

    kept: list[Any] = []

    def work() -> None:
        for _ in range(5):
            in_a_thread(contextvars.copy_context().run, begun)
        kept.clear()
        for _ in range(5):
            in_a_thread(contextvars.copy_context().run, begun)

    result = traced(work, least_ns=0)
    assert every(result)["leaf"] == 10
    check_spans(result)
    kept.clear()
