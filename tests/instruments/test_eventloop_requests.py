"""``eventloop`` around requests: views and middleware, sync and async, streams."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.utils.decorators import sync_and_async_middleware, sync_only_middleware

from django_hotpath import stores
from django_hotpath.instruments import eventloop, loopwatch
from django_hotpath.instruments.base import active_instrument


def blocks() -> None:
    done = looked_at()
    while not done():
        time.sleep(0.1)


def looked_at() -> Callable[[], bool]:
    """Whether it has taken 0.2 s and, in a step of the request, was seen: a busy machine may take
    longer for that."""
    began = time.monotonic()
    step = getattr(active_instrument("eventloop"), "_step", None)

    def done() -> bool:
        took = time.monotonic() - began
        return took >= 0.2 and (step is None or bool(step.looks) or took > 10)

    return done


async def quick(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("quick")


async def blocking(request: HttpRequest) -> HttpResponse:
    blocks()
    return HttpResponse("blocking")


async def breaks(request: HttpRequest) -> HttpResponse:
    blocks()
    raise LookupError("theirs")


def sync_view(request: HttpRequest) -> HttpResponse:
    blocks()
    return HttpResponse("sync")


async def astream(request: HttpRequest) -> StreamingHttpResponse:
    async def rows() -> AsyncIterator[bytes]:
        for number in range(2):
            await asyncio.sleep(0)
            blocks()
            yield b"%d" % number

    return StreamingHttpResponse(rows())


async def sync_stream(request: HttpRequest) -> StreamingHttpResponse:
    def rows() -> Iterator[bytes]:
        blocks()
        yield b"0"

    return StreamingHttpResponse(rows())


@sync_and_async_middleware
def slow_middleware(get_response: Any) -> Any:
    async def middleware(request: HttpRequest) -> HttpResponse:
        blocks()
        response: HttpResponse = await get_response(request)
        return response

    return middleware


@sync_only_middleware
def sync_middleware(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = get_response(request)
        return response

    return middleware


urlpatterns = [
    path("quick/", quick),
    path("blocking/", blocking),
    path("breaks/", breaks),
    path("sync/", sync_view),
    path("astream/", astream),
    path("sync-stream/", sync_stream),
    path("__hotpath__/", include("django_hotpath.urls")),
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

HERE = "tests/instruments/test_eventloop_requests.py"


@pytest.fixture(autouse=True)
def _settings(settings: Any) -> None:
    settings.DEBUG = True


def stored(response: Any) -> Any:
    found = stores.get_store().get(response["Hotpath-Capture"].strip("/").split("/")[-1])
    return found.instruments["eventloop"]


def holds_of(result: Any) -> list[Any]:
    """Those that ``blocks`` is to blame for: a busy machine may add others."""
    return [
        {**hold, **line}
        for hold in result["holds"]
        for line in hold["lines"]
        if line["call_site"] and line["call_site"]["function"] == "blocks"
    ]


def blocked(result: Any) -> list[str]:
    return [hold["call_site"]["function"] for hold in holds_of(result)]


async def test_a_view_that_blocks_is_found(async_client: AsyncClient) -> None:
    response = await async_client.get("/blocking/?profile=eventloop&profile_as=json")
    capture = json.loads(response.content)
    (finding,) = [found for found in capture["findings"] if found["kind"] == "blocking_call"]
    assert finding["call_site"]["file"] == HERE
    assert finding["fix"]["code"] == "await sync_to_async(blocks)()"


async def test_a_quick_view_is_not(async_client: AsyncClient) -> None:
    result = stored(await async_client.get("/quick/?profile=eventloop"))
    assert blocked(result) == []
    assert result["driven"]
    assert "sleep" in [wait["for"] for wait in result["waits"]]


async def test_a_middleware_that_blocks_is_found_beside_a_quick_view(
    async_client: AsyncClient, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.slow_middleware"]
    result = stored(await async_client.get("/quick/?profile=eventloop"))
    assert blocked(result) == ["blocks"]
    (hold,) = holds_of(result)
    assert hold["entered"]["function"] == "slow_middleware.<locals>.middleware"


async def test_outside_a_sync_middleware_the_view_is_a_task_of_its_own(
    async_client: AsyncClient, settings: Any
) -> None:
    """Then all of us run in a worker thread of the loop."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.sync_middleware"]
    result = stored(await async_client.get("/blocking/?profile=eventloop"))
    (hold,) = holds_of(result)
    assert (hold["task"], hold["exact"]) == ("started", False)
    assert result["driven"] is False
    assert loopwatch._watches == {}


