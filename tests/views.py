"""Views of every kind of answer, sync and async, for tests."""

from __future__ import annotations

import asyncio
import io
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import wraps
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.cache import cache_page
from django.views.decorators.csrf import csrf_exempt


class Broken(Exception):
    """What the broken views raise."""


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>A page</title><p>Grüße, 世界</p>" + "<br>" * 100)


def as_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"rows": list(range(50)), "text": "ü"})


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    """All that a view can read from the request."""
    seen: dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "path_info": request.path_info,
        "full_path": request.get_full_path(),
        "uri": request.build_absolute_uri(),
        "next_page": request.build_absolute_uri("?page=2"),
        "GET": {key: request.GET.getlist(key) for key in request.GET},
        "urlencode": request.GET.urlencode(),
        "query_string": request.META.get("QUERY_STRING"),
        "request_uri": [request.META.get("REQUEST_URI"), request.META.get("RAW_URI")],
        "meta": sorted(key for key, value in request.META.items() if isinstance(value, str)),
        "headers": dict(request.headers),
        "cookies": request.COOKIES,
        "content_type": request.content_type,
        "content_params": request.content_params,
        "match": repr(request.resolver_match),
        "user": str(getattr(request, "user", None)),
    }
    if scope := getattr(request, "scope", None):
        query = scope["query_string"]
        # Bytes from a server, text from Django's test client.
        seen["scope"] = [scope["path"], query.decode() if isinstance(query, bytes) else query]
    if request.content_type == "application/json":
        seen["json"] = json.loads(request.body or b"null")
    else:
        seen["POST"] = {key: request.POST.getlist(key) for key in request.POST}
        seen["FILES"] = {key: file.read().decode() for key, file in request.FILES.items()}
    return JsonResponse(seen, json_dumps_params={"sort_keys": True})


@csrf_exempt
def raw_body(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body, content_type="application/octet-stream", status=201)


