"""Lines of the history: one for each request, and one for each capture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from django_hotpath.capture import Capture
from django_hotpath.stores.base import summarise

SORTS = ("started_at", "path", "status", "wall_ms", "queries", "findings")


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSummary:
    """One line of the history.

    ``started_at`` is ISO 8601 in UTC with milliseconds, times are milliseconds. ``seq`` is given
    by the store, in the order in which lines came to it, and never used twice. ``capture`` is the
    id of a capture that the store still has; ``profiled`` stays when it is gone, for a profiled
    run is slower than others. ``findings`` is None where nobody looked for any.
    """

    started_at: str
    method: str | None
    path: str | None
    route: str | None
    status: int | None
    wall_ms: float
    queries: int | None
    query_string: str = ""
    label: str = ""
    """What was captured where there was no request."""
    db_ms: float | None = None
    findings: int | None = None
    high: int = 0
    instruments: tuple[str, ...] = ()
    profiled: bool = False
    capture: str | None = None
    seq: int = 0


@dataclass(frozen=True, kw_only=True)
class RequestFilter:
    """Which lines to list: all conditions hold together.

    ``path`` is a part of path and query string or of the label, case-insensitive; ``status`` a
    code (404) or a class ("4xx"); ``route`` the whole route as Django spells it ("" is that of
    the root), None for any; ``routeless`` only what matched no route; ``since`` an instant as in
    ``started_at``; ``upto`` the largest ``seq``; ``captured`` only lines with a capture; ``sort``
    one of ``SORTS``, with a leading "-" for descending.
    """

    path: str = ""
    method: str = ""
    status: str = ""
    min_ms: float | None = None
    max_ms: float | None = None
    route: str | None = None
    routeless: bool = False
    since: str = ""
    upto: int | None = None
    captured: bool = False
    sort: str = "-started_at"

    @property
    def order(self) -> tuple[str, bool]:
        """The field to sort by, and whether downwards; the default for an unknown one."""
        field = self.sort.removeprefix("-")
        if field not in SORTS:
            return "started_at", True
        return field, self.sort.startswith("-")


@dataclass(frozen=True, kw_only=True)
class RequestPage:
    """A slice of the matching lines; ``total`` counts all that match.

    ``cursor`` is the largest ``seq`` that the store gave so far, whether it matches or not: what
    comes later is after it.
    """

    items: tuple[RequestSummary, ...]
    total: int
    cursor: int


class RequestFigures(NamedTuple):
    """Of a line what statistics are made of; the fields are those of ``RequestSummary``."""

    seq: int
    started_at: str
    method: str
    route: str | None
    status: int | None
    wall_ms: float
    queries: int | None
    profiled: bool
    capture: str | None


@dataclass(frozen=True, kw_only=True)
class FiguresPage:
    """The newest matching requests, oldest first; ``total`` and ``cursor`` as in a page."""

    items: list[RequestFigures]
    total: int
    cursor: int


def line_of(capture: Capture) -> RequestSummary:
    """The line of a capture."""
    summary = summarise(capture)
    return RequestSummary(
        started_at=summary.started_at,
        method=summary.method,
        path=summary.path,
        query_string=capture.request.query_string if capture.request else "",
        route=summary.route,
        status=summary.status,
        wall_ms=summary.wall_ms,
        queries=summary.queries,
        label=summary.label,
        db_ms=summary.db_ms,
        findings=summary.findings,
        high=summary.high,
        instruments=summary.instruments,
        # The panel that is always on slows nothing down: such a request is like any other.
        profiled=not (summary.automatic and set(summary.instruments) <= {"queries"}),
        capture=capture.id,
    )
