"""Trace events, as Perfetto and ``chrome://tracing`` read them.

Complete events ("X"), a thread for each lane. Times are microseconds, rounded to 1/64: sums of such
numbers are exact, so that what is inside something ends within it also for a reader that adds.
What begins as its neighbour ends begins 1/64 later: readers could not tell them from nested ones.
The call tree, whose frames are as long as they took in sum, is a process of its own: its axis is
no time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from django_hotpath.exporters._lanes import Lane, lanes
from django_hotpath.exporters._names import valid
from django_hotpath.exporters._tracks import has_marks, memory_points, tracks
from django_hotpath.exporters._trees import Frames, has_times
from django_hotpath.exporters._trees import refusal as no_stacks

CONTENT_TYPE = "application/json"
SUFFIX = "trace.json"
LABEL = "Chrome trace"
HINT = "ui.perfetto.dev and chrome://tracing: calls, queries, cache, templates on one axis"

_TIME, _MERGED = 1, 2

# Of a microsecond; a power of two.
_TICKS = 64

Event = dict[str, Any]


def refusal(capture: Capture) -> str | None:
    """Memory has no place on it."""
    if has_times(capture) or has_marks(capture):
        return None
    return no_stacks(capture) or "this capture has nothing on an axis of time: add calls to it"


def export(capture: Capture) -> bytes:
    """Raises ``ExportError`` where nothing has a place on an axis: neither stacks nor events."""
    reason = refusal(capture)
    if reason is not None:
        raise ExportError(reason)
    frames = Frames()
    found = lanes(capture, frames) if no_stacks(capture) is None else []
    document = {
        "traceEvents": [*_lanes(found, frames), *_tracks(capture), *_memory(capture)],
        "displayTimeUnit": "ms",
        "otherData": {
            "name": valid(capture.label),
            "capture": valid(capture.id),
            "started_at": valid(capture.started_at),
            "exporter": f"django-hotpath {capture.environment.hotpath}",
            "notes": "; ".join(dict.fromkeys(note for lane in found for note in lane.notes)),
        },
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _lanes(found: list[Lane], frames: Frames) -> Iterator[Event]:
    yield _named("process_name", "In order of time", _TIME)
    if any(not lane.ordered for lane in found):
        yield _named("process_name", "Merged: lengths are sums, the order means nothing", _MERGED)
    # Memory has no length in time.
    for number, lane in enumerate((lane for lane in found if lane.unit == "nanoseconds"), 1):
        process = _TIME if lane.ordered else _MERGED
        yield _named("thread_name", lane.title, process, number)
        for frame, start, end in _fitted(list(lane.spans())):
            row = frames.rows[frame]
            event = _complete(row.name, row.kind, start, end, process, number)
            if row.file:
                event["args"] = {"file": row.file, "line": row.line}
            yield event


def _tracks(capture: Capture) -> Iterator[Event]:
    for number, track in enumerate(tracks(capture), 1_001):
        yield _named("thread_name", track.title, _TIME, number)
        marks = [(index, mark.start, mark.end) for index, mark in enumerate(track.marks)]
        for index, start, end in _fitted(marks, least=0):
            mark = track.marks[index]
            event = _complete(mark.name, track.category, start, end, _TIME, number)
            yield {**event, "args": mark.details}


def _fitted(
    spans: Sequence[tuple[int, int, int]], least: int = 1
) -> Iterator[tuple[int, int, int]]:
    """Nested spans, each with its number, in ticks in place of nanoseconds.

    Those shorter than ``least`` are left out. No two that stand side by side touch.
    """
    found: list[list[int]] = []
    opened: list[list[int]] = []
    for number, begins, ends in spans:
        start, end = _ticks(begins), _ticks(ends)
        if end - start < least:
            continue
        while opened and opened[-1][2] <= start:
            before = opened.pop()
            if before[2] == start > before[1]:
                before[2] -= 1
        span = [number, start, end]
        found.append(span)
        opened.append(span)
    for number, start, end in found:
        yield number, start, end


def _memory(capture: Capture) -> Iterator[Event]:
    for at, size in memory_points(capture):
        yield {
            "ph": "C",
            "name": "Resident memory",
            "ts": _ticks(at) / _TICKS,
            "pid": _TIME,
            "tid": 0,
            "args": {"bytes": size},
        }


def _named(kind: str, name: str, process: int, thread: int = 0) -> Event:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}


def _complete(name: str, category: str, start: int, end: int, process: int, thread: int) -> Event:
    return {
        "ph": "X",
        "name": name,
        "cat": category,
        "ts": start / _TICKS,
        "dur": (end - start) / _TICKS,
        "pid": process,
        "tid": thread,
    }


def _ticks(nanoseconds: int) -> int:
    return round(nanoseconds * _TICKS / 1000)
