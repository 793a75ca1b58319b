"""The history by route: how often, how long, how many queries."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from django_hotpath.report.asked import NO_ROUTE, PAGE_SIZE, Asked, columns
from django_hotpath.report.engine import render
from django_hotpath.report.formats import share
from django_hotpath.report.listing import Surroundings, compare_url, paging
from django_hotpath.report.sparkline import as_values, sparkline
from django_hotpath.stores.requests import FiguresPage, RequestFigures

# Captures of a route that are set against those before them.
_COMPARED = 10

_COLUMNS = (
    ("route", "Route", "", ""),
    ("requests", "Requests", "n", "Not counting profiled ones, which are slower"),
    ("median", "Median, ms", "n", "Half of the requests were faster"),
    ("p95", "p95, ms", "n", "95 of 100 requests were faster; with fewer than 20 the worst one"),
    ("worst", "Worst, ms", "n", ""),
    ("total", "Total, ms", "n", "All requests together: where your time went"),
    ("queries", "Queries", "n", "On average for each request"),
    ("errors", "Errors", "n", "Answered with 500 or above, or not at all"),
    ("", "Over time", "", "The last 60 requests; a dot is a spike, a mark below is a capture"),
    ("captures", "Captures", "", ""),
)


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and a route with the figures of its requests, in milliseconds.

    Figures are those of requests that were not profiled; ``profiled_only`` where there are none.
    """

    method: str
    route: str | None
    requests: int
    median: float
    p95: float
    worst: RequestFigures
    total: float
    queries: float | None
    errors: int
    captures: tuple[str, ...]
    """Ids, oldest first."""
    profiled_only: bool
    lines: Sequence[RequestFigures]
    """Oldest first."""


def by_route(lines: Iterable[RequestFigures]) -> list[Route]:
    """``lines``: oldest first."""
    groups: dict[tuple[str, str | None], list[RequestFigures]] = defaultdict(list)
    for line in lines:
        groups[line.method, line.route].append(line)
    return [_route(method, route, found) for (method, route), found in groups.items()]


def _route(method: str, route: str | None, lines: list[RequestFigures]) -> Route:
    plain = [line for line in lines if not line.profiled]
    measured = plain or lines
    times = sorted(line.wall_ms for line in measured)
    counted = [line.queries for line in measured if line.queries is not None]
    return Route(
        method=method,
        route=route,
        requests=len(plain),
        median=median(times),
        p95=times[math.ceil(0.95 * len(times)) - 1],
        worst=max(measured, key=lambda line: line.wall_ms),
        total=math.fsum(times),
        queries=fmean(counted) if counted else None,
        errors=sum(line.status is None or line.status >= 500 for line in measured),
        captures=tuple(line.capture for line in lines if line.capture),
        profiled_only=not plain,
        lines=lines,
    )


def routes_page(page: FiguresPage, asked: Asked, around: Surroundings) -> str:
    found = by_route(page.items)
    name, downwards = asked.sort.removeprefix("-"), asked.sort.startswith("-")
    found.sort(key=lambda route: (route.route or "", route.method))
    found.sort(key=lambda route: _sorted_by(route, name), reverse=downwards)
    shown = found[asked.offset : asked.offset + PAGE_SIZE]
    most = max((route.total for route in shown), default=0.0)
    return render(
        "routes.html",
        {
            **around.values(asked, view="routes"),
            **paging(asked, len(found)),
            "rows": [_row(route, asked, most) for route in shown],
            "lines": len(page.items),
            "cut": page.total - len(page.items),
            "cursor": page.cursor,
            "columns": columns(asked, _COLUMNS),
        },
    )


def _sorted_by(route: Route, name: str) -> Any:
    if name == "route":
        return route.route or ""
    if name == "worst":
        return route.worst.wall_ms
    if name == "captures":
        return len(route.captures)
    value = getattr(route, name)
    return -1.0 if value is None else value


def _row(route: Route, asked: Asked, most: float) -> dict[str, Any]:
    place = NO_ROUTE if route.route is None else f"/{route.route}"
    filters = {**asked.values(), "method": route.method, "route": place}
    listed = reverse("hotpath:captures")
    all_url = f"{listed}?{urlencode(filters, errors='replace')}"

    def link(line: RequestFigures) -> str:
        if line.capture:
            return reverse("hotpath:capture", args=[line.capture])
        query = urlencode({**filters, "upto": str(line.seq)}, errors="replace")
        return f"{listed}?{query}#r{line.seq}"

    return {
        "route": route,
        "place": "(no route)" if route.route is None else place,
        "url": all_url,
        "worst_url": link(route.worst),
        "captures_url": f"{listed}?{urlencode({**filters, 'captured': '1'}, errors='replace')}",
        "total_share": share(route.total, most),
        "picture": as_values(sparkline(route.lines, link)),
        "compare": _compare(route.captures),
    }


def _compare(captures: tuple[str, ...]) -> dict[str, Any] | None:
    """The last captures against as many before them; None where there are too few."""
    url, number = compare_url(), min(len(captures) // 2, _COMPARED)
    if url is None or number == 0:
        return None
    before, after = captures[-2 * number : -number], captures[-number:]
    query = urlencode({"a": ",".join(before), "b": ",".join(after)}, safe=",")
    return {"url": f"{url}?{query}", "number": number}
