"""Distributions as pictures: where the points of two sets go on one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

WIDTH = 400
"""The units of the drawing; a lane is 26 high."""
_EDGE = 6.0
_LANE = 26.0
_DOT = 4.0
_PILE = 5.0


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One set: its points, its median, and the half of the runs in the middle."""

    points: tuple[tuple[float, float], ...]
    median_x: float
    box_x: float
    box_width: float
    top: float
    bottom: float


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A lane for each set over one axis from ``least`` to ``most``, in the unit of the values."""

    lanes: tuple[Lane, ...]
    least: float
    most: float


def strip(before: Sequence[float], after: Sequence[float] = ()) -> Strip:
    """Both above each other; the axis goes from a round figure to a round figure.

    A set without values has no lane.
    """
    values = [*before, *after]
    least, most = axis(min(values), max(values))
    sets = [points for points in (before, after) if points]
    return Strip(
        lanes=tuple(_lane(points, number, least, most) for number, points in enumerate(sets)),
        least=least,
        most=most,
    )


def _lane(values: Sequence[float], number: int, least: float, most: float) -> Lane:
    def place(value: float) -> float:
        return round(_EDGE + (value - least) / (most - least) * (WIDTH - 2 * _EDGE), 2)

    low = high = values[0]
    if len(values) > 1:
        low, _, high = quantiles(values, n=4, method="inclusive")
    top = number * _LANE + 6
    return Lane(
        points=tuple(_piled([place(value) for value in values], top + 10)),
        median_x=place(median(values)),
        box_x=place(low),
        box_width=round(place(high) - place(low), 2),
        top=top,
        bottom=top + 20,
    )


def axis(least: float, most: float) -> tuple[float, float]:
    """Round ends around the values; never an axis without a length."""
    spread = most - least or abs(most) * 0.1 or 1.0
    step = 10 ** math.floor(math.log10(spread))
    low, high = math.floor(least / step) * step, math.ceil(most / step) * step
    if low == high:
        low, high = low - step, high + step
    # Times start at nothing where that is near anyway.
    return (0.0 if 0 <= low <= spread * 0.5 else low), high


def _piled(places: Sequence[float], y: float) -> list[tuple[float, float]]:
    """Points that would cover each other, one beside the other, in turns above and below."""
    found: list[tuple[float, float]] = []
    heights: dict[int, int] = {}
    for x in places:
        column = round(x / _DOT)
        number = heights[column] = heights.get(column, -1) + 1
        offset = (number + 1) // 2 * (_PILE if number % 2 else -_PILE)
        found.append((x, round(y + max(-8.0, min(offset, 8.0)), 2)))
    return found


def change_bar(
    change: float | None, low: float | None, high: float | None
) -> dict[str, float] | None:
    """Where an interval of changes goes on an axis of 100 with no change in its middle.

    ``{"x", "width", "at", "limit"}``; ``limit`` is the change at the ends, as a share.
    """
    if change is None or low is None or high is None:
        return None
    furthest = max(abs(low), abs(high), 0.02)
    limit = next((one for one in (0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10) if furthest <= one), 0)
    limit = limit or math.ceil(furthest)

    def place(value: float) -> float:
        return 50 + value / limit * 50

    return {
        "x": round(place(low), 2),
        "width": round(max(place(high) - place(low), 0.8), 2),
        "at": round(place(change), 2),
        "limit": limit,
    }