def redirect(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(f"/answers/sync/page/?{request.GET.urlencode()}")


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404("no such thing")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("not you")


def suspicious(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation("what is this")


def broken(request: HttpRequest) -> HttpResponse:
    try:
        raise KeyError("the cause")
    except KeyError as error:
        raise Broken("the view broke") from error


def broken_template(request: HttpRequest) -> HttpResponse:
    """Raises while it is rendered, after the view has returned."""
    template = engines["django"].from_string("{{ thing.explode }}")

    class Thing:
        def explode(self) -> str:
            raise Broken("the template broke")

    return TemplateResponse(request, template, {"thing": Thing()})  # type: ignore[arg-type]


def quits(request: HttpRequest) -> HttpResponse:
    raise SystemExit(3)


@csrf_exempt
def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def teapot(request: HttpRequest) -> HttpResponse:
    return HttpResponse("short and stout", status=418, reason="Teapot")


def decorated(request: HttpRequest) -> HttpResponse:
    """Sets every header that somebody else might be tempted to touch."""
    response = HttpResponse("decorated", content_type="text/html; charset=iso-8859-1")
    response.set_cookie("plain", "1")
    response.set_cookie("strict", "ü 2", path="/answers/", httponly=True, samesite="Strict")
    response.delete_cookie("old")
    response.headers["ETag"] = '"abc"'
    response.headers["Last-Modified"] = "Fri, 20 Nov 2026 12:00:00 GMT"
    response.headers["Cache-Control"] = "private, max-age=60"
    response.headers["Vary"] = "Accept, Cookie"
    response.headers["Server-Timing"] = 'view;dur=1.5;desc="the view"'
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers["X-Own"] = "kept"
    return response


def conditional(request: HttpRequest) -> HttpResponse:
    """For ``ConditionalGetMiddleware``, which sets the ETag."""
    return HttpResponse("the same every time")


def chunks() -> Iterator[bytes]:
    for number in range(5):
        yield b"chunk %d\n" % number


async def async_chunks() -> AsyncIterator[bytes]:
    for number in range(5):
        await asyncio.sleep(0)
        yield b"chunk %d\n" % number


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(chunks(), content_type="text/plain")


def async_stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(async_chunks(), content_type="text/event-stream")


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(b"\x00\x01binary" * 1000), as_attachment=True, filename="ü.bin")


def template_response(request: HttpRequest) -> TemplateResponse:
    template = engines["django"].from_string("{{ request.get_full_path }} {{ numbers|join:', ' }}")
    response = TemplateResponse(request, template, {"numbers": range(20)})  # type: ignore[arg-type]
    response.add_post_render_callback(_note_rendering)
    return response


def _note_rendering(response: HttpResponse) -> None:
    response.headers["X-Rendered"] = str(len(response.content))


def session(request: HttpRequest) -> HttpResponse:
    """Reads the session, which sets ``Vary: Cookie``."""
    return HttpResponse(str(request.session.get("name")))


def queries(request: HttpRequest) -> HttpResponse:
    Group.objects.get_or_create(name="readers")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 UNION SELECT 2")
        rows = cursor.fetchall()
    return JsonResponse({"groups": list(Group.objects.values_list("name", flat=True)), "n": rows})


CLOSED: list[str] = []
"""The resources that were closed."""


def resource(request: HttpRequest) -> HttpResponse:
    """Holds something open until the response is closed, as an opened file is."""
    response = HttpResponse("resource")
    response._resource_closers.append(lambda: CLOSED.append("resource"))  # type: ignore[attr-defined]
    return response


CALLS: list[str] = []
"""The full paths that the cached view was run for."""


@cache_page(60)
def cached(request: HttpRequest) -> HttpResponse:
    CALLS.append(request.get_full_path())
    return HttpResponse(f"{request.get_full_path()} <p>cached</p>")


ANSWERS = {
    "page": page,
    "json": as_json,
    "echo": echo,
    "raw-body": raw_body,
    "redirect": redirect,
    "missing": missing,
    "forbidden": forbidden,
    "suspicious": suspicious,
    "broken": broken,
    "broken-template": broken_template,
    "empty": empty,
    "teapot": teapot,
    "decorated": decorated,
    "conditional": conditional,
    "stream": stream,
    "async-stream": async_stream,
    "file": file,
    "template-response": template_response,
    "session": session,
    "resource": resource,
    "quits": quits,
}


def as_async(view: Callable[[HttpRequest], HttpResponseBase]) -> Any:
    """The same view as a coroutine function, which is suspended once on its way."""

    @wraps(view)
    async def wrapper(request: HttpRequest) -> HttpResponseBase:
        await asyncio.sleep(0)
        return view(request)

    return wrapper


# A request that is held until it is let go or its client leaves; for servers with one process.
_held = 0
_let_go = threading.Event()


def hold(request: HttpRequest) -> HttpResponse:
    global _held
    _held += 1
    try:
        _let_go.wait(30)
    finally:
        _held -= 1
    return HttpResponse("held")


async def async_hold(request: HttpRequest) -> HttpResponse:
    global _held
    _held += 1
    try:
        until = time.monotonic() + 30
        while not _let_go.is_set() and time.monotonic() < until:
            await asyncio.sleep(0.01)
    finally:
        _held -= 1
    return HttpResponse("held")


async def held(request: HttpRequest) -> HttpResponse:
    """How many requests are held now; ``?let_go=1`` and ``?let_go=0`` open and close the gate."""
    match request.GET.get("let_go"):
        case "1":
            _let_go.set()
        case "0":
            _let_go.clear()
    return HttpResponse(str(_held))


async def stream_hold(request: HttpRequest) -> StreamingHttpResponse:
    """Streams its first chunk and holds the second."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"first"
        yield (await async_hold(request)).content

    return StreamingHttpResponse(parts())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    """Events until the client leaves, or half a minute."""

    def parts() -> Iterator[bytes]:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            yield b"data: tick\n\n"
            time.sleep(0.01)

    return StreamingHttpResponse(parts(), content_type="text/event-stream")


async def async_endless(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            yield b"data: tick\n\n"
            await asyncio.sleep(0.01)

    return StreamingHttpResponse(parts(), content_type="text/event-stream")


_met: dict[str, int] = {}


async def meet(request: HttpRequest, place: str, column: str, count: int) -> HttpResponse:
    """Queries one column as often as asked, in turns with another request at the same place."""
    from shop.models import Company

    _met[place] = _met.get(place, 0) + 1
    until = time.monotonic() + 30
    while _met[place] < 2 and time.monotonic() < until:
        await asyncio.sleep(0.005)
    for number in range(count):
        await Company.objects.filter(**{column: f"{column} {number}"}).aexists()
        await asyncio.sleep(0)
    return HttpResponse(f"{column} {count} {_met[place]}")


async def gather(request: HttpRequest, count: int) -> HttpResponse:
    """Queries of several tasks of one request."""
    from shop.models import Company

    async def one(number: int) -> bool:
        return await Company.objects.filter(symbol=f"S{number}").aexists()

    found = await asyncio.gather(*(one(number) for number in range(count)))
    return HttpResponse(str(len(found)))


urlpatterns: list[URLPattern] = [
    *(path(f"sync/{name}/", view) for name, view in ANSWERS.items()),
    *(path(f"async/{name}/", as_async(view)) for name, view in ANSWERS.items()),
    path("sync/cached/", cached),
    path("sync/queries/", queries),
    path("hold/", hold),
    path("async-hold/", async_hold),
    path("stream-hold/", stream_hold),
    path("endless/", endless),
    path("async-endless/", async_endless),
    path("held/", held),
    path("meet/<place>/<column>/<int:count>/", meet),
    path("gather/<int:count>/", gather),
]
