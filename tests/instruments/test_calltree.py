"""The C tracer in its own terms: which nodes, how many calls, whose time."""

from __future__ import annotations

import os
import random
from collections import Counter
from types import CodeType
from typing import Any

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments import random_programs
from tests.instruments.random_programs import Path, Reference
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


def _inside(path: Path) -> bool:
    return path[0] is random_programs.execute.__code__
