"""The C tracer's single calls by a clock that the work itself moves: which there are is known."""

from __future__ import annotations

import contextvars
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.instruments.calltree_faulty import Faulty
from tests.instruments.tracing import check_spans, name_of

PROGRAMS = max(int(os.environ.get("HOTPATH_TEST_PROGRAMS", "10000")) // 50, 1)

# Of the clock; whatever the work really takes is less than that of one.
UNIT = 100_000
NS = 1_000_000_000

# What is called: how long that takes by itself, before and after what it calls.
Plan = tuple[int, list["Plan"]]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    return Faulty.built(tmp_path_factory.mktemp("moved"))


def make(rng: random.Random, size: int) -> Plan:
    inside = []
    while size > 1:
        part = rng.randrange(1, size)
        inside.append(make(rng, part))
        size -= part
    return rng.choice([0, 0, 1, 2, 5]), inside


def run(clock: Faulty, plan: Plan) -> None:
    units, inside = plan
    clock.jump_clock(units * UNIT)
    for each in inside:
        run(clock, each)
    clock.jump_clock(units * UNIT)


def resumed(clock: Faulty, plan: Plan) -> Iterator[None]:
    """The same, suspended before and after each that it calls."""
    units, inside = plan
    clock.jump_clock(units * UNIT)
    for each in inside:
        yield
        run(clock, each)
    yield
    clock.jump_clock(units * UNIT)


def lengths(plan: Plan) -> list[int]:
    """Units that each call takes, the outermost first."""
    units, inside = plan
    below = [lengths(each) for each in inside]
    return [2 * units + sum(each[0] for each in below), *(n for each in below for n in each)]


def traced(clock: Faulty, plan: Plan, **spans: int) -> Any:
    def work() -> Any:
        tracer = clock.module.Tracer(**spans)
        tracer.start()
        run(clock, plan)
        tracer.stop()
        return tracer.result()

    with clock:
        return contextvars.Context().run(work)


def units_of(result: Any) -> list[int]:
    """Those that took some, in time order."""
    found = [
        round((span.end - span.start) / (UNIT * NS))
        for span in check_spans(result)
        if name_of(result, span.node) == "run"
    ]
    return [units for units in found if units]


def test_all_calls_of_a_random_program_are_there(moved: Faulty) -> None:
    for seed in range(PROGRAMS):
        rng = random.Random(seed)
        plan = make(rng, rng.randrange(1, 60))
        found = units_of(traced(moved, plan, least_ns=UNIT * NS // 2))
        assert found == [units for units in lengths(plan) if units], f"seed {seed}"


def test_of_too_many_all_those_are_there_that_took_the_least(moved: Faulty) -> None:
    for seed in range(PROGRAMS):
        rng = random.Random(seed)
        plan = make(rng, rng.randrange(30, 120))
        result = traced(moved, plan, least_ns=UNIT * NS // 2, max_spans=rng.randrange(1, 40))
        least = result["least_ns"] / (UNIT * NS)
        assert units_of(result) == [units for units in lengths(plan) if units >= least], (
            f"seed {seed}"
        )


def test_a_generator_ran_from_one_suspension_to_the_next(moved: Faulty) -> None:
    plan: Plan = (1, [(2, []), (3, [])])

    def work() -> Any:
        tracer = moved.module.Tracer(least_ns=UNIT * NS // 2)
        tracer.start()
        for _ in resumed(moved, plan):
            moved.jump_clock(50 * UNIT)
        tracer.stop()
        return tracer.result()

    with moved:
        result = contextvars.Context().run(work)
    found = [
        (round(span.start / (UNIT * NS)), round((span.end - span.start) / (UNIT * NS)))
        for span in check_spans(result)
        if name_of(result, span.node) == "resumed"
    ]
    assert found == [(0, 1), (51, 4), (105, 6), (161, 1)]


def test_a_pause_belongs_to_no_call(moved: Faulty) -> None:
    def paused(tracer: Any) -> None:
        moved.jump_clock(UNIT)
        tracer.pause()
        moved.jump_clock(50 * UNIT)
        tracer.resume()
        moved.jump_clock(2 * UNIT)

    def work() -> Any:
        tracer = moved.module.Tracer(least_ns=UNIT * NS // 2)
        tracer.start()
        paused(tracer)
        tracer.stop()
        return tracer.result()

    with moved:
        result = contextvars.Context().run(work)
    found = [
        (round(span.start / (UNIT * NS)), round((span.end - span.start) / (UNIT * NS)))
        for span in check_spans(result)
    ]
    assert found == [(0, 1), (51, 2)]
