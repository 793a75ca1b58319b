"""What the instruments recorded with a start and a length, for formats with an axis of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django_hotpath.capture import Capture
from django_hotpath.exporters._names import cut, valid
from django_hotpath.exporters._trees import nanoseconds


class Mark(NamedTuple):
    """Something that took a while; nanoseconds from the start of the capture."""

    name: str
    start: int
    length: int
    details: dict[str, Any]

    @property
    def end(self) -> int:
        return self.start + self.length


class Track(NamedTuple):
    title: str
    category: str
    marks: list[Mark]
    """By start, an outer one before those inside it; each ends in what it began in."""


def tracks(capture: Capture) -> list[Track]:
    """A kind of event on as many tracks as it takes for none to overlap without nesting."""
    found = []
    for title, category, marks in _all(capture.instruments):
        for number, lane in enumerate(_placed(marks), 1):
            found.append(Track(title if number == 1 else f"{title} {number}", category, lane))
    return found


def has_marks(capture: Capture) -> bool:
    """Whether there is anything on ``tracks``, told without making them: they may be long."""
    instruments = capture.instruments
    middleware = instruments.get("middleware") or {}
    if middleware.get("view") or any(_timed(middleware.get("middleware"))):
        return True
    return any(any(_timed((instruments.get(kind[2]) or {}).get(kind[3]))) for kind in _KINDS)


def memory_points(capture: Capture) -> list[tuple[int, int]]:
    """Resident memory over time, where samples took it: (nanoseconds, bytes)."""
    samples = capture.instruments.get("samples") or {}
    points = (samples.get("memory") or {}).get("points") or []
    return [(nanoseconds(at), int(size)) for at, size in points]


def _placed(marks: Sequence[Mark]) -> list[list[Mark]]:
    lanes: list[list[Mark]] = []
    opened: list[list[Mark]] = []
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.length)):
        lane = next((n for n, around in enumerate(opened) if _fits(mark, around)), len(lanes))
        if lane == len(lanes):
            lanes.append([])
            opened.append([])
        lanes[lane].append(mark)
        opened[lane].append(mark)
    return lanes


def _fits(mark: Mark, around: list[Mark]) -> bool:
    while around and around[-1].end <= mark.start:
        around.pop()
    return not around or mark.end <= around[-1].end


def _all(instruments: Mapping[str, Any]) -> Iterator[tuple[str, str, list[Mark]]]:
    middleware = instruments.get("middleware") or {}
    layers = [
        _mark(row["name"], row, "total_ms", {"own ms": row.get("own_ms")})
        for row in _timed(middleware.get("middleware"))
    ]
    if view := middleware.get("view"):
        layers.append(_mark("view", view, "duration_ms", {}))
    yield "Middleware and view", "middleware", layers
    for title, category, key, rows, name, details in _KINDS:
        recorded = instruments.get(key) or {}
        marks = [
            _mark(name(row), row, _LENGTH.get(category, "duration_ms"), _details(row, details))
            for row in _timed(recorded.get(rows))
        ]
        yield title, category, marks


def _timed(rows: Sequence[Mapping[str, Any]] | None) -> Iterator[Mapping[str, Any]]:
    return (row for row in rows or () if row.get("start_ms") is not None)


_LENGTH = {"await": "waited_ms"}

# Title, category, instrument, its list, the name of an entry, the keys that go along.
_KINDS: tuple[tuple[str, str, str, str, Any, tuple[str, ...]], ...] = (
    (
        *("Templates", "template", "templates", "renders"),
        lambda row: row["name"],
        ("engine", "own_ms"),
    ),
    (
        *("Queries", "sql", "queries", "queries"),
        lambda row: " ".join(str(row["sql"]).split()),
        ("index", "alias", "rows", "error", "transaction"),
    ),
    (
        *("Cache", "cache", "cache", "operations"),
        lambda row: f"{row['operation']} {', '.join(map(str, row.get('keys') or ()))}".strip(),
        ("index", "alias", "hits", "misses", "error"),
    ),
    (
        *("Other services (HTTP)", "http", "http", "requests"),
        lambda row: f"{row['method']} {row['url']}",
        ("index", "client", "status", "error"),
    ),
    (
        *("Garbage collector", "gc", "gc", "pauses"),
        lambda row: f"generation {row['generation']}",
        ("collected", "uncollectable"),
    ),
    (
        *("Event loop held", "eventloop", "eventloop", "holds"),
        lambda row: f"held: {row.get('doing') or 'not known'}",
        ("task",),
    ),
    (
        *("Awaits", "await", "eventloop", "waits"),
        lambda row: row.get("expression") or f"for {row['for']}",
        ("for", "late_ms", "suspensions"),
    ),
)


def _details(row: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    found = {key: row[key] for key in keys if row.get(key) is not None}
    if site := row.get("call_site"):
        found["call site"] = f"{site['file']}:{site['line']} in {site['function']}"
    return found


def _mark(name: str, row: Mapping[str, Any], length: str, details: Mapping[str, Any]) -> Mark:
    clean = {
        key: cut(valid(value)) if isinstance(value, str) else value
        for key, value in details.items()
        if value is not None
    }
    return Mark(
        name=cut(valid(str(name))),
        start=max(nanoseconds(row["start_ms"]), 0),
        length=max(nanoseconds(row.get(length) or 0.0), 0),
        details=clean,
    )
