"""What a timeline is made of: bars, the rows they go in, and time without overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

ROWS = 12
"""Rows of a track; what would need more of them shares the last one."""


@dataclass(frozen=True)
class Bar:
    start: float
    """Milliseconds from the start of the capture."""
    ms: float
    text: str
    note: str = ""
    row: int | None = None
    """Its depth, where one bar contains others; else it goes where there is room."""
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Track:
    key: str
    label: str
    hint: str
    tone: str
    tab: str = ""
    """The section that tells more."""
    bars: Sequence[Bar] = field(default_factory=tuple)
    missed: int = 0
    """Bars that are not there, since only so many are kept."""

    @property
    def rows(self) -> list[int]:
        """The row of each bar."""
        return _packed(self.bars)

    @property
    def busy(self) -> float:
        """Milliseconds in which there was at least one bar."""
        times = union((bar.start, bar.start + bar.ms) for bar in self.bars)
        return sum(end - start for start, end in times)


def union(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time without overlaps, in order."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _packed(bars: Sequence[Bar]) -> list[int]:
    free: list[float] = []
    rows = [0] * len(bars)
    for index in sorted(range(len(bars)), key=lambda i: (bars[i].start, -bars[i].ms)):
        bar = bars[index]
        if bar.row is not None:
            rows[index] = min(bar.row, ROWS - 1)
            continue
        row = next((r for r, end in enumerate(free) if end <= bar.start + 1e-6), len(free))
        if row == len(free) and row < ROWS:
            free.append(0.0)
        rows[index] = row = min(row, ROWS - 1)
        free[row] = max(free[row], bar.start + bar.ms)
    return rows
