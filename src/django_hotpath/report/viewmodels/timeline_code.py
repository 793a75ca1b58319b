"""The track of the project's own calls, from the spans of the native tracer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.capture import Capture
from django_hotpath.report.viewmodels.timeline_bars import ROWS, Bar, Track


def code_track(capture: Capture) -> Track | None:
    calls = capture.instruments.get("calls") or {}
    spans, tree = calls.get("spans"), calls.get("tree")
    if not spans or not tree:
        return None
    functions, frame = calls["functions"], tree["frame"]
    bars: list[Bar] = []
    deepest: dict[int, int] = {}
    open_: dict[int, list[float]] = {}
    found: list[tuple[int, int, float, float, Mapping[str, Any]]] = []
    for node, start, ms, lane in zip(
        spans["node"], spans["start_ms"], spans["duration_ms"], spans["lane"], strict=True
    ):
        place = frame[node]
        if place < 0 or functions[place]["kind"] != "project":
            continue
        ends = open_.setdefault(lane, [])
        while ends and ends[-1] <= start + 1e-6:
            ends.pop()
        found.append((lane, len(ends), start, ms, functions[place]))
        deepest[lane] = max(deepest.get(lane, 0), len(ends))
        ends.append(start + ms)
    first: dict[int, int] = {}
    row = 0
    for lane in sorted(deepest):
        first[lane] = row
        row += deepest[lane] + 1
    for lane, depth, start, ms, function in found:
        if first[lane] + depth >= ROWS:
            continue
        where = f"{short_path(str(function['file']))}:{function['line']}"
        beside = f", thread or task {lane}" if lane else ""
        bars.append(Bar(start, ms, str(function["function"]), where + beside, first[lane] + depth))
    return Track(
        key="code",
        label="Your code",
        hint=f"Calls of your own functions of {spans['least_ms']:g} ms or longer, callers above",
        tone="project",
        tab="flame",
        bars=bars,
        missed=len(found) - len(bars),
    )
