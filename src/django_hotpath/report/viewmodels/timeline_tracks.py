"""The tracks of the timeline: what ran when, one instrument a track, on the request's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.capture import Capture
from django_hotpath.report.viewmodels.timeline_bars import ROWS, Bar, Times, Track
from django_hotpath.report.viewmodels.timeline_code import code_track

TEXT = 300


def tracks(capture: Capture) -> list[Track]:
    """Those that have anything, from what contains to what is contained."""
    made: list[Track] = []
    for build in _BUILDERS:
        track = build(capture)
        if track is not None and len(track):
            made.append(track)
    return made


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """A track with a bar for each row that an instrument recorded."""

    instrument: str
    rows: str
    bar: Callable[[Mapping[str, Any]], Bar] | None
    """None: what the bars say, the page has elsewhere."""
    key: str
    label: str
    hint: str
    tone: str
    tab: str = ""
    count: str = ""
    """The key of how many rows there were; else `truncated` says how many were left out."""

    def __call__(self, capture: Capture) -> Track | None:
        data = capture.instruments.get(self.instrument)
        if not data:
            return None
        rows = data.get(self.rows) or ()
        missed = (data.get(self.count) or 0) - len(rows) if self.count else data.get("truncated")
        return Track(
            key=self.key,
            label=self.label,
            hint=self.hint,
            tone=self.tone,
            tab=self.tab,
            bars=[self.bar(row) for row in rows] if self.bar else (),
            elsewhere=None if self.bar else _times(rows),
            missed=max(missed or 0, 0),
        )


def _middleware(capture: Capture) -> Track | None:
    data = capture.instruments.get("middleware")
    if not data:
        return None
    bars = [
        Bar(
            row["start_ms"],
            row["total_ms"],
            str(row["name"]).rpartition(".")[2],
            f"{row['name']}, own time {row['own_ms']:.3f} ms",
            depth,
        )
        for depth, row in enumerate(data["middleware"])
        if row.get("start_ms") is not None
    ]
    depth = max((bar.row or 0 for bar in bars), default=-1) + 1
    handler = data.get("handler")
    if handler and handler.get("start_ms") is not None:
        note = f"resolving the URL, process_view and the like, own time {handler['own_ms']:.3f} ms"
        bars.append(Bar(handler["start_ms"], handler["total_ms"], "Django's handler", note, depth))
        depth += 1
    view = data.get("view")
    if view:
        name = capture.request.view if capture.request else None
        text = f"view {name or ''}".strip()
        bars.append(Bar(view["start_ms"], view["duration_ms"], text, "", depth))
    return Track(
        key="middleware",
        label="Middleware and view",
        hint="Each from entering to leaving it, the inner ones below the outer ones",
        tone="middleware",
        tab="",
        bars=bars,
    )


def _templates(capture: Capture) -> Track | None:
    data = capture.instruments.get("templates")
    if not data:
        return None
    depth: dict[int, int] = {}
    renders = data.get("renders") or []
    parents = {row["index"]: row.get("parent") for row in renders}
    for index in parents:
        steps, above = 0, parents.get(index)
        while above is not None and steps < ROWS:
            steps, above = steps + 1, parents.get(above)
        depth[index] = steps
    # Of parallel threads they may overlap without containing each other.
    nested = not _overlap(renders, depth)
    bars = [
        Bar(
            row["start_ms"],
            row["duration_ms"],
            str(row["name"]),
            f"own time {row['own_ms']:.3f} ms",
            depth[row["index"]] if nested else None,
        )
        for row in renders
    ]
    return Track(
        key="templates",
        label="Templates",
        hint="Each rendering, includes and parents below what renders them",
        tone="template",
        tab="templates",
        bars=bars,
        missed=data.get("truncated") or 0,
    )


def _overlap(rows: Sequence[Mapping[str, Any]], depth: Mapping[int, int]) -> bool:
    ends: dict[int, float] = {}
    for row in sorted(rows, key=lambda row: row["start_ms"]):
        level = depth[row["index"]]
        if row["start_ms"] < ends.get(level, 0.0) - 1e-6:
            return True
        ends[level] = row["start_ms"] + row["duration_ms"]
    return False


def _stream(capture: Capture) -> Track | None:
    stream = capture.request.stream if capture.request else None
    if not stream:
        return None
    making, waiting = stream.get("generating_ms") or 0.0, stream.get("waiting_ms") or 0.0
    began = max(capture.timing.wall_ms - making, 0.0)
    chunks = stream.get("chunks")
    text = "streaming the answer" if chunks is None else f"streaming {chunks} chunks"
    note = f"{making:.2f} ms making them, {waiting:.2f} ms between them"
    return Track(
        key="stream",
        label="Streaming",
        hint="From the first chunk of the answer to the last",
        tone="django",
        bars=[Bar(began, making + waiting, text, note)],
    )


def _times(rows: Sequence[Mapping[str, Any]]) -> Times:
    return Times(
        [row["start_ms"] for row in rows],
        [row["duration_ms"] for row in rows],
        [place for place, row in enumerate(rows) if row.get("error")],
    )


def _cached(row: Mapping[str, Any]) -> Bar:
    text = f"{row['operation']} {', '.join(map(str, row.get('keys') or ()))}"[:TEXT]
    found = ""
    if row.get("hits") or row.get("misses"):
        found = f"{row.get('hits') or 0} hits, {row.get('misses') or 0} misses"
    failed = bool(row.get("error"))
    return Bar(row["start_ms"], row["duration_ms"], text, _joined(found, _at(row)), failed=failed)


def _sent(row: Mapping[str, Any]) -> Bar:
    text, status = f"{row['method']} {row['url']}"[:TEXT], row.get("status") or 0
    note = _joined(str(status or ""), _at(row))
    failed = bool(row.get("error")) or status >= 400
    return Bar(row["start_ms"], row["duration_ms"], text, note, failed=failed)


def _awaited(row: Mapping[str, Any]) -> Bar:
    expression = str(row.get("expression") or "").removeprefix("await ")
    text = f"await {expression}" if expression else f"waiting for {row['for']}"
    return Bar(row["start_ms"], row["waited_ms"], text, _at(row))


def _held(row: Mapping[str, Any]) -> Bar:
    text = f"held the event loop {row['duration_ms']:.0f} ms"
    return Bar(row["start_ms"], row["duration_ms"], text)


def _paused(row: Mapping[str, Any]) -> Bar:
    text = f"garbage collector, generation {row['generation']}"
    return Bar(row["start_ms"], row["duration_ms"], text, f"{row['collected']} objects freed")


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _at(row: Mapping[str, Any]) -> str:
    place = row.get("call_site") or {}
    if place.get("template"):
        return f"{place['template']}:{place.get('template_line')}"
    return f"{short_path(str(place['file']))}:{place['line']}" if place.get("file") else ""


_BUILDERS: tuple[Callable[[Capture], Track | None], ...] = (
    _middleware,
    _stream,
    code_track,
    _templates,
    _Rows(
        instrument="queries",
        rows="queries",
        bar=None,
        key="queries",
        label="Database",
        hint="Each statement, executing and fetching; those that overlap go below each other",
        tone="database",
        tab="queries",
    ),
    _Rows(
        instrument="cache",
        rows="operations",
        bar=_cached,
        key="cache",
        label="Cache",
        hint="Each operation on Django's caches",
        tone="cache",
        tab="cache",
    ),
    _Rows(
        instrument="http",
        rows="requests",
        bar=_sent,
        key="http",
        label="Other services",
        hint="Requests that your code sent by HTTP",
        tone="http",
    ),
    _Rows(
        instrument="eventloop",
        rows="waits",
        bar=_awaited,
        key="awaits",
        label="Awaits",
        hint="How long the request's own task was suspended, and for what",
        tone="rest",
        tab="eventloop",
    ),
    _Rows(
        instrument="eventloop",
        rows="holds",
        bar=_held,
        key="holds",
        label="Event loop held",
        hint="Steps in which no other request could run",
        tone="held",
        tab="eventloop",
        count="held_count",
    ),
    _Rows(
        instrument="gc",
        rows="pauses",
        bar=_paused,
        key="gc",
        label="Garbage collector",
        hint="Pauses in which every thread stood still",
        tone="gc",
        tab="gc",
        count="count",
    ),
)
