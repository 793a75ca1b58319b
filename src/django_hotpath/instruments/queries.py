"""Every statement of every connection, with the line that made it.

One execute wrapper, Django's public hook, stands on every connection for good; it reads a
ContextVar, so that it also sees the queries of async views and of worker threads, and keeps
those of concurrent requests apart.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper

from django_hotpath import redact, slowlog
from django_hotpath.analysis.fingerprint import fingerprint
from django_hotpath.callsite import Walk, call_site, locate, template_path, walk
from django_hotpath.instruments.base import Instrument, Session, clock, current, to_ms
from django_hotpath.plain import describe_error, describe_object, describe_value, identity

MAX_QUERIES = 20_000
MAX_SQL = 65_536
_MAX_PARAMS = 100


class _Record:
    __slots__ = (
        "alias",
        "ended",
        "error",
        "fetch_ns",
        "many",
        "params",
        "rows",
        "sql",
        "started",
        "transaction",
        "vendor",
        "walk",
    )

    alias: str
    ended: int
    error: str | None
    fetch_ns: int
    many: bool
    params: Any
    rows: int | None
    sql: str
    started: int
    transaction: bool
    vendor: str
    walk: Walk


def execute_wrapper(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    active = current.get()
    if active is None:
        count = slowlog.queries.get()
        if count is not None:
            count[0] += 1
        return execute(sql, params, many, context)
    instrument = active.get("queries")
    if instrument is None:
        return execute(sql, params, many, context)
    return instrument.run(execute, sql, params, many, context)  # type: ignore[attr-defined]


def install(connection: BaseDatabaseWrapper) -> None:
    """Puts the wrapper on a connection, once.

    It goes first, which makes it the outermost: ``with connection.execute_wrapper(...)`` ends
    with a ``pop()``, and would take ours instead of its own were ours appended inside it.
    """
    wrappers = connection.execute_wrappers
    if execute_wrapper not in wrappers:
        wrappers.insert(0, execute_wrapper)


def install_everywhere() -> None:
    """On the connections that are open, and on every later one."""
    connection_created.connect(_on_connection, dispatch_uid="hotpath.queries")
    for connection in connections.all(initialized_only=True):
        install(connection)


def _on_connection(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    install(connection)


class Queries(Instrument):
    name = "queries"
    measures = (
        "Every SQL statement of every database connection: its text, time, rows, error and the "
        "line of your code or template that caused it."
    )
    cost = "under 10 microseconds a statement"
    disturbed_by = (
        "Threads that you start yourself do not inherit the request's context: their statements "
        "are not seen. COMMIT and ROLLBACK do not pass through Django's hook."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.records: list[_Record] = []
        self.dropped = 0
        self.dropped_ns = 0

    def start(self) -> None:
        # Connections may exist that were made while the signal was disconnected.
        for connection in connections.all(initialized_only=True):
            install(connection)

    def stop(self) -> None:
        pass

    def run(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        """Executes the statement and records it; raises what it raises."""
        entered = clock()
        record = None
        if len(self.records) < MAX_QUERIES:
            try:
                record = self._open(sql, params, many, context)
            except Exception as error:
                self._failed(error)
        started = clock()
        try:
            result = execute(sql, params, many, context)
        except BaseException as error:
            if record is not None:
                record.started, record.ended = started, clock()
                record.error = describe_error(error)
            else:
                self.dropped += 1
            raise
        ended = clock()
        if record is None:
            self.dropped += 1
            self.dropped_ns += ended - started
            return result
        record.started, record.ended = started, ended
        try:
            _watch_rows(record, context["cursor"], many)
        except Exception as error:
            self._failed(error)
        self.overhead_ns += clock() - ended + started - entered
        return result

    def _open(self, sql: str, params: Any, many: bool, context: dict[str, Any]) -> _Record:
        connection = context["connection"]
        record = _Record()
        record.sql = sql
        record.params = params
        record.many = many
        record.alias = connection.alias
        record.vendor = connection.vendor
        record.transaction = connection.in_atomic_block
        record.rows = None
        record.fetch_ns = 0
        record.error = None
        record.started = record.ended = 0
        # From here: _open, run, execute_wrapper, Django.
        record.walk = walk(sys._getframe(3))
        self.records.append(record)
        return record

    def _failed(self, error: Exception) -> None:
        if not self.warnings:
            self.warnings.append(f"queries: a statement was not recorded: {describe_error(error)}")

    def timing(self) -> dict[str, float]:
        return {"db_ms": to_ms(self._total_ns())}

    def _total_ns(self) -> int:
        recorded = sum(record.ended - record.started + record.fetch_ns for record in self.records)
        return recorded + self.dropped_ns

    def result(self) -> dict[str, Any]:
        frames = _Frames()
        first_seen: dict[Any, int] = {}
        queries = []
        for index, record in enumerate(self.records):
            query = _plain(record, index, self.session, frames)
            key = (record.alias, record.sql, record.many, identity(record.params))
            first = first_seen.setdefault(key, index)
            if first != index:
                query["duplicate_of"] = first
            queries.append(query)
        self.records = []
        return {
            "count": len(queries) + self.dropped,
            "total_ms": round(sum(query["duration_ms"] for query in queries), 4)
            + to_ms(self.dropped_ns),
            "truncated": self.dropped,
            "frames": frames.table,
            "queries": queries,
        }


def _watch_rows(record: _Record, cursor: CursorWrapper, many: bool) -> None:
    """Counts and times the rows as the application fetches them.

    Only on Django's own cursor wrappers, which define no fetch methods, so that nothing is
    hidden. The closures hold the driver's cursor and not the wrapper: no reference cycle, and
    the cursor is freed when the application lets go of it.
    """
    raw = cursor.cursor
    affected = getattr(raw, "rowcount", -1)
    if isinstance(affected, int) and affected >= 0:
        record.rows = affected
    if many or type(cursor).__dict__.get("fetchmany") or not _is_plain(type(cursor)):
        return
    guard = cursor.db.wrap_database_errors
    seen = 0

    def note(count: int, started: int) -> None:
        nonlocal seen
        seen += count
        record.rows = max(seen, record.rows or 0)
        record.fetch_ns += clock() - started

    def fetchone(*args: Any, **kwargs: Any) -> Any:
        started = clock()
        row = guard(raw.fetchone)(*args, **kwargs)
        note(row is not None, started)
        return row

    def fetchmany(*args: Any, **kwargs: Any) -> Any:
        started = clock()
        rows = guard(raw.fetchmany)(*args, **kwargs)
        note(len(rows), started)
        return rows

    def fetchall(*args: Any, **kwargs: Any) -> Any:
        started = clock()
        rows = guard(raw.fetchall)(*args, **kwargs)
        note(len(rows), started)
        return rows

    attributes = cursor.__dict__
    attributes["fetchone"] = fetchone
    attributes["fetchmany"] = fetchmany
    attributes["fetchall"] = fetchall


_plain_types: dict[type, bool] = {}


def _is_plain(cursor_type: type) -> bool:
    known = _plain_types.get(cursor_type)
    if known is None:
        known = not any(hasattr(cursor_type, name) for name in ("fetchone", "fetchmany"))
        _plain_types[cursor_type] = known
    return known


class _Frames:
    """The frame table that the stacks point to."""

    def __init__(self) -> None:
        self.table: list[dict[str, Any]] = []
        self._known: dict[Any, int] = {}

    def stack(self, found: Walk) -> list[int]:
        indexes = [self._frame(code, line) for code, line in reversed(found.frames)]
        if found.template is not None:
            origin, line = found.template
            indexes.append(self._template(origin, line))
        return indexes

    def _frame(self, code: Any, line: int) -> int:
        key = (id(code), line)
        if key not in self._known:
            where = locate(code.co_filename)
            self._add(key, where.file, line, code.co_qualname, where.kind)
        return self._known[key]

    def _template(self, origin: Any, line: int) -> int:
        key = ("template", id(origin), line)
        if key not in self._known:
            path = template_path(origin)
            self._add(key, path, line, "", "template")
        return self._known[key]

    def _add(self, key: Any, file: str, line: int, function: str, kind: str) -> None:
        self._known[key] = len(self.table)
        self.table.append({"file": file, "line": line, "function": function, "kind": kind})


def _plain(record: _Record, index: int, session: Session, frames: _Frames) -> dict[str, Any]:
    sql = record.sql if isinstance(record.sql, str) else describe_object(record.sql)
    duration_ns = record.ended - record.started
    query: dict[str, Any] = {
        "index": index,
        "alias": record.alias,
        "vendor": record.vendor,
        "sql": sql[:MAX_SQL],
        "params": _params(record, sql),
        "fingerprint": fingerprint(sql),
        "start_ms": session.ms_since_start(record.started),
        "duration_ms": to_ms(duration_ns + record.fetch_ns),
        "fetch_ms": to_ms(record.fetch_ns),
        "rows": record.rows,
        "many": record.many,
        "transaction": record.transaction,
        "call_site": call_site(record.walk),
        "stack": frames.stack(record.walk),
    }
    if len(sql) > MAX_SQL:
        query["sql_truncated"] = len(sql)
    if record.error is not None:
        query["error"] = record.error
    return query


def _params(record: _Record, sql: str) -> list[str] | None:
    params = record.params
    if record.many:
        # Anything but a list may be an iterator that the driver has used up.
        params = params[0] if isinstance(params, (list, tuple)) and params else None
    if params is None:
        return None
    if isinstance(params, dict):
        return [
            f"{name}={redact.MASK if redact.is_secret(str(name)) else describe_value(value)}"
            for name, value in list(params.items())[:_MAX_PARAMS]
        ]
    if not isinstance(params, (list, tuple)):
        return [describe_value(params)]
    secret = redact.secret_positions(sql)
    return [
        redact.MASK if position in secret else describe_value(value)
        for position, value in enumerate(params[:_MAX_PARAMS])
    ]
