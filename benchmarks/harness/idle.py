"""What each middleware adds to a request that it leaves alone.

All contenders share one process: the differences are a hundred times smaller than those between
two processes. None of them patches anything that the hello view touches while idle.
"""

from __future__ import annotations

import asyncio
import gc
import io
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse
from django.test import override_settings
from django.utils.module_loading import import_string

from harness.clock import now
from harness.idle_subjects import SUBJECTS, Subject
from harness.project import environ

# way -> calls in a batch. Small batches, many rounds: a slow spell of the machine hits them all.
_CALLS = {"direct": 200, "wsgi": 40, "async direct": 200, "async handler": 60, "asgi": 10}
# Calls that take longer than this are made fewer times.
_DEAR = 100e-6
_DEAR_CALLS = 8
_WARM_UP = 3


Batch = Callable[[int], float]


def measure(way: str, rounds: int) -> dict[str, list[float]]:
    """Seconds a call, round by round; a subject that does not exist in this way is left out."""
    if way == "query":
        from harness import idle_query

        return idle_query.measure(rounds)
    batches = _batches(way)
    found: dict[str, list[float]] = {label: [] for label in batches}
    order = list(batches)
    for _ in range(rounds):
        order.append(order.pop(0))
        for label in order:
            calls, batch = batches[label]
            found[label].append(batch(calls) / calls)
    return found


@cache
def _batches(way: str) -> dict[str, tuple[int, Batch]]:
    found = {}
    for subject in SUBJECTS:
        if not subject.installed:
            continue
        batch = _with_settings(subject, _MAKERS[way](subject))
        if batch is None:
            continue
        batch(50)
        dear = batch(10) / 10 > _DEAR
        calls = min(_CALLS[way], _DEAR_CALLS) if dear else _CALLS[way]
        found[subject.label] = (calls, batch)
    return found


def _with_settings(subject: Subject, batch: Batch | None) -> Batch | None:
    """The batch under the subject's ``HOTPATH``, with the collector off.

    Everybody's settings are overridden, although only ours are read: what runs for that just
    before a batch leaves the CPU's caches as cold for all.
    """
    if batch is None:
        return None

    def run(calls: int) -> float:
        with override_settings(HOTPATH=subject.hotpath, DEBUG=subject.debug):
            return _quiet(batch, calls)

    return run


def _quiet(batch: Batch, calls: int) -> float:
    gc.disable()
    try:
        return batch(calls)
    finally:
        gc.enable()


def _direct(subject: Subject) -> Batch:
    response = HttpResponse()

    def get_response(request: Any) -> HttpResponse:
        return response

    path = subject.path(is_async=False)
    call = import_string(path)(get_response) if path else get_response

    def batch(calls: int) -> float:
        # A request each: what a middleware reads of it must not be there from the last call.
        requests = [WSGIRequest(environ("/hello/")) for _ in range(_WARM_UP + calls)]
        for request in requests[:_WARM_UP]:
            call(request)
        timed = requests[_WARM_UP:]
        began = now()
        for request in timed:
            call(request)
        return now() - began

    return batch


def _wsgi(subject: Subject) -> Batch:
    path = subject.path(is_async=False)
    with override_settings(MIDDLEWARE=[path] if path else []):
        handler = WSGIHandler()

    def serve(given: dict[str, Any]) -> None:
        response = handler(given, lambda *args: None)  # type: ignore[arg-type]
        b"".join(response)
        response.close()

    def batch(calls: int) -> float:
        given = [environ("/hello/") for _ in range(_WARM_UP + calls)]
        for one in given[:_WARM_UP]:
            serve(one)
        timed = given[_WARM_UP:]
        began = now()
        for one in timed:
            serve(one)
        return now() - began

    return batch


def _async_direct(subject: Subject) -> Batch | None:
    response = HttpResponse()

    async def get_response(request: Any) -> HttpResponse:
        return response

    path = subject.path(is_async=True)
    call: Callable[[Any], Awaitable[Any]] = get_response
    if path:
        middleware = import_string(path)
        if not getattr(middleware, "async_capable", False):
            return None
        call = middleware(get_response)
        assert iscoroutinefunction(call), f"{path} did not take to async"
    return _async_batch(call)


def _async_handler(subject: Subject) -> Batch:
    path = subject.path(is_async=True)
    with override_settings(MIDDLEWARE=[path] if path else []):
        handler = ASGIHandler()
    return _async_batch(handler.get_response_async)


def _asgi(subject: Subject) -> Batch:
    path = subject.path(is_async=True)
    with override_settings(MIDDLEWARE=[path] if path else []):
        handler = ASGIHandler()

    async def send(message: Any) -> None:
        pass

    async def serve(request: ASGIRequest) -> None:
        received = False

        async def receive() -> dict[str, Any]:
            nonlocal received
            if received:
                # The handler listens for the client to leave, until it has answered.
                await asyncio.Future()
            received = True
            return {"type": "http.request", "body": b"", "more_body": False}

        await handler(dict(request.scope), receive, send)

    return _async_batch(serve)


def _async_batch(call: Callable[[Any], Awaitable[Any]]) -> Batch:
    async def run(calls: int) -> float:
        requests = [ASGIRequest(_scope(), io.BytesIO()) for _ in range(_WARM_UP + calls)]
        for request in requests[:_WARM_UP]:
            await call(request)
        timed = requests[_WARM_UP:]
        began = now()
        for request in timed:
            await call(request)
        return now() - began

    return lambda calls: _loop().run(run(calls))


@cache
def _loop() -> asyncio.Runner:
    return asyncio.Runner()


def _scope() -> dict[str, Any]:
    names = ("host", "accept", "accept-encoding", "accept-language", "user-agent", "cookie")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/hello-async/",
        "query_string": b"",
        "headers": [(name.encode(), b"localhost") for name in names],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
    }


_MAKERS: dict[str, Callable[[Subject], Batch | None]] = {
    "direct": _direct,
    "wsgi": _wsgi,
    "async direct": _async_direct,
    "async handler": _async_handler,
    "asgi": _asgi,
}
