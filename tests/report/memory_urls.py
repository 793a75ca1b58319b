"""Pages that keep memory, and pages that only look like it."""

from __future__ import annotations

from collections import deque

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

KEPT: list[object] = []
FULL: deque[list[object]] = deque(([object() for _ in range(3_000)] for _ in range(2)), maxlen=2)


def leaks(request: HttpRequest) -> HttpResponse:
    KEPT.extend(object() for _ in range(3_000))
    return HttpResponse("kept")


def replaces(request: HttpRequest) -> HttpResponse:
    FULL.append([object() for _ in range(3_000)])
    return HttpResponse("kept, and as much let go")


def answers(request: HttpRequest) -> HttpResponse:
    response = HttpResponse("large")
    response.extra = [object() for _ in range(3_000)]  # type: ignore[attr-defined]
    return response


def garbage(request: HttpRequest) -> HttpResponse:
    cycle: list[object] = [object() for _ in range(3_000)]
    cycle.append(cycle)
    return HttpResponse("for the collector")


urlpatterns = [
    path("__hotpath__/", include("django_hotpath.urls")),
    *(path(f"{view.__name__}/", view) for view in (leaks, replaces, answers, garbage)),
]
