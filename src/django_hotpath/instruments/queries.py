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
from types import FrameType
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_hotpath import redact, slowlog
from django_hotpath.callsite import Walk, walk
from django_hotpath.instruments import orm_made
from django_hotpath.instruments.base import (
    Instrument,
    Session,
    active_instrument,
    clock,
    current,
    to_ms,
)
from django_hotpath.instruments.named_frames import Names, Runner
from django_hotpath.instruments.orm import Orm
from django_hotpath.instruments.orm_result import OrmResult
from django_hotpath.instruments.query_record import (
    Frames,
    QueryRecord,
    first_like,
    keep,
    plain,
)
from django_hotpath.instruments.rows import watch_rows
from django_hotpath.plain import describe_error, describe_object

MAX_QUERIES = 20_000
_MAX_TEXTS = 1_000


# The statement within which a wrapper of the application may query.
_around: ContextVar[QueryRecord | None] = ContextVar("hotpath_around", default=None)


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
    cost = "10 to 50 microseconds a statement, more the deeper the stack"
    disturbed_by = (
        "Threads that you start yourself do not inherit the request's context: their statements "
        "are not seen. COMMIT, ROLLBACK, executescript(), callproc() and COPY do not pass through "
        "Django's hook. Rows read by looping over a raw cursor are not counted or timed."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.records: list[QueryRecord] = []
        self._texts: dict[str, str] = {}
        self._walks: dict[tuple[int, int], Walk] = {}
        self._names = Names("sql", "(other statements)")
        self.orm = Orm(self._failed)
        self.dropped = 0
        self.dropped_ns = 0

    def start(self) -> None:
        orm_made.patch.acquire()
        # Connections may exist that were made while the signal was disconnected.
        for connection in connections.all(initialized_only=True):
            install(connection)

    def stop(self) -> None:
        try:
            self.orm.stop()
        finally:
            orm_made.patch.release()

    def run(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        """Executes the statement and records it; raises what it raises."""
        frames = self.session.frames
        named_outside = False
        if self.outer is not None:
            outer = self.enclosing()
            if isinstance(outer, Queries):
                execute = partial(outer.run, execute)
                named_outside = outer.session.frames
        entered = clock()
        record = None
        token = frame = None
        if len(self.records) < MAX_QUERIES:
            try:
                record = self._open(sql, params, many, context)
                if frames:
                    frame = self._frame(record.sql)
            except Exception as error:
                self._failed(error)
        if record is not None and len(context["connection"].execute_wrappers) > 1:
            # A wrapper of the application may query by itself, inside this statement.
            token = _around.set(record)
        started = clock()
        try:
            if frame is None or named_outside:
                result = execute(sql, params, many, context)
            else:
                result = frame(execute, sql, params, many, context)
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
            watch_rows(record, context["cursor"], many, frame)
        except Exception as error:
            self._failed(error)
        self.overhead_ns += clock() - ended + started - entered
        return result

    def _open(self, sql: str, params: Any, many: bool, context: dict[str, Any]) -> QueryRecord:
        connection = context["connection"]
        record = QueryRecord()
        record.like = None
        # In a loop it is the same text each time, made anew by the ORM.
        record.sql = self._shared(sql)
        record.params = keep(params, many)
        record.many = many
        record.owner = self
        record.alias = connection.alias
        record.vendor = connection.vendor
        record.transaction = connection.in_atomic_block
        record.rows = None
        record.fetch_ns = record.nested_ns = record.ended = 0
        record.error = None
        record.started = clock()
        record.orm = None
        frames: list[FrameType] = []
        # From here: _open, run, execute_wrapper, Django.
        record.walk = self._same(walk(sys._getframe(3), frames))
        self.records.append(record)
        try:
            record.orm = self.orm.attribute(len(self.records) - 1, frames, record.walk)
        except Exception as error:
            self._failed(error)
        return record

    def _same(self, found: Walk) -> Walk:
        """The walk of an earlier query that came through the same lines."""
        first = found.frames[0] if found.frames else None
        key = (id(first[0]), first[2]) if first is not None else (0, 0)
        known = self._walks.get(key)
        if known == found:
            return known
        self._walks[key] = found
        return found

    def _shared(self, sql: str) -> str:
        if type(sql) is not str or len(self._texts) >= _MAX_TEXTS:
            return sql
        return self._texts.setdefault(sql, sql)

    def _frame(self, sql: Any) -> Runner:
        """Calls what it is given in a frame that is named for the statement."""
        if type(sql) is not str:
            sql = describe_object(sql)
        return self._names.get(sql, redact.sql_text)

    def _failed(self, error: Exception) -> None:
        if not self.warnings:
            problem = describe_error(error)
            self.warnings.append(f"queries: a statement was not recorded in full: {problem}")

    @property
    def count(self) -> int:
        """Statements so far; until the result is taken."""
        return len(self.records) + self.dropped

    def timing(self) -> dict[str, float]:
        return {"db_ms": to_ms(self._total_ns())}

    def _total_ns(self) -> int:
        return sum(record.duration_ns() for record in self.records) + self.dropped_ns

    def plain(self, record: QueryRecord, index: int, frames: Frames) -> dict[str, Any]:
        """A record as the capture shows it; called in the order of the records."""
        return plain(record, index, self.session, frames)

    def result(self) -> dict[str, Any]:
        frames = Frames()
        first_seen: dict[Any, int] = {}
        queries = []
        orm = OrmResult(self.orm.entries, [record.orm for record in self.records])
        for index, record in enumerate(self.records):
            query = self.plain(record, index, frames)
            query |= orm.of(index)
            first = first_like(record, index, first_seen)
            if first != index:
                query["duplicate_of"] = first
            queries.append(query)
        self.records = []
        self._texts = {}
        self._walks = {}
        self._names = Names("sql", "")
        return {
            "count": len(queries) + self.dropped,
            "total_ms": round(sum(query["duration_ms"] for query in queries), 4)
            + to_ms(self.dropped_ns),
            "truncated": self.dropped,
            "frames": frames.table,
            "orm": orm.table,
            "queries": queries,
        }
