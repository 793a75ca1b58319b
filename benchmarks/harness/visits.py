"""Requests to any view, sync or async, asked for and not asked for in turn, in one process."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from harness.clock import now
from harness.contenders import Contender
from harness.project import environ

ASYNC_VIEWS = frozenset({"async", "measured-async", "busy-async"})

# Seconds: ``view`` inside the view, ``total`` until the last byte, ``closed`` until the response is
# closed; and the same by the wall clock, with "wall " before the name.
Row = dict[str, float]

# What a problem begins with that is nobody's decision.
FAILED = "failed"

_ORDERS = ((False, True), (True, False))


class Visit(NamedTuple):
    row: Row
    status: int
    headers: dict[str, str]
    body: bytes


class Visits:
    """One contender's handlers, made once."""

    def __init__(self, contender: Contender) -> None:
        from django.core.handlers.asgi import ASGIHandler
        from django.core.handlers.wsgi import WSGIHandler

        self.contender = contender
        self._wsgi = WSGIHandler()
        self._asgi = ASGIHandler()
        self._runner = asyncio.Runner()

    def get(self, view: str, *, asked: bool) -> Visit:
        if view in ASYNC_VIEWS:
            return self.run(self.aget(view, asked=asked))
        return self._get(view, asked=asked)

    def run(self, work: Coroutine[Any, Any, Visit]) -> Visit:
        """In the one event loop that this contender has."""
        return self._runner.run(work)

    def _get(self, view: str, *, asked: bool) -> Visit:
        given = environ(f"/{view}/", self.contender.query if asked else "", self.contender.accept)
        head: list[Any] = []
        marks = [_instant()]
        response = self._wsgi(given, lambda *args: head.extend(args))  # type: ignore[arg-type]
        body = b"".join(response)
        marks.append(_instant())
        response.close()
        marks.append(_instant())
        headers = {name.lower(): value for name, value in head[1]}
        return Visit(_row(marks), int(head[0][:3]), headers, body)

    async def aget(self, view: str, *, asked: bool) -> Visit:
        query = self.contender.query if asked else ""
        sent: list[dict[str, Any]] = []
        marks = []
        messages = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not messages:
                # The client stays, and says nothing more.
                await asyncio.Future()
            return messages.pop()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                marks.append(_instant())

        marks.append(_instant())
        await self._asgi(_scope(view, query, self.contender.accept), receive, send)  # type: ignore[arg-type]
        marks.append(_instant())
        headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return Visit(_row(marks), sent[0]["status"], headers, body)

    def problem(self, view: str) -> str | None:
        """Why the contender does not do its work on this view; None when it does."""
        try:
            visit = self.get(view, asked=True)
        except Exception as error:
            return f"{FAILED}: {describe(error)}"
        if visit.status == 200 and self.contender.proof(visit.body, visit.headers):
            return None
        if "hotpath-refused" in visit.headers:
            return visit.headers["hotpath-refused"]
        if visit.status != 200:
            # The help page begins with what is wrong.
            said = " ".join(visit.body.decode().split())[:300]
            refused = visit.status == 400
            return said if refused else f"{FAILED}: answered {visit.status}: {said}"
        return f"{FAILED}: left no trace of its work"

    def warm_up(self, view: str, times: int) -> None:
        for asked in (False, True):
            for _ in range(times):
                self.get(view, asked=asked)

    def pair(self, view: str, number: int, times: int) -> tuple[Row, Row]:
        """Not asked for, and asked for: the median of ``times`` requests each."""
        rows: dict[bool, list[Row]] = {False: [], True: []}
        gc.collect()
        for turn in range(times):
            for asked in _ORDERS[(number + turn) % 2]:
                if times == 1:
                    # The collector stays on, as in production; it finds the same state both times.
                    gc.collect()
                # What the last request did to the caches, the CPU's and those in the bytecode, is
                # undone by one that is the same for both.
                self.get(view, asked=False)
                rows[asked].append(self.get(view, asked=asked).row)
            self.contender.tidy()
        return _typical(rows[False]), _typical(rows[True])


def describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _instant() -> tuple[float, float]:
    return now(), perf_counter()


def _row(marks: list[tuple[float, float]]) -> Row:
    """From when it began, the last byte left, and it was closed."""
    from library import views

    began, ended, closed = marks
    row = {}
    spans = (("", views.span), ("wall ", views.wall_span))
    for clock, (prefix, span) in enumerate(spans):
        row[f"{prefix}view"] = span[1] - span[0]
        row[f"{prefix}total"] = ended[clock] - began[clock]
        row[f"{prefix}closed"] = closed[clock] - began[clock]
    return row


def _typical(rows: list[Row]) -> Row:
    return {part: median(row[part] for row in rows) for part in rows[0]}


def _scope(view: str, query: str, accept: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": f"/{view}/",
        "raw_path": f"/{view}/".encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost"), (b"accept", accept.encode())],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
    }
