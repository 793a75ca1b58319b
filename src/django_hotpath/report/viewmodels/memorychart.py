"""The resident memory over time, as the points of a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

WIDTH = 600
HEIGHT = 100
# What the chart cannot resolve is not drawn.
_COLUMNS = 300


@dataclass(frozen=True, kw_only=True)
class MemoryChart:
    """``line`` and ``area`` are points of an SVG that is ``WIDTH`` by ``HEIGHT``."""

    line: str
    area: str
    least: int
    most: int
    until_ms: float
    peak_ms: float
    width: int = WIDTH
    height: int = HEIGHT


def memory_chart(memory: Mapping[str, Any] | None) -> MemoryChart | None:
    """From ``instruments.samples.memory``; None where there are less than two points.

    The scale begins at the least, as a process is large from the start.
    """
    points: Sequence[Sequence[float]] = (memory or {}).get("points") or ()
    if len(points) < 2:
        return None
    least, most = (int(pick(rss for _, rss in points)) for pick in (min, max))
    until = max(at for at, _ in points) or 1.0
    height = (most - least) or 1
    drawn = [
        (at / until * WIDTH, HEIGHT - (rss - least) / height * HEIGHT)
        for at, rss in _highest(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
    return MemoryChart(
        line=line,
        area=f"{drawn[0][0]:.1f},{HEIGHT} {line} {drawn[-1][0]:.1f},{HEIGHT}",
        least=least,
        most=most,
        until_ms=until,
        peak_ms=next(at for at, rss in points if rss == most),
    )


def _highest(points: Sequence[Sequence[float]]) -> Sequence[Sequence[float]]:
    """No more than there are columns: of several the highest, so that no peak is lost."""
    if len(points) <= _COLUMNS:
        return points
    step = len(points) / _COLUMNS
    bounds = [round(i * step) for i in range(_COLUMNS + 1)]
    middle = [
        max(points[begin:end], key=lambda point: point[1])
        for begin, end in pairwise(bounds)
        if end > begin
    ]
    return [points[0], *middle, points[-1]]
