"""The C tracer's single calls: each run of each call, in the lane that it ran in."""

from __future__ import annotations

import contextvars
import inspect
import os
import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments import random_programs
from tests.instruments.tracing import (
    Span,
    Suspend,
    calls_of,
    check_spans,
    events,
    every,
    in_a_thread,
    leaf,
    needs_the_tracer,
    new,
    of,
    spans_of,
    traced,
)

PROGRAMS = int(os.environ.get("HOTPATH_TEST_PROGRAMS", "10000"))
SUSPENDABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@pytest.fixture(autouse=True)
def _extension() -> None:
    needs_the_tracer()


def test_random_programs_have_a_span_for_each_call_inside_that_of_its_caller() -> None:
    for seed in range(max(PROGRAMS // 20, 1)):
        rng = random.Random(seed)
        program = random_programs.make(rng, rng.randrange(1, 30))
        result = traced(lambda: random_programs.execute(program), 1_000_000, least_ns=0)  # noqa: B023
        spans = check_spans(result)
        assert {span.lane for span in spans} <= {0}
        runs = Counter(span.node for span in spans)
        for node in range(1, len(result["parent"])):
            calls, code = result["calls"][node], result["codes"][result["frame"][node]]
            if code.co_flags & SUSPENDABLE:
                assert runs[node] >= calls, f"seed {seed}"
            else:
                assert runs[node] == calls, f"seed {seed}"
        _check_callers(result, spans)


def _check_callers(result: dict[str, Any], spans: list[Span]) -> None:
    around: list[Span] = []
    for span in spans:
        around = [other for other in around if other.end >= span.start]
        parent = result["parent"][span.node]
        assert parent == 0 or any(
            other.node == parent and other.end >= span.end for other in around
        ), "no run of its caller is around it"
        around.append(span)


def test_each_level_of_a_recursion_has_its_own() -> None:
    def down(depth: int) -> None:
        if depth:
            down(depth - 1)

    result = traced(lambda: down(9), least_ns=0)
    spans = of(result, "down")
    assert len(spans) == len({span.node for span in spans}) == 10
    assert all(b.end <= a.end for a, b in pairwise(spans))


def test_a_call_that_raises_has_one() -> None:
    def fails() -> None:
        raise ValueError("this")

    def work() -> None:
        for _ in range(3):
            with pytest.raises(ValueError, match="this"):
                fails()

    assert every(traced(work, least_ns=0))["fails"] == 3


def test_a_generator_has_one_for_each_time_it_ran() -> None:
    def numbers() -> Iterator[int]:
        yield from (1, 2, 3)

    result = traced(lambda: list(numbers()), least_ns=0)
    assert (every(result)["numbers"], calls_of(result)["numbers"]) == (4, 1)


def test_a_coroutine_has_one_for_each_time_it_ran() -> None:
    async def waits() -> None:
        await Suspend()
        await Suspend()

    def work() -> None:
        coroutine = waits()
        for _ in range(2):
            coroutine.send(None)
            leaf()
        with pytest.raises(StopIteration):
            coroutine.send(None)

    result = traced(work, least_ns=0)
    assert (every(result)["waits"], calls_of(result)["waits"]) == (3, 1)


def test_c_functions_have_them_where_they_are_recorded() -> None:
    result = traced(lambda: sorted([2, 1]), builtins=True, least_ns=0)
    assert every(result)["<built-in method builtins.sorted>"] == 1
    check_spans(result)


def test_what_is_still_running_at_the_end_ran_up_to_there() -> None:
    tracer = new(least_ns=0)

    def ends() -> None:
        tracer.stop()

    with events():
        tracer.start()
        ends()
    assert every(tracer.result())["ends"] == 1


def test_a_pause_cuts_a_call_in_two() -> None:
    tracer = new(least_ns=0)

    def paused() -> None:
        tracer.pause()
        leaf()
        tracer.resume()

    with events():
        tracer.start()
        paused()
        tracer.stop()
    result = tracer.result()
    before, after = of(result, "paused")
    assert before.end < after.start
    check_spans(result)


def test_what_the_thread_runs_as_the_owner_cuts_the_guests_call_in_two() -> None:
    tracer = new(least_ns=0)

    def owned() -> None:
        leaf()

    def guest() -> None:
        tracer.resume()
        owned()
        tracer.pause()

    with events():
        tracer.start()
        inherited = contextvars.copy_context()
        tracer.pause()
        in_a_thread(inherited.run, guest)
        tracer.stop()
    result = tracer.result()
    before, after = of(result, "guest")
    (inside,) = of(result, "owned")
    assert before.lane == after.lane != inside.lane == 0
    assert before.end <= inside.start <= inside.end <= after.start
    check_spans(result)


def test_short_calls_have_none() -> None:
    result = traced(leaf, least_ns=10**15)
    assert spans_of(result) == []
    assert 10**15 * 0.5 < result["least_ns"] < 10**15 * 2


def test_where_there_is_no_room_the_shorter_ones_go() -> None:
    def work() -> None:
        for _ in range(5_000):
            leaf()

    result = traced(work, least_ns=0, max_spans=100)
    spans = check_spans(result)
    assert 0 < len(spans) <= 100
    assert len(of(result, "work")) == 1
    assert all(span.end - span.start >= result["least_ns"] - 1 > 0 for span in spans)


def test_room_for_one_is_enough() -> None:
    result = traced(lambda: [leaf() for _ in range(100)], least_ns=0, max_spans=1)
    assert len(spans_of(result)) <= 1


def test_calls_without_a_node_have_none() -> None:
    def work() -> None:
        for _ in range(20):
            leaf()
            needs_the_tracer()

    result = traced(work, 1, least_ns=0)
    assert set(every(result)) == {"work"}
    check_spans(result)


@pytest.mark.parametrize(
    "wrong", [{"max_spans": 0}, {"max_spans": 2**31}, {"least_ns": -1}, {"least_ns": 2**62}]
)
def test_bounds_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        native_events.new_tracer(10, False, **wrong)
