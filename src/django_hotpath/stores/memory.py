"""Captures of this process only, gone when it ends: for tests."""

from __future__ import annotations

import threading
import time
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.stores.base import (
    CaptureFilter,
    CaptureNotFound,
    CaptureSummary,
    Page,
    Store,
    summarise,
)


class MemoryStore(Store):
    """Keeps the JSON, so that what comes back is what any other store would give."""

    def __init__(self, *, max_captures: int = 200, max_age: float | None = None) -> None:
        self.max_captures = max_captures
        self.max_age = max_age
        self._kept: dict[str, tuple[float, CaptureSummary, str]] = {}
        self._lock = threading.Lock()

    def save(self, capture: Capture) -> None:
        entry = (time.time(), summarise(capture), capture.to_json())
        with self._lock:
            self._kept[capture.id] = entry
            self._retain(capture.id)

    def _retain(self, saved: str) -> None:
        if self.max_age is not None:
            oldest = time.time() - self.max_age
            self._kept = {key: entry for key, entry in self._kept.items() if entry[0] >= oldest}
        others = sorted(key for key in self._kept if key != saved)
        for key in others[: max(len(self._kept) - self.max_captures, 0)]:
            del self._kept[key]

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

    def clear(self) -> int:
        with self._lock:
            count = len(self._kept)
            self._kept.clear()
        return count


def _matches(summary: CaptureSummary, where: CaptureFilter) -> bool:
    text = f"{summary.path or ''} {summary.label}".casefold()
    status = str(summary.status or "")
    wanted = where.status.lower().removesuffix("xx")
    return (
        where.path.casefold() in text
        and (not where.method or summary.method == where.method.upper())
        and (not wanted or (status.startswith(wanted) and len(status) == 3))
        and (where.min_ms is None or summary.wall_ms >= where.min_ms)
        and (where.max_ms is None or summary.wall_ms <= where.max_ms)
    )


def _sortable(value: Any) -> tuple[bool, Any]:
    # None is less than everything.
    return (value is not None, value if value is not None else 0)
