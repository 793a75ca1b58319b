"""``queries`` for requests that nobody asked to profile: a loop is looked at, then only counted.

The first statements of each loop are recorded in full. Those that come through the very same lines
with the same text cost a fraction of that: where they came from is known.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import attrgetter
from types import CodeType, FrameType
from typing import Any

from django_hotpath import callsite, redact
from django_hotpath.callsite import BOUNDARY, HANDOVER, PROJECT, TEMPLATE
from django_hotpath.instruments.base import Session, clock, to_ms
from django_hotpath.instruments.queries import MAX_QUERIES, Queries
from django_hotpath.instruments.query_record import Frames, QueryRecord, keep
from django_hotpath.plain import describe_error

# As often a statement is looked at before it is one of a loop.
_LOOKED_AT = 4

# How many loops with the same text are told apart.
_LOOPS = 4

# How far out a frame is, as seen from ``run``; its code and instruction; the node of a template.
_Place = tuple[int, CodeType, int, Any]


class Counted(QueryRecord):
    """One of a loop: what all of them have in common is kept once, in the one that it is like."""

    __slots__ = ()

    like: QueryRecord
    many = False
    rows = None
    fetch_ns = nested_ns = 0
    alias = property(attrgetter("like.alias"))
    orm = property(attrgetter("like.orm"))
    owner = property(attrgetter("like.owner"))
    sql = property(attrgetter("like.sql"))
    transaction = property(attrgetter("like.transaction"))
    vendor = property(attrgetter("like.vendor"))
    walk = property(attrgetter("like.walk"))


class _Loop:
    __slots__ = ("last", "places", "seen")

    def __init__(self, last: QueryRecord, places: tuple[_Place, ...]) -> None:
        self.last = last
        self.places = places
        self.seen = 1


class LightQueries(Queries):
    engine = "light"
    measures = (
        "Every SQL statement of every database connection: its text, time and error; and the line "
        "that caused it, taken from the first ones of a loop for all others that came through the "
        "same lines. Their rows and parameters are not kept."
    )
    cost = "a few microseconds a statement of a loop, 10 to 50 for any other"

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._owners = self.orm.owners
        self._loops: dict[str, list[_Loop]] = {}
        self._looked_at: dict[int, dict[str, Any]] = {}

    def run(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        found = None
        try:
            for loop in self._loops.get(sql, ()) if type(sql) is str else ():
                for depth, code, offset, node in loop.places:
                    frame = _getframe(depth)
                    if frame.f_lasti != offset or frame.f_code is not code:
                        break
                    if node is not None and frame.f_locals.get("self") is not node:
                        break
                else:
                    found = loop
                    break
        except ValueError:
            # This stack is not as deep as the one of the loop: that of a thread, say.
            found = None
        if (
            found is None
            or found.seen < _LOOKED_AT
            or many
            or self.outer is not None
            or self.session.frames
            or len(context["connection"].execute_wrappers) > 1
            or len(self.records) >= MAX_QUERIES
        ):
            return self._run_in_full(execute, sql, params, many, context, found)
        record = Counted()
        record.like = found.last
        record.params = keep(params, many)
        record.error = None
        record.ended = 0
        self.records.append(record)
        if self._owners.pending:
            self._owners.settle()
        record.started = clock()
        try:
            result = execute(sql, params, many, context)
        except BaseException as error:
            record.ended = clock()
            record.error = describe_error(error)
            raise
        record.ended = clock()
        return result

    def _run_in_full(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
        loop: _Loop | None,
    ) -> Any:
        number = len(self.records)
        try:
            return super().run(execute, sql, params, many, context)
        finally:
            if loop is not None:
                loop.seen += 1
            if number < len(self.records) and type(sql) is str and not many:
                try:
                    self._note(self.records[number], loop)
                except Exception as error:
                    self._failed(error)

    def _note(self, record: QueryRecord, loop: _Loop | None) -> None:
        if record.error is not None:
            return
        if loop is not None:
            loop.last = record
            return
        loops = self._loops.setdefault(record.sql, [])
        # From here: _note, _run_in_full, run.
        if len(loops) < _LOOPS and (places := _places(sys._getframe(2))):
            loops.append(_Loop(record, places))

    def plain(self, record: QueryRecord, index: int, frames: Frames) -> dict[str, Any]:
        if record.like is None:
            found = super().plain(record, index, frames)
            self._looked_at[id(record)] = found
            return found
        like = self._looked_at[id(record.like)]
        query = {
            **like,
            "index": index,
            "like": like["index"],
            "start_ms": self.session.ms_since_start(record.started),
            "duration_ms": to_ms(record.duration_ns()),
            "fetch_ms": 0.0,
            "rows": None,
            "params": None,
        }
        query.pop("values", None)
        if record.error is not None:
            query["error"] = redact.message(record.error)
        if not record.ended:
            query["running"] = True
        return query


_getframe = sys._getframe


def _places(run: FrameType) -> tuple[_Place, ...]:
    """Where the project's code is on this stack, innermost first, and the innermost template.

    None where there is no such frame, as in a thread that works for a coroutine.
    """
    found: list[_Place] = []
    in_template = False
    frame: FrameType | None = run
    distance = 0
    while frame is not None:
        code = frame.f_code
        kind = callsite.kind_of(code)
        if kind == PROJECT:
            found.append((distance, code, frame.f_lasti, None))
        elif kind == TEMPLATE and not in_template:
            in_template = True
            found.append((distance, code, frame.f_lasti, frame.f_locals.get("self")))
        elif kind == HANDOVER:
            return ()
        elif kind == BOUNDARY:
            break
        frame = frame.f_back
        distance += 1
    return tuple(found)
