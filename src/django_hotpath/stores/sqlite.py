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
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django_hotpath.callsite import base_dir
from django_hotpath.capture import Capture, CaptureError
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

_VERSION = 1
_SCHEMA = """
CREATE TABLE captures (
    id TEXT PRIMARY KEY,
    saved_at REAL NOT NULL,
    started_at TEXT NOT NULL,
    label TEXT NOT NULL,
    method TEXT,
    path TEXT,
    route TEXT,
    status INTEGER,
    wall_ms REAL NOT NULL,
    cpu_ms REAL,
    queries INTEGER,
    db_ms REAL,
    findings INTEGER NOT NULL,
    high INTEGER NOT NULL,
    instruments TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX captures_saved_at ON captures (saved_at);
CREATE INDEX captures_route ON captures (route, id);
"""
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
)
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
    ) -> None:
        self.path = Path(path) if path else base_dir() / ".hotpath" / "captures.sqlite3"
        self.max_captures = max_captures
        self.max_age = max_age
        self._writer = Writer(self.path, functools.partial(_open_for_writing, self.path))
        # With the store, at the latest at the end of the process.
        weakref.finalize(self, self._writer.close)

    def save(self, capture: Capture) -> None:
        summary = asdict(summarise(capture))
        summary["instruments"] = json.dumps(summary["instruments"])
        body = zlib.compress(capture.to_json().encode("ascii"), level=1)
        values = [_storable(summary[column]) for column in _COLUMNS]
        marks = ", ".join("?" * (len(_COLUMNS) + 2))
        with self._writing() as connection:
            connection.execute(
                f"INSERT OR REPLACE INTO captures ({', '.join(_COLUMNS)}, saved_at, body) "  # noqa: S608
                f"VALUES ({marks})",
                [*values, time.time(), body],
            )
            self._retain(connection, capture.id)

    def _retain(self, connection: sqlite3.Connection, saved: str) -> None:
        """A clock that was set back must not make the capture just saved the oldest one."""
        if self.max_age is not None:
            connection.execute(
                "DELETE FROM captures WHERE saved_at < ?", [time.time() - self.max_age]
            )
        connection.execute(
            "DELETE FROM captures WHERE id IN "
            "(SELECT id FROM captures WHERE id <> ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
            [saved, max(self.max_captures - 1, 0)],
        )

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
        conditions, values = _conditions(where)
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

    def clear(self) -> int:
        with self._connection() as connection:
            return connection.execute("DELETE FROM captures").rowcount

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


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == _VERSION:
        return
    if version > _VERSION:
        raise sqlite3.DatabaseError(
            f"made by a newer version of django-hotpath (schema {version}): delete the file"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been first.
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            for statement in _SCHEMA.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _conditions(where: CaptureFilter) -> tuple[str, list[Any]]:
    conditions = ["1"]
    values: list[Any] = []
    if where.path:
        conditions.append("instr(lower(coalesce(path, '') || ' ' || label), lower(?)) > 0")
        values.append(_storable(where.path))
    if where.method:
        conditions.append("method = ?")
        values.append(_storable(where.method.upper()))
    if where.status:
        conditions.append("(CAST(status AS TEXT) LIKE ? ESCAPE '\\' AND length(status) = 3)")
        prefix = _storable(where.status.lower().removesuffix("xx"))
        values.append("".join(f"\\{c}" if c in "%_\\" else c for c in prefix) + "%")
    if where.min_ms is not None:
        conditions.append("wall_ms >= ?")
        values.append(where.min_ms)
    if where.max_ms is not None:
        conditions.append("wall_ms <= ?")
        values.append(where.max_ms)
    return " AND ".join(conditions), values


def _storable(value: Any) -> Any:
    """SQLite takes no lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def _summary(row: tuple[Any, ...]) -> CaptureSummary:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["instruments"] = tuple(json.loads(values["instruments"]))
    return CaptureSummary(**values)
