"""The page that lists captures: from the query string to a filter, from summaries to HTML."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from django_hotpath.report.engine import render
from django_hotpath.report.formats import share
from django_hotpath.report.links import Links
from django_hotpath.report.viewmodels.summary import status_class
from django_hotpath.stores.base import SORTS, CaptureFilter, CaptureSummary, Page

PAGE_SIZE = 50
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
STATUSES = ("2xx", "3xx", "4xx", "5xx")

_COLUMNS = (
    ("started_at", "Captured", ""),
    ("path", "Request", ""),
    ("status", "Status", ""),
    ("wall_ms", "Wall, ms", "number"),
    ("", "Database, ms", "number"),
    ("queries", "Queries", "number"),
    ("findings", "Findings", ""),
    ("", "Instruments", ""),
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the query string asks for; what cannot be read is left out and named."""

    where: CaptureFilter
    page: int
    problems: tuple[str, ...]

    @property
    def offset(self) -> int:
        return (self.page - 1) * PAGE_SIZE

    @property
    def filtered(self) -> bool:
        return replace(self.where, sort="") != CaptureFilter(sort="")

    def query(self, *, page: int = 1, sort: str | None = None) -> str:
        """The query string of this list, on another page or sorted otherwise."""
        where = self.where
        values = {
            "path": where.path,
            "method": where.method,
            "status": where.status,
            "min": "" if where.min_ms is None else f"{where.min_ms:g}",
            "max": "" if where.max_ms is None else f"{where.max_ms:g}",
            "sort": where.sort if sort is None else sort,
            "page": str(page),
        }
        defaults = {"sort": "-started_at", "page": "1"}
        kept = {name: v for name, v in values.items() if v and v != defaults.get(name)}
        return f"?{urlencode(kept)}" if kept else "?"


def read_query(query: Mapping[str, str]) -> Asked:
    problems: list[str] = []

    def text(name: str) -> str:
        return query.get(name, "").strip()

    def number(name: str, label: str) -> float | None:
        if not text(name):
            return None
        try:
            value = float(text(name))
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0:
            problems.append(f"{label} is not a number of milliseconds: {text(name)[:40]}")
            return None
        return value

    status = text("status").lower()
    if status and not _is_status(status):
        problems.append(f"The status is a code (404) or a class (4xx), not: {status[:40]}")
        status = ""
    sort = text("sort") or "-started_at"
    if sort.removeprefix("-") not in SORTS:
        sort = "-started_at"
    page = text("page")
    where = CaptureFilter(
        path=text("path"),
        method=text("method").upper(),
        status=status,
        min_ms=number("min", "The shortest time"),
        max_ms=number("max", "The longest time"),
        sort=sort,
    )
    number_of_page = int(page) if page.isascii() and page.isdigit() and len(page) < 8 else 1
    return Asked(where=where, page=max(number_of_page, 1), problems=tuple(problems))


def list_page(
    page: Page,
    asked: Asked,
    links: Links,
    notices: Sequence[str] = (),
    *,
    clear: str,
    parameter: str,
) -> str:
    """``notices`` are sentences to show on top of it, ``clear`` is where to post to delete all,
    ``parameter`` the one that asks for a profile.
    """
    pages = max(math.ceil(page.total / PAGE_SIZE), 1)
    longest = max((row.wall_ms for row in page.items), default=0.0)
    return render(
        "captures.html",
        {
            "rows": [_row(row, longest) for row in page.items],
            "total": page.total,
            "asked": asked,
            "notices": notices,
            "where": asked.where,
            "columns": _columns(asked),
            "methods": METHODS,
            "statuses": STATUSES,
            "page_number": asked.page,
            "pages": pages,
            "previous": asked.query(page=min(asked.page - 1, pages)) if asked.page > 1 else "",
            "next": asked.query(page=asked.page + 1) if asked.page < pages else "",
            "back": asked.query(page=asked.page),
            "clear": clear,
            "parameter": parameter,
            "links": links,
            "modules": ("kit", "controls"),
        },
    )


def _is_status(status: str) -> bool:
    return (
        len(status) == 3
        and status[0] in "12345"
        and (status[1:] == "xx" or (status.isascii() and status.isdigit()))
    )


def _row(summary: CaptureSummary, longest: float) -> dict[str, Any]:
    return {
        "capture": summary,
        "status_class": status_class(summary.status),
        "wall_share": share(summary.wall_ms, longest),
        "url": reverse("hotpath:capture", args=[summary.id]),
        "delete": reverse("hotpath:delete", args=[summary.id]),
    }


def _columns(asked: Asked) -> list[dict[str, str]]:
    """Each header: its text, the link that sorts by it, and how it is sorted now."""
    current = asked.where.sort
    columns = []
    for key, label, kind in _COLUMNS:
        name = current.removeprefix("-")
        descending = current.startswith("-")
        # The first click shows the largest first, except for text.
        first = key if key == "path" else f"-{key}"
        again = name if descending else f"-{name}"
        columns.append(
            {
                "label": label,
                "kind": kind,
                "url": asked.query(sort=again if key == name else first) if key else "",
                "sorted": ("descending" if descending else "ascending") if key == name else "",
            }
        )
    return columns
