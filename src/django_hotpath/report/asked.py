"""From the query string of the history to what is to be listed, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django_hotpath.stores.requests import SORTS, RequestFilter

PAGE_SIZE = 50
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
STATUSES = ("2xx", "3xx", "4xx", "5xx")
PERIODS = {
    "5m": ("last 5 minutes", timedelta(minutes=5)),
    "1h": ("last hour", timedelta(hours=1)),
    "24h": ("last 24 hours", timedelta(days=1)),
    "7d": ("last 7 days", timedelta(days=7)),
}
ROUTE_SORTS = (
    *("route", "requests", "median", "p95", "worst", "total"),
    *("queries", "errors", "captures"),
)
# In the query string a route begins with a slash, so that that of the root is not empty.
NO_ROUTE = "none"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the query string asks for; what cannot be read is left out and named.

    ``period`` is a key of ``PERIODS`` or empty, ``sort`` that of the page in question.
    """

    where: RequestFilter
    period: str
    sort: str
    default_sort: str
    page: int
    problems: tuple[str, ...]

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE_SIZE

    @property
    def filtered(self) -> bool:
        return replace(self.where, sort="") != RequestFilter(sort="")

    @property
    def route(self) -> str:
        """The route as the query string has it; empty for any."""
        if self.where.routeless:
            return NO_ROUTE
        return "" if self.where.route is None else f"/{self.where.route}"

    @property
    def newest_first(self) -> bool:
        """Whether what is new belongs on top of this list."""
        return self.sort == "-started_at" and self.page == 1 and self.where.upto is None

    def values(self) -> dict[str, str]:
        """The filters as the query string has them, without sorting and page."""
        where = self.where
        values = {
            "path": where.path,
            "method": where.method,
            "status": where.status,
            "min": "" if where.min_ms is None else f"{where.min_ms:g}",
            "max": "" if where.max_ms is None else f"{where.max_ms:g}",
            "route": self.route,
            "since": self.period,
            "captured": "1" if where.captured else "",
            "upto": "" if where.upto is None else str(where.upto),
        }
        return {name: value for name, value in values.items() if value}

    def query(self, *, page: int = 1, sort: str | None = None, **changed: str) -> str:
        """The query string of this list, on another page, sorted or filtered otherwise."""
        sort = self.sort if sort is None else sort
        values = {**self.values(), **changed}
        if sort != self.default_sort:
            values["sort"] = sort
        if page != 1:
            values["page"] = str(page)
        values = {name: value for name, value in values.items() if value}
        return f"?{urlencode(values, errors='replace')}" if values else "?"


def read_query(
    query: Mapping[str, str],
    *,
    sorts: tuple[str, ...] = SORTS,
    default_sort: str = "-started_at",
) -> Asked:
    problems: list[str] = []

    def text(name: str) -> str:
        return query.get(name, "").strip()

    status = text("status").lower()
    if status and not _is_status(status):
        problems.append(f"The status is a code (404) or a class (4xx), not: {status[:40]}")
        status = ""
    period = text("since")
    if period and period not in PERIODS:
        problems.append(f"There is no such period: {period[:40]}")
        period = ""
    route = text("route")
    if route and route != NO_ROUTE and not route.startswith("/"):
        problems.append(f"There is no such route: {route[:40]}")
        route = ""
    sort = text("sort")
    if sort.removeprefix("-") not in sorts:
        sort = default_sort
    where = RequestFilter(
        path=text("path"),
        method=text("method").upper(),
        status=status,
        min_ms=_milliseconds(text("min"), "The shortest time", problems),
        max_ms=_milliseconds(text("max"), "The longest time", problems),
        route=route[1:] if route.startswith("/") else None,
        routeless=route == NO_ROUTE,
        since=_instant(period),
        upto=_whole(text("upto")),
        captured=text("captured") == "1",
        sort=sort,
    )
    return Asked(
        where=where,
        period=period,
        sort=sort,
        default_sort=default_sort,
        page=max(_whole(text("page"), digits=7) or 1, 1),
        problems=tuple(problems),
    )


def columns(asked: Asked, table: tuple[tuple[str, str, str, str], ...]) -> list[dict[str, Any]]:
    """Each header (key, label, kind, hint): the link that sorts by it, and how it is sorted now."""
    name = asked.sort.removeprefix("-")
    descending = asked.sort.startswith("-")
    again = name if descending else f"-{name}"
    found = []
    for key, label, kind, hint in table:
        # The first click shows the largest first, except for text.
        first = key if key in {"path", "route"} else f"-{key}"
        found.append(
            {
                "label": label,
                "kind": kind,
                "hint": hint,
                "url": asked.query(sort=again if key == name else first) if key else "",
                "sorted": ("descending" if descending else "ascending") if key == name else "",
            }
        )
    return found


def _is_status(status: str) -> bool:
    return (
        len(status) == 3
        and status[0] in "12345"
        and (status[1:] == "xx" or (status.isascii() and status.isdigit()))
    )


def _milliseconds(text: str, label: str, problems: list[str]) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        problems.append(f"{label} is not a number of milliseconds: {text[:40]}")
        return None
    return value


def _whole(text: str, digits: int = 18) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= digits else None


def _instant(period: str) -> str:
    if not period:
        return ""
    moment = datetime.now(UTC) - PERIODS[period][1]
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
