"""The section "Event loop": lag, what blocked, what was awaited in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.report.formats import count
from django_hotpath.report.viewmodels.sites import Site, frame, site

ROWS = 200

_DOING = {
    "waiting": "waiting",
    "computing": "computing",
    "both": "computing and waiting",
}
_TASKS = {
    "own": "the request's own task",
    "started": "a task that the request started",
    "callback": "a callback that the request scheduled",
}
_FOR = {
    "thread": "sync code, in the request's one thread for it (the ORM, sync middleware)",
    "threads": "a thread of a pool",
    "sleep": "time to pass",
    "lock": "a lock",
    "queue": "a queue",
    "future": "a task or future",
    "async generator": "an async generator",
}


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """Where it stood, and for about how long."""

    about_ms: float
    doing: str
    site: Site | None
    expression: str
    inside: str
    looks: str
    stack: tuple[Site, ...]
    """Outermost first."""
    unknown: str
    """Why there is no line."""


@dataclass(frozen=True, kw_only=True)
class HoldRow:
    """A time in which nothing else could run in the loop."""

    start_ms: float
    duration_ms: float
    cpu_ms: float | None
    doing: str
    task: str
    exact: bool
    lines: tuple[LineRow, ...]
    """The longest first; empty when it ended before it could be looked at."""


@dataclass(frozen=True, kw_only=True)
class WaitRow:
    start_ms: float
    waited_ms: float
    late_ms: float
    what: str
    site: Site | None
    expression: str
    unfinished: bool


@dataclass(frozen=True, kw_only=True)
class EventLoopView:
    """``loop`` is None where the work did not run in one: then nothing else is set."""

    loop: str | None
    figure: str = ""
    """For the tab."""
    blocking_ms: float = 0
    interval_ms: float = 0
    ticks: int = 0
    lag_p50_ms: float | None = None
    lag_p95_ms: float | None = None
    lag_max_ms: float = 0
    driven: bool = False
    steps: int = 0
    run_ms: float = 0
    cpu_ms: float = 0
    held_count: int = 0
    held_ms: float = 0
    holds: Sequence[HoldRow] = ()
    more_holds: int = 0
    others_count: int = 0
    others_ms: float = 0
    others_max_ms: float = 0
    waited_ms: float = 0
    wait_count: int = 0
    waits: Sequence[WaitRow] = ()
    more_waits: int = 0


def eventloop_view(measured: Mapping[str, Any]) -> EventLoopView:
    if measured["loop"] is None:
        return EventLoopView(loop=None)
    others = measured["others"]
    held = measured["held_count"]
    holds, waits = measured["holds"], measured["waits"]
    return EventLoopView(
        loop=str(measured["loop"]),
        figure=f"{count(held)} blocked" if held else "",
        blocking_ms=measured["blocking_ms"],
        interval_ms=measured["interval_ms"],
        ticks=measured["ticks"],
        lag_p50_ms=measured["lag_p50_ms"],
        lag_p95_ms=measured["lag_p95_ms"],
        lag_max_ms=measured["lag_max_ms"],
        driven=bool(measured["driven"]),
        steps=measured["steps"],
        run_ms=measured["run_ms"],
        cpu_ms=measured["cpu_ms"],
        held_count=held,
        held_ms=measured["held_ms"],
        holds=[_hold(row) for row in holds],
        more_holds=held - len(holds),
        others_count=others["count"],
        others_ms=others["total_ms"],
        others_max_ms=others["max_ms"],
        waited_ms=measured["waited_ms"],
        wait_count=measured["wait_count"],
        waits=[_wait(row) for row in waits[:ROWS]],
        more_waits=max(len(waits) - ROWS, 0) + measured["truncated"],
    )


def _hold(row: Mapping[str, Any]) -> HoldRow:
    return HoldRow(
        start_ms=row["start_ms"],
        duration_ms=row["duration_ms"],
        cpu_ms=row["cpu_ms"],
        doing=_DOING.get(row["doing"], ""),
        task=_TASKS.get(row["task"], str(row["task"])),
        exact=bool(row["exact"]),
        lines=tuple(_line(line, row["looks"]) for line in row["lines"]),
    )


def _line(line: Mapping[str, Any], looks: int) -> LineRow:
    inside = line["inside"]
    unknown = ""
    if not line["call_site"]:
        tool = inside and inside["kind"] == "hotpath"
        unknown = "a profiling tool was at work" if tool else "no code of the project was there"
    return LineRow(
        about_ms=line["about_ms"],
        doing="importing modules" if line["importing"] else _DOING.get(line["doing"], ""),
        site=site(line["call_site"]),
        expression=str(line["expression"] or ""),
        inside=f"{inside['function']}() of {inside['package']}" if inside else "",
        looks=f"{line['looks']} of {looks}",
        stack=tuple(frame(found) for found in line["stack"]),
        unknown=unknown,
    )


def _wait(row: Mapping[str, Any]) -> WaitRow:
    reason = str(row["for"])
    return WaitRow(
        start_ms=row["start_ms"],
        waited_ms=row["waited_ms"],
        late_ms=row["late_ms"],
        what=_FOR.get(reason, reason),
        site=site(row["call_site"]),
        expression=str(row["expression"] or ""),
        unfinished=bool(row["unfinished"]),
    )
