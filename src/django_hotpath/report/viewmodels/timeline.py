"""The section "Timeline": everything that was recorded on one axis, and the gaps in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels.timeline_bars import Track, union
from django_hotpath.report.viewmodels.timeline_tracks import tracks

GAPS = 10
LEAST_GAP = 0.005
"""Of the whole time: shorter ones are too many to look at."""

HANDLER = "Django's handler: resolving the URL, process_view and the like"

# While one of these is there, the request is not computing in Python.
_WAITING = frozenset({"queries", "cache", "http", "awaits", "gc"})


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Time in which nothing was recorded but Python at work."""

    start_ms: float
    ms: float
    share: float
    within: str
    """The function that ran for most of it, as deep as that can be said."""
    place: str


@dataclass(frozen=True, kw_only=True)
class MiddlewareRow:
    name: str
    short: str
    own_ms: float
    total_ms: float
    start_ms: float | None
    own_share: float
    """Of the largest own time."""


@dataclass(frozen=True, kw_only=True)
class TimelineView:
    total_ms: float
    tracks: tuple[Track, ...]
    gaps: tuple[Gap, ...]
    gap_ms: float
    """All gaps together, those too short to list as well."""
    gap_share: float
    middleware: tuple[MiddlewareRow, ...]
    middleware_ms: float
    missed: tuple[str, ...]
    """Middleware that could not be told apart from its neighbour, each with the reason."""
    data: dict[str, Any]


def timeline_view(capture: Capture) -> TimelineView | None:
    found = tracks(capture)
    if not found:
        return None
    ends = (track.periods[-1][1] for track in found)
    total = max([capture.timing.wall_ms, *ends])
    gaps, gap_ms = _gaps(found, capture.timing.wall_ms)
    calls = capture.instruments.get("calls") or {}
    named = [_named(gap, calls, total) for gap in gaps]
    rows = _middleware(capture.instruments.get("middleware") or {})
    return TimelineView(
        total_ms=total,
        tracks=tuple(found),
        gaps=tuple(sorted(named, key=lambda gap: -gap.ms)[:GAPS]),
        gap_ms=gap_ms,
        gap_share=share(gap_ms, total),
        middleware=rows,
        middleware_ms=sum(row.own_ms for row in rows),
        missed=tuple(_missed(capture.instruments.get("middleware") or {})),
        data=_data(found, total, gaps),
    )


def _gaps(found: Sequence[Track], wall_ms: float) -> tuple[list[tuple[float, float]], float]:
    """Those worth showing, and the sum of all."""
    busy = [track.periods for track in found if track.key in _WAITING]
    gaps, at, whole = [], 0.0, 0.0
    for start, end in [*(busy[0] if len(busy) == 1 else union(chain(*busy))), (wall_ms, wall_ms)]:
        ms = min(start, wall_ms) - at
        if ms > 0:
            whole += ms
            if ms >= wall_ms * LEAST_GAP:
                gaps.append((at, ms))
        at = max(at, end)
    return gaps, whole


def _named(gap: tuple[float, float], calls: Mapping[str, Any], total: float) -> Gap:
    """Goes down the calls for as long as one of them fills most of the gap."""
    start, ms = gap
    spans, tree = calls.get("spans"), calls.get("tree")
    within, place = "", ""
    if spans and tree:
        for node, began, took, lane in zip(
            spans["node"], spans["start_ms"], spans["duration_ms"], spans["lane"], strict=True
        ):
            if lane or min(began + took, start + ms) - max(began, start) < ms / 2:
                continue
            frame = tree["frame"][node]
            if frame >= 0:
                function = calls["functions"][frame]
                within = str(function["function"])
                place = f"{function['file']}:{function['line']}" if function["file"] else ""
    return Gap(start_ms=start, ms=ms, share=share(ms, total), within=within, place=place)


def _middleware(data: Mapping[str, Any]) -> tuple[MiddlewareRow, ...]:
    rows = list(data.get("middleware") or ())
    if handler := data.get("handler"):
        rows.append({"name": HANDLER, **handler})
    largest = max((row["own_ms"] for row in rows), default=0.0)
    return tuple(
        MiddlewareRow(
            name=str(row["name"]),
            short=str(row["name"]).rpartition(".")[2],
            own_ms=row["own_ms"],
            total_ms=row["total_ms"],
            start_ms=row.get("start_ms"),
            own_share=share(row["own_ms"], largest),
        )
        for row in rows
    )


def _missed(data: Mapping[str, Any]) -> list[str]:
    return [
        f"{entry.get('name')}: {entry.get('reason')}" if isinstance(entry, Mapping) else str(entry)
        for entry in data.get("missed") or ()
    ]


def _data(
    found: Sequence[Track], total: float, gaps: Sequence[tuple[float, float]]
) -> dict[str, Any]:
    """Columns, with each text once; a column of zeros is 0, and ``index`` in its order is left out.

    What the page has among its statements already is not in the track of the database again.
    """
    texts: dict[str, int] = {"": 0}

    def text(value: str) -> int:
        return texts.setdefault(value, len(texts))

    columns = []
    for track in found:
        rows, below = track.rows, max(track.rows)
        starts, _, failed = track.times
        bad = set(failed)
        order = sorted(range(len(track)), key=starts.__getitem__)
        if below:
            order.sort(key=rows.__getitem__)
        column: dict[str, Any] = {
            "key": track.key,
            "label": track.label,
            "hint": track.hint,
            "tone": track.tone,
            "tab": track.tab,
            "rows": below + 1,
            "busy": round(track.busy, 4),
            "missed": track.missed,
            "count": len(track),
            "row": [rows[i] for i in order] if below else 0,
            "failed": [place for place, i in enumerate(order) if i in bad],
        }
        if order != list(range(len(order))):
            column["index"] = order
        if track.elsewhere is None:
            bars = [track.bars[i] for i in order]
            column["start"] = [round(bar.start, 4) for bar in bars]
            column["ms"] = [round(bar.ms, 4) for bar in bars]
            column["text"] = [text(bar.text) for bar in bars]
            column["note"] = [text(bar.note) for bar in bars]
        columns.append(column)
    return {
        "total": round(total, 4),
        "tracks": columns,
        "gaps": [[round(start, 4), round(ms, 4)] for start, ms in gaps],
        "texts": list(texts),
    }
