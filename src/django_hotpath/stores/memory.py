"""Captures of this process only, gone when it ends: for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.conf import DEFAULT_SUMMARIES
from django_hotpath.stores.base import (
    CaptureFilter,
    CaptureNotFound,
    CaptureSummary,
    Page,
    Store,
    summarise,
)
from django_hotpath.stores.requests import (
    FiguresPage,
    RequestFigures,
    RequestFilter,
    RequestPage,
    RequestSummary,
    line_of,
)


class MemoryStore(Store):
    """Keeps the JSON, so that what comes back is what any other store would give."""

    def __init__(
        self,
        *,
        max_captures: int = 200,
        max_age: float | None = None,
        max_summaries: int = DEFAULT_SUMMARIES,
    ) -> None:
        self.max_captures = max_captures
        self.max_age = max_age
        self.max_summaries = max_summaries
        self._kept: dict[str, tuple[float, CaptureSummary, str]] = {}
        self._lines: dict[int, RequestSummary] = {}
        self._cursor = 0
        self._lock = threading.Lock()

    def save(self, capture: Capture) -> None:
        entry = (time.time(), summarise(capture), capture.to_json())
        line = line_of(capture)
        with self._lock:
            self._kept[capture.id] = entry
            old = self._line_with(capture.id)
            if old is None:
                self._add(line)
            else:
                self._lines[old.seq] = replace(line, seq=old.seq)
            self._retain(entry[1])

    def _retain(self, saved: CaptureSummary) -> None:
        gone = set()
        if self.max_age is not None:
            oldest = time.time() - self.max_age
            gone = {key for key, entry in self._kept.items() if entry[0] < oldest}
        others = sorted(
            key
            for key, entry in self._kept.items()
            if key != saved.id and key not in gone and entry[1].automatic == saved.automatic
        )
        gone.update(others[: max(len(others) - max(self.max_captures - 1, 0), 0)])
        for key in gone:
            del self._kept[key]
        for line in [line for line in self._lines.values() if line.capture in gone]:
            if line.method:
                self._lines[line.seq] = replace(line, capture=None)
            else:
                del self._lines[line.seq]
        self._retain_lines()

    def _retain_lines(self) -> None:
        plain = sorted(seq for seq, line in self._lines.items() if line.capture is None)
        for seq in plain[: max(len(plain) - self.max_summaries, 0)]:
            del self._lines[seq]

    def _add(self, line: RequestSummary) -> None:
        self._cursor += 1
        self._lines[self._cursor] = replace(line, seq=self._cursor)

    def _line_with(self, capture_id: str) -> RequestSummary | None:
        return next((line for line in self._lines.values() if line.capture == capture_id), None)

    def get(self, capture_id: str) -> Capture:
        try:
            text = self._kept[capture_id][2]
        except KeyError:
            raise CaptureNotFound(f"there is no capture {capture_id}") from None
        return Capture.from_json(text)

    def list(self, where: CaptureFilter | None = None, *, offset: int = 0, limit: int = 50) -> Page:
        where = where or CaptureFilter()
        with self._lock:
            summaries = [entry[1] for entry in self._kept.values()]
        matching = [summary for summary in summaries if _matches(summary, where)]
        field, downwards = where.order
        # Ties in the order of time, the newest first, as in every store.
        matching.sort(key=lambda summary: summary.id, reverse=True)
        matching.sort(
            key=lambda summary: _sortable(getattr(summary, field)),
            reverse=downwards,
        )
        return Page(items=tuple(matching[offset : offset + limit]), total=len(matching))

    def delete(self, capture_id: str) -> None:
        with self._lock:
            if self._kept.pop(capture_id, None) is None:
                raise CaptureNotFound(f"there is no capture {capture_id}")
            line = self._line_with(capture_id)
            if line is not None:
                del self._lines[line.seq]

    def clear(self) -> int:
        with self._lock:
            count = len(self._kept)
            self._kept.clear()
            self._lines.clear()
        return count

    def add_summaries(self, summaries: Sequence[RequestSummary]) -> None:
        with self._lock:
            for line in summaries:
                self._add(line)
            self._retain_lines()

    def summaries(
        self,
        where: RequestFilter | None = None,
        *,
        after: int | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> RequestPage:
        where = where or RequestFilter()
        with self._lock:
            lines, cursor = list(self._lines.values()), self._cursor
        matching = [line for line in lines if _line_matches(line, where)]
        matching.sort(key=lambda line: line.seq, reverse=True)
        if after is not None:
            matching = [line for line in matching if line.seq > after]
        else:
            field, downwards = where.order
            matching.sort(key=lambda line: _sortable(getattr(line, field)), reverse=downwards)
        found = tuple(matching[offset : offset + limit])
        return RequestPage(items=found, total=len(matching), cursor=cursor)

    def figures(self, where: RequestFilter | None = None, *, limit: int = 10_000) -> FiguresPage:
        newest = replace(where or RequestFilter(), sort="-started_at")
        page = self.summaries(newest, limit=len(self._lines))
        found = [line for line in page.items if line.method is not None]
        items = [
            RequestFigures(*(getattr(line, name) for name in RequestFigures._fields))
            for line in reversed(found[:limit])
        ]
        return FiguresPage(items=items, total=len(found), cursor=page.cursor)


def _matches(
    summary: CaptureSummary | RequestSummary, where: CaptureFilter | RequestFilter
) -> bool:
    query = summary.query_string if isinstance(summary, RequestSummary) else ""
    text = f"{summary.path or ''}{'?' if query else ''}{query} {summary.label}".casefold()
    status = str(summary.status or "")
    wanted = where.status.lower().removesuffix("xx")
    return (
        where.path.casefold() in text
        and (not where.method or summary.method == where.method.upper())
        and (not wanted or (status.startswith(wanted) and len(status) == 3))
        and (where.min_ms is None or summary.wall_ms >= where.min_ms)
        and (where.max_ms is None or summary.wall_ms <= where.max_ms)
    )


def _line_matches(line: RequestSummary, where: RequestFilter) -> bool:
    return (
        _matches(line, where)
        and (where.route is None or line.route == where.route)
        and (not where.routeless or (line.route is None and line.method is not None))
        and line.started_at >= where.since
        and (where.upto is None or line.seq <= where.upto)
        and (not where.captured or line.capture is not None)
    )


def _sortable(value: Any) -> tuple[bool, Any]:
    # None is less than everything.
    return (value is not None, value if value is not None else 0)
