"""URLs of the panels' tests: pages of every kind, ours, and those of the debug toolbar."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

from debug_toolbar import views as toolbar_views
from debug_toolbar.panels.history import views as history_views
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import StreamingHttpResponse
from django.urls import include, path
from django.views import View

from tests.views import Broken

GROUPS = 5
PAGE = "<!doctype html><html><head></head><body><p>%s</p></body></html>"


def work() -> str:
    """A loop of queries, which is a finding."""
    names: list[str] = []
    for number in range(GROUPS):
        names += Group.objects.filter(name=f"group {number}").values_list("name", flat=True)
    return f"{len(names)} groups"


async def awork() -> str:
    count = 0
    for number in range(GROUPS):
        count += await Group.objects.filter(name=f"group {number}").acount()
        await asyncio.sleep(0)
    return f"{count} groups"


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE % work())


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(PAGE % await awork())


class Page(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(PAGE % work())


class AsyncPage(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(PAGE % await awork())


def as_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"groups": work()})


async def async_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"groups": await awork()})


def redirect(request: HttpRequest) -> HttpResponse:
    work()
    return HttpResponseRedirect("/sync/page/")


async def async_redirect(request: HttpRequest) -> HttpResponse:
    await awork()
    return HttpResponseRedirect("/async/page/")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        yield "first"
        yield work()

    return StreamingHttpResponse(parts())


async def async_stream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        yield "first"
        yield await awork()

    return StreamingHttpResponse(parts())


def broken(request: HttpRequest) -> HttpResponse:
    work()
    raise Broken("the view broke")


async def async_broken(request: HttpRequest) -> HttpResponse:
    await awork()
    raise Broken("the view broke")


def quick(request: HttpRequest) -> HttpResponse:
    """No query."""
    gc.get_count()
    return HttpResponse(PAGE % "quick")


def instances(request: HttpRequest) -> HttpResponse:
    """Makes model instances."""
    return HttpResponse(PAGE % len(list(Group.objects.all())))


def many(request: HttpRequest) -> HttpResponse:
    """Hundreds of queries, thousands of calls, from as many functions."""
    functions = [eval(f"lambda: Group.objects.filter(name='x{n}').exists()") for n in range(200)]
    for _ in range(3):
        for function in functions:
            function()
    return HttpResponse(PAGE % "many")


SYNC: dict[str, Any] = {
    "page": page,
    "class-based": Page.as_view(),
    "json": as_json,
    "redirect": redirect,
    "stream": stream,
    "broken": broken,
}
ASYNC: dict[str, Any] = {
    "page": async_page,
    "class-based": AsyncPage.as_view(),
    "json": async_json,
    "redirect": async_redirect,
    "stream": async_stream,
    "broken": async_broken,
}

# As ``debug_toolbar.urls``, which keeps those of the panels that were listed when it was imported.
toolbar = [
    path("render_panel/", toolbar_views.render_panel, name="render_panel"),
    path("history_sidebar/", history_views.history_sidebar, name="history_sidebar"),
    path("history_refresh/", history_views.history_refresh, name="history_refresh"),
]

urlpatterns = [
    *(path(f"sync/{name}/", view) for name, view in SYNC.items()),
    *(path(f"async/{name}/", view) for name, view in ASYNC.items()),
    path("quick/", quick),
    path("many/", many),
    path("instances/", instances),
    path("__hotpath__/", include("django_hotpath.urls")),
    path("__debug__/", include((toolbar, "djdt"))),
]
