"""The tracks of the timeline: what ran when, one instrument a track, on the request's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.capture import Capture
from django_hotpath.report.viewmodels.timeline_bars import ROWS, Bar, Track

TEXT = 300


def tracks(capture: Capture) -> list[Track]:
    """Those that have anything, from what contains to what is contained."""
    made: list[Track] = []
    for build in _BUILDERS:
        track = build(capture)
        if track is not None and track.bars:
            made.append(track)
    return made


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


def _code(capture: Capture) -> Track | None:
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


def _queries(capture: Capture) -> Track | None:
    data = capture.instruments.get("queries")
    if not data:
        return None
    bars = [
        Bar(
            row["start_ms"],
            row["duration_ms"],
            str(row["sql"])[:TEXT],
            _at(row),
            failed=bool(row.get("error")),
        )
        for row in data["queries"]
    ]
    return Track(
        key="queries",
        label="Database",
        hint="Each statement, executing and fetching; those that overlap go below each other",
        tone="database",
        tab="queries",
        bars=bars,
        missed=data.get("truncated") or 0,
    )


def _cache(capture: Capture) -> Track | None:
    data = capture.instruments.get("cache")
    if not data:
        return None
    bars = [
        Bar(
            row["start_ms"],
            row["duration_ms"],
            f"{row['operation']} {', '.join(map(str, row.get('keys') or ()))}"[:TEXT],
            _cached(row),
            failed=bool(row.get("error")),
        )
        for row in data.get("operations") or ()
    ]
    return Track(
        key="cache",
        label="Cache",
        hint="Each operation on Django's caches",
        tone="cache",
        tab="cache",
        bars=bars,
        missed=data.get("truncated") or 0,
    )


def _cached(row: Mapping[str, Any]) -> str:
    parts = []
    if row.get("hits") or row.get("misses"):
        parts.append(f"{row.get('hits') or 0} hits, {row.get('misses') or 0} misses")
    parts.append(_at(row))
    return ", ".join(part for part in parts if part)


def _http(capture: Capture) -> Track | None:
    data = capture.instruments.get("http")
    if not data:
        return None
    bars = [
        Bar(
            row["start_ms"],
            row["duration_ms"],
            f"{row['method']} {row['url']}"[:TEXT],
            ", ".join(part for part in (str(row.get("status") or ""), _at(row)) if part),
            failed=bool(row.get("error")) or (row.get("status") or 0) >= 400,
        )
        for row in data.get("requests") or ()
    ]
    return Track(
        key="http",
        label="Other services",
        hint="Requests that your code sent by HTTP",
        tone="http",
        bars=bars,
        missed=data.get("truncated") or 0,
    )


def _awaits(capture: Capture) -> Track | None:
    data = capture.instruments.get("eventloop")
    if not data:
        return None
    bars = [
        Bar(
            row["start_ms"],
            row["waited_ms"],
            f"await {row['expression'].removeprefix('await ')}"
            if row.get("expression")
            else f"waiting for {row['for']}",
            _at(row),
        )
        for row in data.get("waits") or ()
    ]
    return Track(
        key="awaits",
        label="Awaits",
        hint="How long the request's own task was suspended, and for what",
        tone="rest",
        tab="eventloop",
        bars=bars,
        missed=data.get("truncated") or 0,
    )


def _holds(capture: Capture) -> Track | None:
    data = capture.instruments.get("eventloop")
    if not data:
        return None
    bars = [
        Bar(row["start_ms"], row["duration_ms"], f"held the event loop {row['duration_ms']:.0f} ms")
        for row in data.get("holds") or ()
    ]
    return Track(
        key="holds",
        label="Event loop held",
        hint="Steps in which no other request could run",
        tone="held",
        tab="eventloop",
        bars=bars,
    )


def _gc(capture: Capture) -> Track | None:
    data = capture.instruments.get("gc")
    if not data:
        return None
    bars = [
        Bar(
            row["start_ms"],
            row["duration_ms"],
            f"garbage collector, generation {row['generation']}",
            f"{row['collected']} objects freed",
        )
        for row in data.get("pauses") or ()
    ]
    return Track(
        key="gc",
        label="Garbage collector",
        hint="Pauses in which every thread stood still",
        tone="gc",
        tab="gc",
        bars=bars,
        missed=max((data.get("count") or 0) - len(bars), 0),
    )


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


def _at(row: Mapping[str, Any]) -> str:
    place = row.get("call_site") or {}
    if place.get("template"):
        return f"{place['template']}:{place.get('template_line')}"
    return f"{short_path(str(place['file']))}:{place['line']}" if place.get("file") else ""


_BUILDERS: tuple[Callable[[Capture], Track | None], ...] = (
    _middleware,
    _stream,
    _code,
    _templates,
    _queries,
    _cache,
    _http,
    _awaits,
    _holds,
    _gc,
)
