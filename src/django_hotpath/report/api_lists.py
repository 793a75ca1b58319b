"""``api/captures/``, ``api/requests/`` and ``api/routes/``: the history as JSON."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from django_hotpath import deferred, stores, summaries
from django_hotpath.report.api_answers import endpoint, error
from django_hotpath.report.asked import PAGE_SIZE, ROUTE_SORTS, Asked, read_query
from django_hotpath.report.history_views import _LINES
from django_hotpath.report.routes import Route, _sorted_by, by_route
from django_hotpath.stores.requests import RequestSummary

# What the list page leaves out of its filters may be a mistyped name, which would be ignored.
_KNOWN = frozenset(
    {
        *("path", "method", "status", "min", "max", "route", "since", "captured", "upto"),
        *("sort", "page", "after"),
    }
)


@endpoint("GET", "HEAD")
def captures(request: HttpRequest) -> HttpResponse:
    return _lines(request, "captures", only_captured=True)


@endpoint("GET", "HEAD")
def requests(request: HttpRequest) -> HttpResponse:
    return _lines(request, "requests", only_captured=False)


@endpoint("GET", "HEAD")
def routes(request: HttpRequest) -> HttpResponse:
    asked = read_query(request.GET, sorts=ROUTE_SORTS, default_sort="-total")
    problems = _problems(request, asked, {"after"})
    if problems:
        return error(400, "; ".join(problems))
    _write()
    page = stores.get_store().figures(asked.where, limit=_LINES)
    found = by_route(page.items)
    found.sort(key=lambda route: (route.route or "", route.method))
    name = asked.sort.removeprefix("-")
    found.sort(key=lambda route: _sorted_by(route, name), reverse=asked.sort.startswith("-"))
    shown = found[asked.offset : asked.offset + PAGE_SIZE]
    paging = _paging(asked, len(found), "routes")
    return JsonResponse({"routes": [_route(route) for route in shown], **paging})


def _lines(request: HttpRequest, name: str, *, only_captured: bool) -> HttpResponse:
    asked = read_query(request.GET)
    problems = _problems(request, asked, set())
    after = request.GET.get("after", "")
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        problems.append("after is not the cursor of an earlier answer")
    if problems:
        return error(400, "; ".join(problems))
    _write()
    where = replace(asked.where, captured=True) if only_captured else asked.where
    store = stores.get_store()
    cursor = int(after) if after else None
    page = store.summaries(where, offset=asked.offset, limit=PAGE_SIZE, after=cursor)
    return JsonResponse(
        {
            name: [_line(line) for line in page.items],
            "cursor": page.cursor,
            **_paging(asked, page.total, name, cursor),
        }
    )


def _problems(request: HttpRequest, asked: Asked, refused: set[str]) -> list[str]:
    """The pages say what they could not read and go on; a program would not notice."""
    known = _KNOWN - refused
    unknown = [name[:40] for name in request.GET if name not in known]
    problems = list(asked.problems)
    if unknown:
        problems.append(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    sort = request.GET.get("sort", "").strip()
    if sort and sort != asked.sort:
        problems.append(f"cannot be sorted by {sort[:40]}")
    page = request.GET.get("page", "").strip()
    if page and page != str(asked.page):
        problems.append(f"there is no page {page[:40]}")
    return problems


def _paging(asked: Asked, total: int, name: str, after: int | None = None) -> dict[str, Any]:
    pages = max(math.ceil(total / PAGE_SIZE), 1)
    here = reverse(f"hotpath:api-{name}")
    more = {} if after is None else {"after": str(after)}

    def link(page: int) -> str | None:
        return here + asked.query(page=page, **more) if 1 <= page <= pages else None

    return {
        "total": total,
        "page": asked.page,
        "pages": pages,
        "page_size": PAGE_SIZE,
        "next": link(asked.page + 1),
        "previous": link(asked.page - 1),
    }


def _line(line: RequestSummary) -> dict[str, Any]:
    found = asdict(line)
    found["instruments"] = list(line.instruments)
    found["url"] = (
        reverse("hotpath:api-capture", args=[line.capture]) if line.capture is not None else None
    )
    return found


def _route(route: Route) -> dict[str, Any]:
    return {
        "method": route.method,
        "route": route.route,
        "requests": route.requests,
        "median_ms": route.median,
        "p95_ms": route.p95,
        "worst_ms": route.worst.wall_ms,
        "total_ms": route.total,
        "queries": route.queries,
        "errors": route.errors,
        "captures": list(route.captures),
        "profiled_only": route.profiled_only,
    }


def _write() -> None:
    """What this process still owes to the history."""
    deferred.settle_all()
    summaries.flush()
