"""Every statement of every connection, with the line that made it.

One execute wrapper, Django's public hook, stands on every connection for good; it reads a
ContextVar, so that it also sees the queries of async views and of worker threads, and keeps
those of concurrent requests apart.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper

from django_hotpath import redact, slowlog
from django_hotpath.analysis.fingerprint import fingerprint
from django_hotpath.analysis.placeholders import Reading
from django_hotpath.callsite import Walk, call_site, locate, template_path, walk
from django_hotpath.instruments.base import (
    Instrument,
    Session,
    active_instrument,
    clock,
    current,
    to_ms,
)
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
        "nested_ns",
        "owner",
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
    nested_ns: int
    owner: Queries
    params: Any
    rows: int | None
    sql: str
    started: int
    transaction: bool
    vendor: str
    walk: Walk

    def duration_ns(self) -> int:
        """Executing and fetching; 0 for a statement that still runs."""
        if not self.ended:
            return 0
        return max(self.ended - self.started - self.nested_ns, 0) + self.fetch_ns


# The statement within which a wrapper of the application may query.
_around: ContextVar[_Record | None] = ContextVar("hotpath_around", default=None)


def execute_wrapper(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    active = current.get()
    if active is None:
        count = slowlog.queries.get()
        if count is not None:
            count[0] += 1
        return execute(sql, params, many, context)
    instrument = active.get("queries") or active_instrument("queries")
    if not isinstance(instrument, Queries):
        count = slowlog.queries.get()
        if count is not None:
            count[0] += 1
        return execute(sql, params, many, context)
    return instrument.run(execute, sql, params, many, context)


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
    cost = "5 to 20 microseconds a statement, more the deeper the stack"
    disturbed_by = (
        "Threads that you start yourself do not inherit the request's context: their statements "
        "are not seen. COMMIT, ROLLBACK, executescript(), callproc() and COPY do not pass through "
        "Django's hook. Rows read by looping over a raw cursor are not counted or timed."
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
        if self.outer is not None:
            outer = self.enclosing()
            if isinstance(outer, Queries):
                execute = partial(outer.run, execute)
        entered = clock()
        record = None
        token = None
        if len(self.records) < MAX_QUERIES:
            try:
                record = self._open(sql, params, many, context)
            except Exception as error:
                self._failed(error)
        if record is not None and len(context["connection"].execute_wrappers) > 1:
            # A wrapper of the application may query by itself, inside this statement.
            token = _around.set(record)
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
        finally:
            if token is not None:
                _around.reset(token)
        ended = clock()
        if record is None:
            self.dropped += 1
            self.dropped_ns += ended - started
            return result
        record.started, record.ended = started, ended
        around = _around.get()
        if around is not None and around.owner is self:
            around.nested_ns += ended - started
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
        record.params = _kept(params, many)
        record.many = many
        record.owner = self
        record.alias = connection.alias
        record.vendor = connection.vendor
        record.transaction = connection.in_atomic_block
        record.rows = None
        record.fetch_ns = record.nested_ns = record.ended = 0
        record.error = None
        record.started = clock()
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
        return sum(record.duration_ns() for record in self.records) + self.dropped_ns

    def result(self) -> dict[str, Any]:
        frames = _Frames()
        first_seen: dict[Any, int] = {}
        queries = []
        for index, record in enumerate(self.records):
            query = _plain(record, index, self.session, frames)
            first = _first_like(record, index, first_seen)
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
    hidden.
    """
    raw = cursor.cursor
    affected = getattr(raw, "rowcount", -1)
    if isinstance(affected, int) and affected >= 0:
        record.rows = affected
    attributes = cursor.__dict__
    if many or not _is_plain(type(cursor)) or _is_theirs(attributes):
        return
    watch = _Watch(record, raw, cursor.db.wrap_database_errors)
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

    __slots__ = ("guard", "raw", "record", "seen")

    def __init__(self, record: _Record, raw: Any, guard: Callable[..., Any]) -> None:
        self.record, self.raw, self.guard, self.seen = record, raw, guard, 0

    def note(self, count: int, started: int) -> None:
        self.seen += count
        record = self.record
        record.rows = max(self.seen, record.rows or 0)
        record.fetch_ns += clock() - started

    def fetchone(self, *args: Any, **kwargs: Any) -> Any:
        started = clock()
        row = self.guard(self.raw.fetchone)(*args, **kwargs)
        self.note(row is not None, started)
        return row

    def fetchmany(self, *args: Any, **kwargs: Any) -> Any:
        started = clock()
        rows = self.guard(self.raw.fetchmany)(*args, **kwargs)
        self.note(len(rows), started)
        return rows

    def fetchall(self, *args: Any, **kwargs: Any) -> Any:
        started = clock()
        rows = self.guard(self.raw.fetchall)(*args, **kwargs)
        self.note(len(rows), started)
        return rows


