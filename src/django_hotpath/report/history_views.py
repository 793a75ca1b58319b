"""The history: requests and captures in one list, the same by route, and what is new."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from django_hotpath import deferred, stores, summaries
from django_hotpath.conf import settings
from django_hotpath.report.asked import PAGE_SIZE, ROUTE_SORTS, read_query
from django_hotpath.report.guard import guarded
from django_hotpath.report.http import html_response
from django_hotpath.report.links import Links, included_asset
from django_hotpath.report.listing import Surroundings, list_page, row
from django_hotpath.report.routes import routes_page

# Routes are made of so many lines at most.
_LINES = 10_000
_CODES = frozenset({"200", "304"})


@never_cache
@guarded
@require_safe
def captures(request: HttpRequest) -> HttpResponse:
    asked = read_query(request.GET)
    _write()
    page = stores.get_store().summaries(asked.where, offset=asked.offset, limit=PAGE_SIZE)
    return html_response(list_page(page, asked, _around(request)))


@never_cache
@guarded
@require_safe
def routes(request: HttpRequest) -> HttpResponse:
    asked = read_query(request.GET, sorts=ROUTE_SORTS, default_sort="-total")
    _write()
    page = stores.get_store().figures(asked.where, limit=_LINES)
    return html_response(routes_page(page, asked, _around(request)))


@never_cache
@guarded
@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    """Lines that came after ``after``, as JSON, filtered as the list is.

    ``cursor`` is what to ask for next time; ``left_out`` counts new lines that are not among
    ``rows``, the oldest ones; ``restarted`` says that the store was made anew meanwhile.
    """
    _quieten_server_log()
    asked = read_query(request.GET)
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    summaries.flush()
    page = stores.get_store().summaries(asked.where, after=number, limit=PAGE_SIZE)
    found = [row(line, settings.PARAMETER, settings.SLOW_REQUEST_MS) for line in page.items]
    answer = {
        "cursor": page.cursor,
        "restarted": page.cursor < number,
        "rows": found,
        "left_out": page.total - len(found),
    }
    return JsonResponse(answer)


def _write() -> None:
    """What this process still owes to the history."""
    deferred.settle_all()
    summaries.flush()


def _around(request: HttpRequest) -> Surroundings:
    links = Links(
        asset=included_asset, captures=reverse("hotpath:captures"), csrf_token=get_token(request)
    )
    return Surroundings(
        links=links,
        parameter=settings.PARAMETER,
        slow_ms=settings.SLOW_REQUEST_MS,
        noting=summaries.noting(),
        notices=_notices(),
    )


def _notices() -> list[str]:
    """Why a line that somebody looks for may not be in the list."""
    found = []
    if problem := deferred.trouble():
        found.append(f"The last capture was not stored: {problem}")
    if number := deferred.streams():
        answers = "1 answer is" if number == 1 else f"{number} answers are"
        found.append(f"{answers} still being streamed: a capture comes when its answer ends.")
    return found + summaries.notices()


class _WithoutPolling(logging.Filter):
    """runserver logs every request, and the open history asks every other second."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.start = f"GET {path}?"

    def filter(self, record: logging.LogRecord) -> bool:
        values = record.args
        return not (
            isinstance(values, tuple)
            and len(values) > 1
            and str(values[0]).startswith(self.start)
            and str(values[1]) in _CODES
        )


def _quieten_server_log() -> None:
    """From the first time on that the browser asks, and only of its own questions."""
    logger = logging.getLogger("django.server")
    if not any(isinstance(known, _WithoutPolling) for known in logger.filters):
        logger.addFilter(_WithoutPolling(reverse("hotpath:recent")))
