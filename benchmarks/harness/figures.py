"""From rounds to figures: medians of what was measured side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True)
class Figure:
    """A median with the quartiles around it."""

    median: float
    low: float
    high: float

    def scaled(self, factor: float) -> Figure:
        low, high = sorted((self.low * factor, self.high * factor))
        return Figure(self.median * factor, low, high)


def figure(values: Sequence[float]) -> Figure:
    if len(values) == 1:
        return Figure(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Figure(median(values), low, high)


def difference(values: Sequence[float], base: Sequence[float]) -> Figure:
    """What is added over ``base``, round by round."""
    return figure([value - other for value, other in zip(values, base, strict=True)])


def ratio(values: Sequence[float], base: Sequence[float]) -> Figure:
    """How many times ``base``, round by round."""
    return figure([value / other for value, other in zip(values, base, strict=True)])
