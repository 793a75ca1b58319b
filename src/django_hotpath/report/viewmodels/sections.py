"""The smaller sections: memory, garbage collector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.report.formats import share

ROWS = 50


@dataclass(frozen=True, kw_only=True)
class MemoryView:
    """Bytes of the whole process; None where the platform does not tell."""

    rss_before: int | None
    rss_after: int | None
    rss_change: int | None
    rss_peak: int | None
    rss_high_water: int | None
    blocks_before: int | None
    blocks_after: int | None
    blocks_change: int | None


def memory_view(memory: Mapping[str, Any]) -> MemoryView:
    def change(name: str) -> int | None:
        before, after = memory.get(f"{name}_before"), memory.get(f"{name}_after")
        return None if before is None or after is None else int(after - before)

    return MemoryView(
        rss_before=memory.get("rss_before"),
        rss_after=memory.get("rss_after"),
        rss_change=change("rss"),
        rss_peak=memory.get("rss_peak"),
        rss_high_water=memory.get("rss_high_water"),
        blocks_before=memory.get("blocks_before"),
        blocks_after=memory.get("blocks_after"),
        blocks_change=change("blocks"),
    )


@dataclass(frozen=True, kw_only=True)
class GcView:
    count: int
    total_ms: float
    collected: int
    uncollectable: int
    generations: tuple[int, ...]
    pauses: Sequence[Mapping[str, Any]]
    hidden: int


def gc_view(gc: Mapping[str, Any], wall_ms: float = 0.0) -> GcView:
    """The longest 200 pauses, with ``start_share`` and ``duration_share`` of the wall time."""
    every = gc.get("pauses") or []
    span = max([wall_ms, *(pause["start_ms"] + pause["duration_ms"] for pause in every)])
    pauses = [
        {
            **pause,
            "start_share": share(pause["start_ms"], span),
            "duration_share": share(pause["duration_ms"], span),
        }
        for pause in sorted(every, key=lambda pause: -pause["duration_ms"])
    ]
    return GcView(
        count=gc["count"],
        total_ms=gc["total_ms"],
        collected=gc.get("collected") or 0,
        uncollectable=gc.get("uncollectable") or 0,
        generations=tuple(gc.get("generations") or ()),
        pauses=pauses[: ROWS * 4],
        hidden=max(len(pauses) - ROWS * 4, 0),
    )
