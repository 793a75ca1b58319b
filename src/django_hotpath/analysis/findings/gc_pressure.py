"""``gc_pressure``: the garbage collector paused the work for a good part of its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django_hotpath.analysis.findings.base import Limits, severity_by_cost
from django_hotpath.capture import Capture, Finding, Fix

MIN_MS = 20
MIN_SHARE = 0.1
# A round through all objects comes by now and then, and hits whoever is there.
BY_CHANCE = 2

# So many of them freed a run: it is garbage in cycles that keeps the collector busy.
_MANY_FREED = 100

_CYCLES = (
    "Most likely many objects refer to each other in a circle, which only the collector can free: "
    "a child that knows its parent, a callback that knows its owner, an exception that is kept "
    "with its traceback. Let one side be a weakref, or break the circle when the work is done."
)
_ALIVE = (
    "It freed next to nothing: it runs because many objects are made, and looks through those that "
    "stay. Make fewer: values_list() in place of model instances, iterator() and generators in "
    "place of lists, __slots__. gc.freeze() once the process has loaded takes what was there "
    "before out of its rounds; a higher gc.set_threshold() makes them rarer."
)
_OTHERS = (
    " Other requests ran in this process meanwhile: a collection stops all of them, and they may "
    "have caused it."
)


def gc_pressure(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Pauses of at least 20 ms and 10 % of the whole.

    Not in the first request of a process, nor when we ran the collector ourselves. One or two
    rounds through all objects do not count: earlier requests made what sets those off.
    """
    recorded = capture.instruments.get("gc")
    wall = capture.timing.wall_ms
    if not recorded or wall <= 0 or _collected_by_us(capture):
        return
    if any(text.startswith("this was the first request") for text in capture.environment.warnings):
        return
    total, count = _own(recorded)
    if total < MIN_MS or total < MIN_SHARE * wall:
        return
    crowded = capture.overlap.requests > 0
    severity = severity_by_cost(total, wall)
    if severity == "low" or (severity == "high" and crowded):
        severity = "medium"
    times = "once" if count == 1 else f"{count:,} times"
    yield Finding(
        kind="gc_pressure",
        severity=severity,
        title=(
            f"The garbage collector paused the work {times}, for {total:,.0f} ms "
            f"({total / wall:.0%} of the time)"
        ),
        detail=_detail(recorded) + (_OTHERS if crowded else ""),
        count=count,
        cost_ms=round(total, 4),
        fix=Fix(summary=_CYCLES if _freed(recorded) else _ALIVE),
    )


def _collected_by_us(capture: Capture) -> bool:
    """Whether collections that were asked for are in the figures."""
    return any(
        (capture.instruments.get(name) or {}).get("garbage") is not None
        for name in ("allocations", "objects")
    )


def _own(recorded: Mapping[str, Any]) -> tuple[float, int]:
    """Time and number of the pauses that this work is to blame for."""
    total, count = recorded["total_ms"], recorded["count"]
    full = [pause for pause in recorded["pauses"] if pause["generation"] == 2]
    if len(full) > BY_CHANCE:
        return total, count
    return total - sum(pause["duration_ms"] for pause in full), count - len(full)


def _freed(recorded: Mapping[str, Any]) -> bool:
    return bool(recorded["collected"] >= _MANY_FREED * max(recorded["count"], 1))


def _detail(recorded: Mapping[str, Any]) -> str:
    longest = max((pause["duration_ms"] for pause in recorded["pauses"]), default=0.0)
    full = recorded["generations"][-1]
    detail = (
        f"The longest pause took {longest:,.1f} ms; it freed {recorded['collected']:,} objects in "
        "all. "
    )
    if full:
        rounds = "One round looked" if full == 1 else f"{full:,} rounds looked"
        detail += f"{rounds} through every object of the process. "
    return detail + "No other thread of the process runs Python during a pause."
