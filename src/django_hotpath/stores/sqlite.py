"""Captures in one SQLite file of their own: no migration, nothing in the project's database."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sqlite3
import time
import weakref
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django_hotpath.callsite import base_dir
from django_hotpath.capture import Capture, CaptureError
from django_hotpath.conf import DEFAULT_SUMMARIES
from django_hotpath.stores import sqlite_requests
from django_hotpath.stores.base import (
    CaptureFilter,
    CaptureNotFound,
    CaptureSummary,
    Page,
    Store,
    StoreError,
    summarise,
)
from django_hotpath.stores.connection import Writer
from django_hotpath.stores.requests import (
    FiguresPage,
    RequestFilter,
    RequestPage,
    RequestSummary,
    line_of,
)
from django_hotpath.stores.sqlite_requests import storable
from django_hotpath.stores.sqlite_schema import migrate

_COLUMNS = (
    "id",
    "started_at",
    "label",
    "method",
    "path",
    "route",
    "status",
    "wall_ms",
    "cpu_ms",
    "queries",
    "db_ms",
    "findings",
    "high",
    "instruments",
    "automatic",
)
_TEXT = "coalesce(path, '') || ' ' || label"
_migrate = migrate
# A request may wait this long for another one that is writing, no longer.
_BUSY_SECONDS = 1.0


class SQLiteStore(Store):
    """``path`` defaults to ``.hotpath/captures.sqlite3`` beside ``manage.py``.

    The folder is made at the first save, readable by its owner only, with a ``.gitignore``. One
    connection that stays open writes the captures, others that live for one call read them: safe
    across threads, forks and a file that somebody deleted.
    """

    def __init__(
        self,
        *,
        path: str | os.PathLike[str] | None = None,
        max_captures: int = 200,
        max_age: float | None = None,
        max_summaries: int = DEFAULT_SUMMARIES,
    ) -> None:
        self.path = Path(path) if path else base_dir() / ".hotpath" / "captures.sqlite3"
        self.max_captures = max_captures
        self.max_age = max_age
        self.max_summaries = max_summaries
        self._writer = Writer(self.path, functools.partial(_open_for_writing, self.path))
        # With the store, at the latest at the end of the process.
        weakref.finalize(self, self._writer.close)

    def save(self, capture: Capture) -> None:
        summary = asdict(summarise(capture))
        summary["instruments"] = json.dumps(summary["instruments"])
        body = zlib.compress(capture.to_json().encode("ascii"), level=1)
        values = [storable(summary[column]) for column in _COLUMNS]
        marks = ", ".join("?" * (len(_COLUMNS) + 2))
        with self._writing() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO captures ({', '.join(_COLUMNS)}, saved_at, body) "  # noqa: S608
                f"VALUES ({marks})",
                [*values, time.time(), body],
            )
            sqlite_requests.put(connection, line_of(capture))
            self._retain(connection, capture)

    def _retain(self, connection: sqlite3.Connection, saved: Capture) -> None:
        """A clock that was set back must not make the capture just saved the oldest one."""
        gone: list[tuple[str]] = []
        if self.max_age is not None:
            gone += connection.execute(
                "SELECT id FROM captures WHERE saved_at < ?", [time.time() - self.max_age]
            )
        gone += connection.execute(
            "SELECT id FROM captures WHERE id <> ? AND automatic = ? "
            "ORDER BY id DESC LIMIT -1 OFFSET ?",
            [saved.id, saved.automatic, max(self.max_captures - 1, 0)],
        )
        connection.executemany("DELETE FROM captures WHERE id = ?", gone)
        sqlite_requests.let_go(connection, gone)
        sqlite_requests.retain(connection, self.max_summaries)

    def get(self, capture_id: str) -> Capture:
        with self._connection() as connection:
            row = connection.execute(
                "SELECT body FROM captures WHERE id = ?", [capture_id]
            ).fetchone()
        if row is None:
            raise CaptureNotFound(f"there is no capture {capture_id}")
        try:
            return Capture.from_json(zlib.decompress(row[0]))
        except (CaptureError, TypeError, zlib.error) as error:
            raise StoreError(f"capture {capture_id} cannot be read: {error}") from error

    def list(self, where: CaptureFilter | None = None, *, offset: int = 0, limit: int = 50) -> Page:
        where = where or CaptureFilter()
        conditions, values = sqlite_requests.common_conditions(where, _TEXT)
        field, downwards = where.order
        order = f"{field} {'DESC' if downwards else 'ASC'}, id DESC"
        with self._connection() as connection:
            (total,) = connection.execute(
                f"SELECT COUNT(*) FROM captures WHERE {conditions}",  # noqa: S608
                values,
            ).fetchone()
            rows = connection.execute(
                f"SELECT {', '.join(_COLUMNS)} FROM captures WHERE {conditions} "  # noqa: S608
                f"ORDER BY {order} LIMIT ? OFFSET ?",
                [*values, limit, offset],
            ).fetchall()
        try:
            items = tuple(_summary(row) for row in rows)
        except (TypeError, ValueError) as error:
            raise StoreError(f"{self.path} holds rows that cannot be read: {error}") from error
        return Page(items=items, total=total)

    def delete(self, capture_id: str) -> None:
        with self._connection() as connection:
            deleted = connection.execute("DELETE FROM captures WHERE id = ?", [capture_id])
            if deleted.rowcount == 0:
                raise CaptureNotFound(f"there is no capture {capture_id}")
            connection.execute("DELETE FROM requests WHERE capture = ?", [capture_id])

    def clear(self) -> int:
        with self._connection() as connection:
            connection.execute("DELETE FROM requests")
            return connection.execute("DELETE FROM captures").rowcount

    def add_summaries(self, summaries: Sequence[RequestSummary]) -> None:
        with self._writing() as connection:
            sqlite_requests.add(connection, summaries)
            sqlite_requests.retain(connection, self.max_summaries)

    def summaries(
        self,
        where: RequestFilter | None = None,
        *,
        after: int | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> RequestPage:
        where = where or RequestFilter()
        with self._connection() as connection:
            try:
                return sqlite_requests.find(connection, where, after, offset, limit)
            except (TypeError, ValueError) as error:
                raise StoreError(f"{self.path} holds rows that cannot be read: {error}") from error

    def figures(self, where: RequestFilter | None = None, *, limit: int = 10_000) -> FiguresPage:
        with self._connection() as connection:
            return sqlite_requests.figures(connection, where or RequestFilter(), limit)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction of the connection that stays open."""
        try:
            with self._writer.transaction() as connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A transaction in the file; an empty database in memory where there is no file yet."""
        connection = None
        try:
            target = self.path if self.path.exists() else ":memory:"
            connection = sqlite3.connect(target, timeout=_BUSY_SECONDS)
            _prepare(connection)
            with connection:
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error
        finally:
            if connection is not None:
                connection.close()


def _open_for_writing(path: Path) -> sqlite3.Connection:
    folder = path.parent
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / ".gitignore").write_text("*\n", encoding="ascii")
    if not path.exists():
        # Captures hold parameters and paths: nobody else's business.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    # Whichever thread comes next; the writer lets in one at a time.
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        _prepare(connection)
        # A power cut may take the last captures with it, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """Makes a new file ready for use.

    SQLite does not wait while two connections switch a file to WAL: one of them is told at once
    that it is locked, and has to try again.
    """
    until = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            return _migrate(connection)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.005)


def _summary(row: tuple[Any, ...]) -> CaptureSummary:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["instruments"] = tuple(json.loads(values["instruments"]))
    values["automatic"] = bool(values["automatic"])
    return CaptureSummary(**values)
