"""Other captures of a request in the store, in the sets that they were made in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from statistics import median

from django_hotpath import deferred, stores
from django_hotpath.analysis.compare.runs import LIGHT
from django_hotpath.capture import Capture, id_time
from django_hotpath.stores.base import CaptureFilter, CaptureSummary

LOOKED_THROUGH = 500
MAX_RUNS = 50
"""More runs are not compared at once."""

# Runs of one set follow each other at once, and nobody edits code as quickly.
_GAP_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True)
class RunSet:
    """Captures of one path that were made one right after the other by the same instruments."""

    ids: tuple[str, ...]
    started_at: str
    ended_at: str
    median_ms: float
    queries: tuple[int, int] | None
    statuses: tuple[int, ...]
    instruments: tuple[str, ...]
    path: str

    @property
    def count(self) -> int:
        return len(self.ids)


def peers(capture: Capture, without: Collection[str] = ()) -> list[RunSet]:
    """Sets of the same method and route, newest first. Raises ``StoreError``.

    ``without`` are ids that are not to be in them.
    """
    request = capture.request
    if request is None:
        return []
    deferred.settle_all()
    page = stores.get_store().list(CaptureFilter(method=request.method), limit=LOOKED_THROUGH)
    alike = [
        found
        for found in page.items
        if found.id not in without
        and (found.route == request.route if request.route else found.path == request.path)
    ]
    return run_sets(alike)


def timed_alike(found: RunSet, capture: Capture) -> bool:
    """Whether times of the set can be compared with those of the capture, as far as its line in
    the list tells: engines are not in it.
    """
    measured = {name for name in capture.instruments if name not in LIGHT}
    return {name for name in found.instruments if name not in LIGHT} == measured


def run_sets(captures: Iterable[CaptureSummary]) -> list[RunSet]:
    """The captures in sets, newest first."""
    open_sets: dict[tuple[object, ...], list[CaptureSummary]] = {}
    done: list[list[CaptureSummary]] = []
    for found in sorted(captures, key=lambda summary: summary.id):
        key = (found.path, found.instruments)
        runs = open_sets.get(key)
        if runs and len(runs) < MAX_RUNS and _follows(runs[-1], found):
            runs.append(found)
            continue
        open_sets[key] = [found]
        done.append(open_sets[key])
    return [_run_set(runs) for runs in reversed(done)]


def _follows(last: CaptureSummary, found: CaptureSummary) -> bool:
    gap = id_time(found.id) - id_time(last.id)
    return gap <= _GAP_SECONDS + 3 * max(last.wall_ms, found.wall_ms) / 1000


def _run_set(runs: list[CaptureSummary]) -> RunSet:
    queries = [found.queries for found in runs if found.queries is not None]
    return RunSet(
        ids=tuple(found.id for found in runs),
        started_at=runs[0].started_at,
        ended_at=runs[-1].started_at,
        median_ms=median(found.wall_ms for found in runs),
        queries=(min(queries), max(queries)) if len(queries) == len(runs) else None,
        statuses=tuple(sorted({found.status for found in runs if found.status is not None})),
        instruments=runs[0].instruments,
        path=runs[0].path or "",
    )
