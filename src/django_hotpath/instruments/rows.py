"""Counts and times the rows of a statement as the application fetches them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.backends.utils import CursorWrapper

from django_hotpath.instruments.base import clock
from django_hotpath.instruments.named_frames import Runner
from django_hotpath.instruments.query_record import QueryRecord

_plain_types: dict[type, bool] = {}


def watch_rows(
    record: QueryRecord, cursor: CursorWrapper, many: bool, frame: Runner | None = None
) -> None:
    """Counts and times the rows as the application fetches them, in a named frame if there is one.

    Only on Django's own cursor wrappers, which define no fetch methods, so that nothing is
    hidden.
    """
    raw = cursor.cursor
    affected = getattr(raw, "rowcount", -1)
    if isinstance(affected, int) and affected >= 0:
        record.rows = affected
    attributes = cursor.__dict__
    if many or not _is_plain(type(cursor)) or _is_theirs(attributes):
        return
    watch = _Watch(record, raw, cursor.db.wrap_database_errors, frame)
    attributes["fetchone"] = watch.fetchone
    attributes["fetchmany"] = watch.fetchmany
    attributes["fetchall"] = watch.fetchall


def _is_theirs(attributes: dict[str, Any]) -> bool:
    """Whether the application put fetch methods of its own on the cursor."""
    for name in ("fetchone", "fetchmany", "fetchall"):
        found = attributes.get(name)
        if found is not None and type(getattr(found, "__self__", None)) is not _Watch:
            return True
    return False


class _Watch:
    """Fetches for a cursor wrapper, counting and timing.

    It holds the driver's cursor and not the wrapper: no reference cycle, and the cursor is freed
    when the application lets go of it.
    """

    __slots__ = ("guard", "raw", "record", "run", "seen")

    def __init__(
        self, record: QueryRecord, raw: Any, guard: Callable[..., Any], run: Runner | None
    ) -> None:
        self.record, self.raw, self.guard, self.run, self.seen = record, raw, guard, run, 0

    def note(self, count: int, started: int) -> None:
        self.seen += count
        record = self.record
        record.rows = max(self.seen, record.rows or 0)
        record.fetch_ns += clock() - started

    def fetchone(self, *args: Any, **kwargs: Any) -> Any:
        started = clock()
        fetch, run = self.guard(self.raw.fetchone), self.run
        row = fetch(*args, **kwargs) if run is None else run(fetch, *args, **kwargs)
        self.note(row is not None, started)
        return row

    def fetchmany(self, *args: Any, **kwargs: Any) -> Any:
        started = clock()
        fetch, run = self.guard(self.raw.fetchmany), self.run
        rows = fetch(*args, **kwargs) if run is None else run(fetch, *args, **kwargs)
        self.note(len(rows), started)
        return rows

    def fetchall(self, *args: Any, **kwargs: Any) -> Any:
        started = clock()
        fetch, run = self.guard(self.raw.fetchall), self.run
        rows = fetch(*args, **kwargs) if run is None else run(fetch, *args, **kwargs)
        self.note(len(rows), started)
        return rows


def _is_plain(cursor_type: type) -> bool:
    known = _plain_types.get(cursor_type)
    if known is None:
        known = not any(hasattr(cursor_type, name) for name in ("fetchone", "fetchmany"))
        _plain_types[cursor_type] = known
    return known
