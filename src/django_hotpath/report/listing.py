"""The history as a list: one line for each request and capture, from the store to HTML or JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.urls import NoReverseMatch, reverse

from django_hotpath.redact import MASK
from django_hotpath.report.asked import METHODS, PAGE_SIZE, PERIODS, STATUSES, Asked, columns
from django_hotpath.report.engine import render
from django_hotpath.report.formats import share
from django_hotpath.report.links import Links
from django_hotpath.report.viewmodels.summary import status_class
from django_hotpath.stores.requests import RequestPage, RequestSummary

_COLUMNS = (
    ("started_at", "Started", "", ""),
    ("path", "Request", "", ""),
    ("status", "Status", "", ""),
    (
        "wall_ms",
        "Wall, ms",
        "n",
        "Until the answer was ready, waiting included; a profiled request takes longer",
    ),
    ("queries", "Queries", "n", "Statements sent to databases; a dash where nobody counted"),
    ("findings", "Findings", "", "Known of profiled requests only"),
)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a page of the history has besides its rows.

    ``notices`` are sentences to show on top, ``parameter`` asks for a profile, ``slow_ms`` is
    from when on a request counts as slow (None: never), ``noting`` says whether requests are
    noted at all.
    """

    links: Links
    parameter: str
    slow_ms: float | None
    noting: bool
    notices: Sequence[str] = ()

    def values(self, asked: Asked, *, view: str) -> dict[str, Any]:
        """What the frame of both views needs."""
        asked_route = "(no route)" if asked.where.routeless else asked.route
        return {
            "view": view,
            "asked": asked,
            "where": asked.where,
            "chosen_route": asked_route,
            "without_route": asked.query(route=""),
            "without_upto": asked.query(upto=""),
            "requests_url": reverse("hotpath:captures") + _plain(asked),
            "routes_url": reverse("hotpath:routes") + _plain(asked),
            "here": reverse("hotpath:routes" if view == "routes" else "hotpath:captures"),
            "recent": reverse("hotpath:recent"),
            "recent_query": asked.query(sort=asked.default_sort)[1:],
            "methods": METHODS,
            "statuses": STATUSES,
            "periods": [(key, label) for key, (label, _) in PERIODS.items()],
            "notices": self.notices,
            "noting": self.noting,
            "parameter": self.parameter,
            "links": self.links,
            "clear": reverse("hotpath:clear"),
            "compare": compare_url(),
            "bundle": "history",
        }


def list_page(page: RequestPage, asked: Asked, around: Surroundings) -> str:
    longest = max((line.wall_ms for line in page.items), default=0.0)
    rows = []
    for line in page.items:
        found = row(line, around.parameter, around.slow_ms)
        rows.append({**found, "wall_share": share(line.wall_ms, longest)})
    return render(
        "captures.html",
        {
            **around.values(asked, view="requests"),
            **paging(asked, page.total),
            "rows": rows,
            "cursor": page.cursor,
            "columns": columns(asked, _COLUMNS),
        },
    )


def paging(asked: Asked, total: int) -> dict[str, Any]:
    pages = max(math.ceil(total / PAGE_SIZE), 1)
    return {
        "total": total,
        "page_number": asked.page,
        "pages": pages,
        "previous": asked.query(page=min(asked.page - 1, pages)) if asked.page > 1 else "",
        "next": asked.query(page=asked.page + 1) if asked.page < pages else "",
        "back": asked.query(page=asked.page),
    }


def row(line: RequestSummary, parameter: str, slow_ms: float | None) -> dict[str, Any]:
    """A line as the page shows it, and as the browser gets it when it is new: plain data."""
    route = None if line.route is None else f"/{line.route}"
    return {
        "seq": line.seq,
        "started_at": line.started_at,
        "method": line.method or "",
        "path": (line.path if line.method else line.label) or "",
        "query": line.query_string,
        "label": line.label or f"{line.method} {line.path}",
        "route": route if route != line.path else None,
        "status": line.status,
        "status_class": status_class(line.status),
        "wall_ms": line.wall_ms,
        "slow": slow_ms is not None and line.wall_ms >= slow_ms,
        "queries": line.queries,
        "findings": line.findings,
        "high": line.high,
        "instruments": ", ".join(line.instruments),
        "profiled": line.profiled,
        "capture": line.capture,
        "url": reverse("hotpath:capture", args=[line.capture]) if line.capture else None,
        "delete": reverse("hotpath:delete", args=[line.capture]) if line.capture else None,
        "profile": None if line.capture else profile_url(line, parameter),
    }


def profile_url(line: RequestSummary, parameter: str) -> str | None:
    """The page with a profile asked for; None where its address is not known to the letter."""
    path = line.path or ""
    known = line.method == "GET" and path.startswith("/") and "…" not in path + line.query_string
    if not known or MASK in path + line.query_string:
        return None
    # A path such as //elsewhere is not another site.
    place = "/" + quote(path.lstrip("/\\"), safe="/:@!$&'()*+,;=~-._", errors="replace")
    query = quote(line.query_string, safe="/?:@!$&'()*+,;=~-._%", errors="replace")
    return f"{place}?{query}&{parameter}=1" if query else f"{place}?{parameter}=1"


def compare_url() -> str | None:
    """Where captures are compared; None where there is no such page."""
    try:
        return reverse("hotpath:compare")
    except NoReverseMatch:
        return None


def _plain(asked: Asked) -> str:
    """The same filters in the other view, which sorts by other columns."""
    query = asked.query(sort=asked.default_sort, upto="")
    return "" if query == "?" else query
