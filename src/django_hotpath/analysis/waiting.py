"""Whether a function computed or waited: from its own time and the processor's, together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Capture


@dataclass(frozen=True, kw_only=True)
class Spent:
    """A function's own time in milliseconds; the three parts add up to it.

    ``waited``: at least so long it neither computed nor wanted to: sleep, the network, a file, a
    lock. ``queued``: others had the processors. Both are 0 where nothing is known of them.
    """

    own: float
    waited: float = 0.0
    queued: float = 0.0

    @property
    def computed(self) -> float:
        return self.own - self.waited - self.queued

    @property
    def by_itself(self) -> float:
        """Without what a machine that is less busy would not have taken."""
        return self.own - self.queued

    @property
    def is_waiting(self) -> bool:
        return self.waited > self.by_itself / 2


def spent(capture: Capture, own_ms: float) -> Spent:
    """No function can have computed longer than all threads of the process together."""
    cpu = capture.timing.process_cpu_ms
    if cpu is None:
        return Spent(own=own_ms)
    idle = max(own_ms - cpu, 0.0)
    queued = min(capture.timing.queued_ms or 0.0, idle)
    return Spent(own=own_ms, waited=idle - queued, queued=queued)


def at_once(calls: Mapping[str, Any], function: int) -> float:
    """How many calls of the function ran at the same time, on average; 1 where it is not known."""
    spans = sorted(_spans(calls, function))
    together = alone = 0.0
    reached = float("-inf")
    for start, end in spans:
        together += end - start
        alone += max(end - max(start, reached), 0.0)
        reached = max(reached, end)
    return together / alone if alone else 1.0


def _spans(calls: Mapping[str, Any], function: int) -> Iterator[tuple[float, float]]:
    tree, spans = calls.get("tree"), calls.get("spans")
    if not tree or not spans:
        return
    frames = tree["frame"]
    for node, start, duration in zip(
        spans["node"], spans["start_ms"], spans["duration_ms"], strict=True
    ):
        if frames[node] == function:
            yield start, start + duration
