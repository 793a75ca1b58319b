"""Allocations of one run, and what several runs of the page kept each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.growth import MIN_RUNS, MIN_RUNS_TO_ACCUSE, Growth
from django_hotpath.report.formats import count, share

GROWING_ROWS = 20


@dataclass(frozen=True, kw_only=True)
class GrowthView:
    headline: str
    notes: tuple[str, ...]
    blocks: tuple[int, ...]
    """Blocks of Python in the process at the start of each run, oldest first."""
    rows: Sequence[Mapping[str, Any]]
    hidden: int


@dataclass(frozen=True, kw_only=True)
class AllocationsView:
    engine: str
    nframe: int | None
    foreign: bool
    traced_before: int | None
    traced_after: int | None
    traced_peak: int | None
    total_size: int | None
    total_count: int | None
    tools_size: int | None
    garbage: int | None
    """Objects that the collector freed when it was asked to; None: it was not."""
    modules_loaded: int
    by_line: Sequence[Mapping[str, Any]]
    by_file: Sequence[Mapping[str, Any]]
    by_traceback: Sequence[Mapping[str, Any]]
    """With ``last``, the frame that allocated, and ``nearest``, the project's innermost."""
    growth: GrowthView | None


def allocations_view(
    allocations: Mapping[str, Any], growth: Growth | None = None
) -> AllocationsView:
    """Each line, file and traceback gets ``share``, of the largest."""

    def rows(name: str) -> list[Mapping[str, Any]]:
        found = allocations.get(name) or []
        largest = max((abs(row["size"]) for row in found), default=0)
        return [{**row, "share": share(abs(row["size"]), largest)} for row in found]

    return AllocationsView(
        engine=str(allocations.get("engine", "")),
        nframe=allocations.get("nframe"),
        foreign=bool(allocations.get("foreign")),
        traced_before=allocations.get("traced_before"),
        traced_after=allocations.get("traced_after"),
        traced_peak=allocations.get("traced_peak"),
        total_size=allocations.get("total_size"),
        total_count=allocations.get("total_count"),
        tools_size=allocations.get("tools_size"),
        garbage=allocations.get("garbage"),
        modules_loaded=allocations.get("modules_loaded") or 0,
        by_line=rows("by_line"),
        by_file=rows("by_file"),
        by_traceback=[_with_ends(row) for row in rows("by_traceback")],
        growth=growth_view(growth) if growth is not None else None,
    )


def _with_ends(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the frame that allocated, and the ``nearest`` one of the project, if there is any."""
    frames = row["frames"]
    project = [frame for frame in frames if frame["kind"] == "project"]
    return {**row, "last": frames[-1], "nearest": (project or frames)[-1]}


def growth_view(growth: Growth) -> GrowthView:
    shown = growth.lines[:GROWING_ROWS]
    return GrowthView(
        headline=_headline(growth),
        notes=tuple(_notes(growth)),
        blocks=growth.blocks if growth.enough else (),
        rows=[
            {
                "file": line.file,
                "line": line.line,
                "kind": line.kind,
                "source": line.source,
                "least": min(line.sizes),
                "total": line.total,
                "confirmed": line.confirmed,
            }
            for line in shown
        ],
        hidden=len(growth.lines) - len(shown),
    )


def _headline(growth: Growth) -> str:
    runs = len(growth.runs)
    if not growth.enough:
        have = "One run" if runs == 1 else f"{runs} runs"
        return (
            f"{have} of this page in this process can be compared; from {MIN_RUNS} on they tell "
            f"what it keeps each time, from {MIN_RUNS_TO_ACCUSE} on what it does not give back."
        )
    sure = sum(line.confirmed for line in growth.lines)
    if sure:
        lines = "A line" if sure == 1 else f"{sure} lines"
        return (
            f"{lines} kept memory in each of the last {runs} runs, and the process grew by about "
            "as much from each run to the next: it is not given back."
        )
    if growth.lines:
        return (
            f"No leak can be named. The lines below kept memory in each of the last {runs} runs "
            "and the process grew meanwhile, but not in step with any one of them."
        )
    return f"Nothing in the last {runs} runs speaks for memory that is not given back."


def _notes(growth: Growth) -> list[str]:
    notes = []
    if growth.given_back:
        lines = "1 line" if growth.given_back == 1 else f"{count(growth.given_back)} lines"
        notes.append(
            f"{lines} more kept memory each time, but the process did not grow by it: the answer "
            "itself, or entries that take the place of older ones in a full cache."
        )
    if growth.enough and not growth.collected:
        notes.append(
            "Garbage that waits for Python's collector is in these figures. Runs with "
            "allocations:collect are without it, and tell smaller leaks from noise."
        )
    if growth.enough:
        notes.append(
            "A cache that is still being filled grows as a leak does; more runs tell them apart. "
            "Lines beyond the hundred largest of a run are not compared."
        )
    if growth.skipped:
        reasons = "; ".join(f"{number} {reason}" for reason, number in growth.skipped.items())
        notes.append(f"Not compared: {reasons}.")
    return notes
