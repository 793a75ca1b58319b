"""The slow-request log: logger ``hotpath.slow``, requests that took ``SLOW_REQUEST_MS`` or more."""

from __future__ import annotations

import logging
from contextvars import ContextVar

from django.http import HttpRequest

logger = logging.getLogger("hotpath.slow")

# The number of statements so far in this thread or task; the execute wrapper adds to it. It is
# never reset: whoever wants to know takes the difference.
queries: ContextVar[list[int] | None] = ContextVar("hotpath_query_count", default=None)


def counter() -> list[int]:
    count = queries.get()
    if count is None:
        queries.set(count := [0])
    return count


def report(
    request: HttpRequest,
    status: int,
    elapsed_ms: float,
    query_count: int | None,
    *,
    profiled: bool = False,
) -> None:
    """One line a request; ``extra["hotpath"]`` holds the figures for structured logs.

    ``query_count`` is None where nobody counted.
    """
    try:
        _report(request, status, elapsed_ms, query_count, profiled=profiled)
    except Exception:
        # A handler, filter or record factory of the project: its failure is not the request's.
        return


def _report(
    request: HttpRequest,
    status: int,
    elapsed_ms: float,
    query_count: int | None,
    *,
    profiled: bool,
) -> None:
    match = request.resolver_match
    route = match.route if match is not None else None
    # The route, not the path: a path may hold anything, and an identifier of somebody.
    place = f"/{route.lstrip('^/')}" if route is not None else "(no route)"
    figures = {
        "method": request.method or "",
        "route": route,
        "status": status,
        "duration_ms": elapsed_ms,
        "query_count": query_count,
        "profiled": profiled,
    }
    logger.warning(
        "%s %s %s took %.0f ms%s%s",
        figures["method"],
        place,
        status,
        elapsed_ms,
        "" if query_count is None else f" with {query_count} queries",
        " (profiled)" if profiled else "",
        extra={"hotpath": figures},
    )
