"""The C tracer in its own terms: which nodes, how many calls, whose time."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from types import CodeType
from typing import Any

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments import random_async, random_programs
from tests.instruments.references import BuiltinsReference, Path, Reference, Step
from tests.require import require

PROGRAMS = int(os.environ.get("HOTPATH_TEST_PROGRAMS", "10000"))


@pytest.fixture(autouse=True)
def _extension() -> None:
    reason = native_events.unavailable()
    require(reason is None, f"needs the compiled tracer, which {reason}")


def paths(result: dict[str, Any]) -> Counter[Path]:
    """Each node by the code objects that lead to it -> calls."""
    found: list[Path] = [()]
    calls: Counter[Path] = Counter()
    for node in range(1, len(result["parent"])):
        code: CodeType = result["codes"][result["frame"][node]]
        path = (*found[result["parent"][node]], code)
        found.append(path)
        assert path not in calls, "a node is there twice"
        calls[path] = result["calls"][node]
    return calls


def trace_both(program: random_programs.Program) -> tuple[Counter[Path], Counter[Path], Any]:
    tracer = native_events.new_tracer(1_000_000, builtins=False)
    native_events.acquire(builtins=False)
    reference = Reference()
    try:
        with reference:
            tracer.start()
            random_programs.execute(program)
            tracer.stop()
    finally:
        native_events.release(builtins=False)
    result = tracer.result()
    return paths(result), reference.calls, result


def test_trees_of_random_programs_equal_those_of_the_reference() -> None:
    for seed in range(PROGRAMS):
        rng = random.Random(seed)
        program = random_programs.make(rng, rng.randrange(1, 30))
        found, expected, result = trace_both(program)
        # Frames of the reference's own block are not in the tracer's.
        expected = Counter({p: n for p, n in expected.items() if _inside(p)})
        # As dicts: a Counter takes a missing node for one of no calls.
        assert dict(found) == dict(expected), f"seed {seed}"
        assert result["mismatches"] == 0, f"seed {seed}"


def _inside(path: tuple[Step, ...]) -> bool:
    return path[0] is random_programs.execute.__code__


def paths_with_functions_only(result: dict[str, Any]) -> Counter[tuple[Step, ...]]:
    """``paths`` without classes, whose calls no profile function is told of."""
    found: list[tuple[Step, ...]] = [()]
    calls: Counter[tuple[Step, ...]] = Counter()
    for node in range(1, len(result["parent"])):
        step = result["codes"][result["frame"][node]]
        above = found[result["parent"][node]]
        if isinstance(step, str) and not step.startswith(("<built-in method", "<method")):
            found.append(above)
            continue
        found.append((*above, step))
        calls[found[-1]] += result["calls"][node]
    return calls


def test_trees_with_c_functions_equal_those_of_the_reference() -> None:
    for seed in range(max(PROGRAMS // 10, 1)):
        rng = random.Random(-1 - seed)
        program = random_programs.make(rng, rng.randrange(1, 30))
        # One after the other: on 3.11 both are the profile function.
        with BuiltinsReference(random_programs.execute.__code__) as reference:
            random_programs.execute(program)
        tracer = native_events.new_tracer(1_000_000, builtins=True)
        native_events.acquire(builtins=True)
        try:
            tracer.start()
            random_programs.execute(program)
            tracer.stop()
        finally:
            native_events.release(builtins=True)
        result = tracer.result()
        found = paths_with_functions_only(result)
        found = Counter(
            {p: n for p, n in found.items() if p[0] is random_programs.execute.__code__}
        )
        assert dict(found) == dict(reference.calls), f"seed {-1 - seed}"
        assert result["mismatches"] == 0, f"seed {-1 - seed}"


def paths_of_plans(result: dict[str, Any]) -> Counter[random_async.Path]:
    """Calls by path, of what plans run: without the functions of asyncio and asgiref between."""
    found: list[random_async.Path] = [()]
    calls: Counter[random_async.Path] = Counter()
    for node in range(1, len(result["parent"])):
        step = result["codes"][result["frame"][node]]
        above = found[result["parent"][node]]
        if step in random_async.OURS:
            found.append((*above, step))
            calls[found[-1]] += result["calls"][node]
        else:
            found.append(above)
    return calls


async def traced_plan(plan: random_async.Plan) -> dict[str, Any]:
    tracer = native_events.new_tracer(1_000_000, builtins=False)
    tracer.start()
    await random_async.run_async(plan)
    tracer.stop()
    result: dict[str, Any] = tracer.result()
    return result


async def traced_at_once(plans: list[random_async.Plan]) -> list[dict[str, Any]]:
    return await asyncio.gather(*map(traced_plan, plans))


def test_trees_of_random_tasks_and_threads_are_what_was_planned() -> None:
    top = random_async.run_async.__code__
    for seed in range(max(PROGRAMS // 100, 1)):
        rng = random.Random(seed)
        # At once, in one loop: none may be in the tree of another.
        plans = [random_async.make(rng, rng.randrange(1, 12)) for _ in range(3)]
        native_events.acquire(builtins=False)
        try:
            results = asyncio.run(traced_at_once(plans))
        finally:
            native_events.release(builtins=False)
        for plan, result in zip(plans, results, strict=True):
            planned = random_async.expected(plan, (top,))
            planned[(top,)] = 1
            assert dict(paths_of_plans(result)) == dict(planned), f"seed {seed}: {plan}"
            assert result["mismatches"] == 0, f"seed {seed}"