async def test_a_view_that_raises_is_answered_as_ever(async_client: AsyncClient) -> None:
    async_client.raise_request_exception = False
    response = await async_client.get("/breaks/?profile=eventloop")
    assert response.status_code == 500
    assert blocked(stored(response)) == ["blocks"]


async def test_a_sync_view_runs_in_a_thread_and_holds_nothing(async_client: AsyncClient) -> None:
    result = stored(await async_client.get("/sync/?profile=eventloop"))
    assert blocked(result) == []
    assert result["driven"]
    assert max(wait["waited_ms"] for wait in result["waits"]) >= 200
    assert "thread" in {wait["for"] for wait in result["waits"]}


def test_under_wsgi_there_is_none(client: Client) -> None:
    response = client.get("/sync/?profile=eventloop")
    assert response.content == b"sync"
    assert stored(response) == {"loop": None}


async def test_chunks_of_a_stream_are_part_of_it(async_client: AsyncClient) -> None:
    response = await async_client.get("/astream/?profile=eventloop")
    assert b"".join([chunk async for chunk in response]) == b"01"
    response.close()
    result = stored(response)
    assert blocked(result) == ["blocks", "blocks"]
    assert "astream" in {
        wait["call_site"]["function"].partition(".")[0]
        for wait in result["waits"]
        if wait["call_site"]
    }
    assert loopwatch._watches == {}


async def test_what_the_client_needs_between_chunks_is_no_wait(async_client: AsyncClient) -> None:
    response = await async_client.get("/astream/?profile=eventloop")
    async for _ in response:
        await asyncio.sleep(0.3)
    response.close()
    result = stored(response)
    assert all(wait["waited_ms"] < 300 for wait in result["waits"])


async def test_a_client_that_listens_for_long_does_not_keep_the_ticker(
    async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventloop, "_IDLE_NS", 1_000_000)
    response = await async_client.get("/astream/?profile=eventloop")
    chunks = aiter(response)
    assert await anext(chunks) == b"0"
    while loopwatch._watches:
        await asyncio.sleep(0.005)
    assert await anext(chunks) == b"1"
    assert len(blocked_so_far(response)) == 0
    async for _ in chunks:
        pass
    response.close()
    assert blocked(stored(response)) == ["blocks", "blocks"]
    assert loopwatch._watches == {}


def blocked_so_far(response: Any) -> list[str]:
    """Nothing is kept of a stream that has not ended."""
    try:
        return blocked(stored(response))
    except stores.base.StoreError:
        return []


async def test_a_client_that_leaves_a_stream_leaves_nothing_running(
    async_client: AsyncClient,
) -> None:
    response = await async_client.get("/astream/?profile=eventloop")
    chunks = aiter(response)
    await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]
    response.close()
    assert blocked(stored(response)) == ["blocks"]
    assert loopwatch._watches == {}


@pytest.mark.filterwarnings("ignore:.*synchronous iterators:Warning")
async def test_a_sync_stream_runs_in_threads_and_holds_nothing(async_client: AsyncClient) -> None:
    response = await async_client.get("/sync-stream/?profile=eventloop")
    assert b"".join([chunk async for chunk in response]) == b"0"
    response.close()
    assert blocked(stored(response)) == []


async def test_fifty_requests_at_once_keep_apart(async_client: AsyncClient) -> None:
    async def ask(number: int) -> Any:
        url = "/blocking/" if number == 7 else "/quick/"
        return stored(await async_client.get(f"{url}?profile=eventloop"))

    results = await asyncio.gather(*(ask(number) for number in range(50)))
    assert [number for number, result in enumerate(results) if blocked(result)] == [7]
    assert loopwatch._watches == {}


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    for thread in threading.enumerate():
        if thread.name == "hotpath-loop":
            thread.join(60)
            assert not thread.is_alive()