def _kept(params: Any, many: bool) -> Any:
    """The parameters as they are now: the application may use its list again.

    With ``many`` those of the first row; anything but a list may be an iterator, for the driver
    to use up.
    """
    if many:
        params = params[0] if isinstance(params, (list, tuple)) and params else None
    if type(params) is list:
        return tuple(params)
    return dict(params) if type(params) is dict else params


def _first_like(record: _Record, index: int, seen: dict[Any, int]) -> int:
    """The index of the first statement with the same alias, SQL and parameters."""
    if record.many:
        return index
    try:
        return seen.setdefault((record.alias, record.sql, identity(record.params)), index)
    except Exception:
        # A parameter that cannot be hashed or compared is like no other.
        return index


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
        indexes = [self._frame(code, line) for code, line, _ in reversed(found.frames)]
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


def _positions(found: Walk) -> list[int]:
    positions = [offset for _, _, offset in reversed(found.frames)]
    return positions if found.template is None else [*positions, 0]


def _plain(record: _Record, index: int, session: Session, frames: _Frames) -> dict[str, Any]:
    sql = record.sql if isinstance(record.sql, str) else describe_object(record.sql)
    reading = redact.statement(sql, record.params)
    query: dict[str, Any] = {
        "index": index,
        "alias": record.alias,
        "vendor": record.vendor,
        "sql": (sql if reading is None else reading.text)[:MAX_SQL],
        "params": _params(record.params, reading),
        "fingerprint": fingerprint(sql),
        "start_ms": session.ms_since_start(record.started),
        "duration_ms": to_ms(record.duration_ns()),
        "fetch_ms": to_ms(record.fetch_ns),
        "rows": record.rows,
        "many": record.many,
        "transaction": record.transaction,
        "call_site": call_site(record.walk),
        "stack": frames.stack(record.walk),
        "positions": _positions(record.walk),
    }
    if len(sql) > MAX_SQL:
        query["sql_truncated"] = len(sql)
    if not record.ended:
        query["running"] = True
    if record.error is not None:
        query["error"] = redact.message(record.error)
    return query


def _params(params: Any, reading: Reading | None) -> list[str] | None:
    """The parameters as texts, as far as what was read of the statement lets them be shown."""
    if params is None:
        return None
    if isinstance(params, dict):
        shown = None if reading is None else reading.shown_names
        return [
            f"{name}={redact.MASK}"
            if redact.is_secret(str(name)) or (shown is not None and name not in shown)
            else f"{name}={describe_value(redact.parameter(value))}"
            for name, value in list(params.items())[:_MAX_PARAMS]
        ]
    if not isinstance(params, (list, tuple)):
        return [describe_value(params) if reading is None else redact.MASK]
    if reading is not None and reading.count != len(params):
        # The driver finds placeholders where we do not: any of them may be the secret.
        return [redact.MASK] * min(len(params), _MAX_PARAMS)
    masked = frozenset() if reading is None else reading.masked
    return [
        redact.MASK if position in masked else describe_value(redact.parameter(value))
        for position, value in enumerate(params[:_MAX_PARAMS])
    ]
