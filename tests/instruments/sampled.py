"""Work that lasts until it has been sampled, and readers of sampled trees."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from types import CodeType
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.instruments.base import active_instrument

# A machine that is too busy to sample at all fails the test instead of hanging it.
_PATIENCE = 60.0


def compute(number: int) -> int:
    return sum(value * value for value in range(number))


def sampled() -> int:
    """How often the capture of this context has been sampled; for vmprof in bytes of its file."""
    instrument: Any = active_instrument("samples")
    if hasattr(instrument, "_file"):
        return os.fstat(instrument._file).st_size
    return int(instrument.tree.samples)


def until(done: Callable[[], bool], step: Callable[[], object] = lambda: compute(100)) -> None:
    began = time.monotonic()
    while not done():
        step()
        assert time.monotonic() - began < _PATIENCE, "not sampled"


def more_samples(least: int = 5) -> Callable[[], bool]:
    """Whether the capture of this context has so many more by now."""
    instrument: Any = active_instrument("samples")
    size = 500 if hasattr(instrument, "_file") else 1
    enough = sampled() + least * size
    return lambda: sampled() >= enough


def seen(code: CodeType, least: int = 1) -> Callable[[], bool]:
    """The same, and whether one of them was of this code: any of them may be of our own, which
    switches the capture on and off around each step of a task."""
    instrument: Any = active_instrument("samples")
    enough = more_samples(least)
    return lambda: enough() and any(known is code for known in instrument.tree._code)


def names(capture: Capture | None) -> set[str]:
    assert capture is not None
    found = capture.instruments["samples"]["functions"]
    return {function["function"].rpartition(".")[2] for function in found}


def paths(capture: Capture | None) -> set[tuple[str, ...]]:
    """The stack of each node, outermost first."""
    assert capture is not None
    result = capture.instruments["samples"]
    tree, functions = result["tree"], result["functions"]
    found: list[tuple[str, ...]] = [()]
    for parent, frame in zip(tree["parent"][1:], tree["frame"][1:], strict=True):
        found.append((*found[parent], functions[frame]["function"].rpartition(".")[2]))
    return set(found[1:])


def outermost(capture: Capture | None) -> set[str]:
    """What the stacks begin with. A sample may fall into our own code around the work."""
    return {path[0] for path in paths(capture)} - {"profiling tools"}
