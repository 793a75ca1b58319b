"""What a timeline is made of: bars, the rows they go in, and time without overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from math import inf
from operator import add, lt
from typing import NamedTuple

ROWS = 12
"""Rows of a track; what would need more of them shares the last one."""


class Bar(NamedTuple):
    start: float
    """Milliseconds from the start of the capture."""
    ms: float
    text: str
    note: str = ""
    row: int | None = None
    """Its depth, where one bar contains others; else it goes where there is room."""
    failed: bool = False


class Times(NamedTuple):
    """Bars by their times alone, one entry a bar."""

    start: Sequence[float]
    ms: Sequence[float]
    failed: Sequence[int]
    """Which of them."""


@dataclass(frozen=True, kw_only=True)
class Track:
    key: str
    label: str
    hint: str
    tone: str
    tab: str = ""
    """The section that tells more."""
    bars: Sequence[Bar] = ()
    elsewhere: Times | None = None
    """In place of ``bars``, where the page has elsewhere what they say."""
    missed: int = 0
    """Bars that are not there, since only so many are kept."""

    @cached_property
    def times(self) -> Times:
        if self.elsewhere is not None:
            return self.elsewhere
        return Times(
            [bar.start for bar in self.bars],
            [bar.ms for bar in self.bars],
            [index for index, bar in enumerate(self.bars) if bar.failed],
        )

    def __len__(self) -> int:
        return len(self.times.start)

    @cached_property
    def rows(self) -> list[int]:
        """The row of each bar."""
        return _packed(self.times, [bar.row for bar in self.bars])

    @cached_property
    def periods(self) -> list[tuple[float, float]]:
        """From when until when there was at least one bar."""
        start, ms, _ = self.times
        return union(zip(start, map(add, start, ms), strict=True))

    @property
    def busy(self) -> float:
        """Milliseconds in which there was at least one bar."""
        return sum([end - start for start, end in self.periods])


def union(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time without overlaps, in order."""
    found: list[tuple[float, float]] = []
    begin, last = 0.0, -inf
    for start, end in sorted(intervals):
        if start > last:
            if last > -inf:
                found.append((begin, last))
            begin, last = start, end
        elif end > last:
            last = end
    if last > -inf:
        found.append((begin, last))
    return found


def _packed(times: Times, depths: Sequence[int | None]) -> list[int]:
    """``depths`` may be empty: then each bar goes where there is room."""
    starts, lengths, _ = times
    free: list[float] = []
    rows = [0] * len(starts)
    for index in in_order(times):
        if depths and (depth := depths[index]) is not None:
            rows[index] = min(depth, ROWS - 1)
            continue
        at = starts[index] + 1e-6
        end = starts[index] + lengths[index]
        # Nearly all of them follow each other.
        if free and free[0] <= at:
            free[0] = max(free[0], end)
            continue
        row = next((r for r, until in enumerate(free) if until <= at), len(free))
        if row == len(free) and row < ROWS:
            free.append(0.0)
        rows[index] = row = min(row, ROWS - 1)
        free[row] = max(free[row], end)
    return rows


def in_order(times: Times) -> Sequence[int]:
    """The bars by their start, of those that start together the longest first."""
    starts, lengths, _ = times
    if all(map(lt, starts, islice(starts, 1, None))):
        return range(len(starts))
    return sorted(range(len(starts)), key=lambda index: (starts[index], -lengths[index]))
