"""Streamed answers are measured until their last byte, and stay as they are."""

from __future__ import annotations

import asyncio
import gc
import io
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path

from django_hotpath import deferred, locks, profile, stores
from django_hotpath.capture import Capture
from django_hotpath.exporters import text
from django_hotpath.instruments.base import current
from django_hotpath.instruments.engines.cprofile import SEES_ALL_THREADS
from django_hotpath.instruments.gc import GarbageCollector
from django_hotpath.stores.base import CaptureNotFound

seen: list[Any] = []
"""What the views want the test to know."""


class Broken(Exception):
    """What a stream raises on its way."""


def a_chunk(number: int) -> bytes:
    return b"chunk %d\n" % number


def rows() -> Iterator[bytes]:
    try:
        for number in range(3):
            seen.append(current.get() is not None)
            Group.objects.filter(pk=number).exists()
            yield a_chunk(number)
    finally:
        seen.append("ended")


def rows_view(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(rows())


async def arows() -> AsyncIterator[bytes]:
    for number in range(3):
        seen.append(current.get() is not None)
        await Group.objects.filter(pk=number).aexists()
        yield a_chunk(number)


async def arows_view(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(arows())


def mixed(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(["text", "größer", b"bytes", memoryview(b"view")]))


def numbers(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([1, 2]))


def breaks(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        yield b"first"
        raise Broken("token=abc")

    return StreamingHttpResponse(body())


def slow(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        for _ in range(2):
            time.sleep(0.02)
            yield b"x"

    return StreamingHttpResponse(body())


def events(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        while True:
            yield a_chunk(1)

    return StreamingHttpResponse(body(), content_type="text/event-stream")


async def aevents(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[bytes]:
        try:
            while True:
                yield a_chunk(1)
                await asyncio.sleep(0.001)
        finally:
            seen.append("ended")

    return StreamingHttpResponse(body(), content_type="text/event-stream")


FILE = Path(__file__)


def file(request: HttpRequest) -> FileResponse:
    opened = FILE.open("rb")
    seen.append(opened)
    return FileResponse(opened)


def file_in_memory(request: HttpRequest) -> FileResponse:
    return FileResponse(io.BytesIO(b"x" * 10_000))


class OwnIteration(StreamingHttpResponse):
    def __iter__(self) -> Iterator[bytes]:
        return iter([b"own"])


def own_iteration(request: HttpRequest) -> OwnIteration:
    return OwnIteration(iter([b"never asked for"]))


def rewrapped(get_response: Any) -> Any:
    """A middleware that replaces the iterator, twice."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.streaming:
            for _ in range(2):
                response.streaming_content = (part.upper() for part in response.streaming_content)
        return response  # type: ignore[no-any-return]

    return middleware


urlpatterns = [
    *(
        path(f"{view.__name__}/", view)
        for view in (
            *(rows_view, arows_view, mixed, numbers, breaks, slow, events, aevents),
            *(file, file_in_memory, own_iteration),
        )
    ),
    path("__hotpath__/", include("django_hotpath.urls")),
]

pytestmark = [
    pytest.mark.urls(__name__),
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> Iterator[None]:
    settings.DEBUG = True
    seen.clear()
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)
    assert current.get() is None


class Answer:
    """A WSGI server that sends a chunk when told to."""

    def __init__(self, target: str, method: str = "GET", file_wrapper: Any = None) -> None:
        name, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/{name}/",
            "QUERY_STRING": query or "profile=1",
            "SERVER_NAME": "testserver",
            "SERVER_PORT": "80",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_ACCEPT": "text/html",
            "HTTP_SEC_FETCH_DEST": "document",
            "wsgi.input": io.BytesIO(),
            "wsgi.url_scheme": "http",
        }
        if file_wrapper is not None:
            environ["wsgi.file_wrapper"] = file_wrapper
        head: list[Any] = []
        handler: Any = WSGIHandler()
        self.result: Any = handler(environ, lambda *args: head.extend(args))
        self.headers = dict(head[1])
        self.chunks = iter(self.result)

    @property
    def id(self) -> str:
        return str(self.headers["Hotpath-Capture"].strip("/").split("/")[-1])

    @property
    def body(self) -> bytes:
        """All that is left of it; then the server closes it."""
        try:
            return b"".join(self.chunks)
        finally:
            self.result.close()

    @property
    def capture(self) -> Capture:
        return stores.get_store().get(self.id)

    @property
    def stream(self) -> dict[str, Any]:
        return stream_of(self.capture)


def stream_of(capture: Capture) -> dict[str, Any]:
    assert capture.request is not None
    assert capture.request.stream is not None
    return capture.request.stream


def queries_of(capture: Capture) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = capture.instruments["queries"]["queries"]
    return found


def called(capture: Capture, name: str) -> int:
    return sum(
        row["calls"] for row in capture.instruments["calls"]["functions"] if row["function"] == name
    )


def warnings_of(capture: Capture, word: str) -> list[str]:
    return [found for found in capture.environment.warnings if word in found]


def until(condition: Callable[[], object]) -> Any:
    """What the condition gives as soon as that is true; another thread is at work."""
    for _ in range(1_000):
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError("waited in vain")


def stored(capture_id: str) -> Capture | None:
    try:
        return stores.get_store().get(capture_id)
    except CaptureNotFound:
        return None


class TestWhatIsMeasured:
    def test_queries_of_the_body_are_recorded_with_their_line(self) -> None:
        answer = Answer("rows_view")
        assert answer.body == b"chunk 0\nchunk 1\nchunk 2\n"
        sites = [query["call_site"] for query in queries_of(answer.capture)]
        assert [site["function"] for site in sites] == ["rows"] * 3
        assert {site["file"] for site in sites} == {"tests/test_streaming.py"}

    def test_functions_of_the_body_are_in_the_table_of_calls(self) -> None:
        answer = Answer("rows_view")
        assert answer.body
        assert called(answer.capture, "a_chunk") == 3

    def test_chunks_and_bytes_are_counted(self) -> None:
        answer = Answer("mixed")
        body = answer.body
        assert answer.stream["chunks"] == 4
        assert answer.stream["bytes"] == len(body)
        assert answer.stream["ended"] == "exhausted"

    def test_bytes_of_a_chunk_that_only_django_can_write_are_not_guessed(self) -> None:
        answer = Answer("numbers")
        assert answer.body == b"12"
        assert (answer.stream["chunks"], answer.stream["bytes"]) == (2, None)

    def test_time_between_chunks_is_not_the_applications(self) -> None:
        began = time.perf_counter()
        answer = Answer("slow")
        next(answer.chunks)
        time.sleep(0.05)
        assert answer.body == b"x"
        elapsed_ms = (time.perf_counter() - began) * 1000
        stream, wall_ms = answer.stream, answer.capture.timing.wall_ms
        assert stream["waiting_ms"] >= 50
        assert stream["generating_ms"] >= 40
        assert wall_ms >= stream["generating_ms"]
        assert wall_ms + stream["waiting_ms"] <= elapsed_ms

    def test_nothing_is_recorded_between_the_chunks(self) -> None:
        answer = Answer("rows_view")
        next(answer.chunks)
        Group.objects.count()
        assert current.get() is None
        assert answer.body
        assert len(queries_of(answer.capture)) == 3
        assert seen == [True, True, True, "ended"]

    def test_pauses_of_the_collector_between_the_chunks_are_not_counted(self) -> None:
        answer = Answer("rows_view?profile=gc")
        next(answer.chunks)
        gc.collect()
        gc.disable()
        try:
            assert answer.body
        finally:
            gc.enable()
        assert answer.capture.instruments["gc"]["generations"][2] == 0

    def test_two_streams_at_once_keep_their_queries_apart(self) -> None:
        first, second = Answer("rows_view?profile=sql"), Answer("rows_view?profile=sql")
        for _ in range(3):
            next(first.chunks)
            next(second.chunks)
        assert first.body == second.body == b""
        assert len(queries_of(first.capture)) == len(queries_of(second.capture)) == 3

    def test_a_chunk_may_be_made_in_another_thread(self) -> None:
        answer = Answer("mixed?profile=calls")
        chunks: list[bytes] = []
        thread = threading.Thread(target=lambda: chunks.append(answer.body))
        thread.start()
        thread.join()
        assert answer.stream["bytes"] == len(chunks[0])

    def test_a_capture_around_the_reading_stays_the_current_one(self) -> None:
        answer = Answer("rows_view?profile=sql")
        with profile("around", instruments=["queries"], save=False) as around:
            next(answer.chunks)
            Group.objects.count()
            assert answer.body
        assert around.capture is not None
        assert len(queries_of(around.capture)) == 1
        assert len(queries_of(answer.capture)) == 3

    def test_server_timing_says_that_it_is_not_all(self) -> None:
        answer = Answer("rows_view")
        assert ';desc="until the stream began"' in answer.headers["Server-Timing"]
        assert answer.body

    def test_the_report_says_that_it_was_streamed(self, client: Client) -> None:
        answer = Answer("rows_view")
        assert answer.body
        page = client.get(answer.headers["Hotpath-Capture"]).content.decode()
        assert "Streamed" in page
        assert "in 3 chunks" in page

    def test_the_text_says_that_it_was_streamed(self) -> None:
        answer = Answer("rows_view")
        assert answer.body
        assert b"streamed 3 chunks, 24 bytes in " in text.export(answer.capture)


class TestHowItEnds:
    def test_a_client_that_leaves_ends_it(self) -> None:
        answer = Answer("rows_view")
        next(answer.chunks)
        answer.result.close()
        assert seen == [True, "ended"]
        assert (answer.stream["ended"], answer.stream["chunks"]) == ("closed", 1)
        assert warnings_of(answer.capture, "after 1 chunk")
        assert len(queries_of(answer.capture)) == 1

    def test_an_exception_goes_on_and_is_named(self) -> None:
        answer = Answer("breaks")
        next(answer.chunks)
        with pytest.raises(Broken):
            next(answer.chunks)
        answer.result.close()
        assert answer.stream["ended"] == "raised"
        assert answer.capture.request is not None
        assert answer.capture.request.exception == {"type": "Broken", "message": "token=***"}

    def test_a_body_that_nobody_asked_for_ends_with_the_response(self) -> None:
        answer = Answer("rows_view", "HEAD")
        answer.result.close()
        assert (answer.stream["ended"], answer.stream["chunks"]) == ("closed", 0)

    def test_to_close_twice_is_to_close_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        saved: list[Capture] = []
        monkeypatch.setattr(type(stores.get_store()), "save", lambda self, c: saved.append(c))
        answer = Answer("rows_view")
        assert answer.body
        answer.result.close()
        assert [capture.id for capture in saved] == [answer.id]

    def test_a_response_that_nobody_closes_is_stored_when_it_is_gone(self) -> None:
        answer = Answer("rows_view")
        capture_id = answer.id
        next(answer.chunks)
        del answer
        gc.collect()
        capture = until(lambda: stored(capture_id))
        assert stream_of(capture)["ended"] == "closed"

    def test_a_step_that_is_under_way_is_the_last(self) -> None:
        answer = Answer("events")
        stream = deferred._waiting[answer.id]

        def closes_meanwhile() -> Iterator[bytes]:
            answer.result.close()
            yield b"the last"
            yield b"one more"

        answer.result._iterator._iterator = closes_meanwhile()
        assert next(answer.chunks) == b"the last"
        capture = until(lambda: stored(answer.id))
        assert stream_of(capture)["chunks"] == 1
        assert not stream.streaming
        assert next(answer.chunks) == b"one more"

    def test_before_the_end_the_url_says_so_in_words(self, client: Client) -> None:
        answer = Answer("rows_view")
        next(answer.chunks)
        early = client.get(answer.headers["Hotpath-Capture"])
        assert early.status_code == 404
        assert early["Retry-After"]
        assert b"/rows_view/ is still being streamed" in early.content
        assert b"1 answer is still being streamed" in client.get("/__hotpath__/").content
        assert answer.body
        assert client.get(answer.headers["Hotpath-Capture"]).status_code == 200

    def test_after_the_last_chunk_it_can_be_read_before_anybody_closed_it(
        self, client: Client
    ) -> None:
        answer = Answer("rows_view")
        assert list(answer.chunks)
        assert client.get(answer.headers["Hotpath-Capture"]).status_code == 200
        answer.result.close()
        assert stores.get_store().list().total == 1


class TestEndlessStreams:
    def test_leave_the_engines_to_others(self) -> None:
        endless = Answer("events?profile=cprofile,allocations")
        next(endless.chunks)
        other = Answer("rows_view?profile=cprofile,allocations")
        assert "Hotpath-Refused" not in other.headers
        assert other.body
        endless.result.close()
        assert called(other.capture, "a_chunk") == 3

    def test_end_what_belongs_to_the_whole_process_and_say_so(self) -> None:
        answer = Answer("events?profile=allocations,queries")
        assert locks.acquire("tracemalloc")
        locks.release("tracemalloc")
        next(answer.chunks)
        answer.result.close()
        assert warnings_of(answer.capture, "allocations ended where the streaming began")
        assert answer.capture.instruments["allocations"]["traced_peak"] > 0

    @pytest.mark.skipif(not SEES_ALL_THREADS, reason="before 3.12 cProfile sees one thread only")
    def test_say_when_another_capture_had_the_engine(self) -> None:
        answer = Answer("events?profile=cprofile")
        next(answer.chunks)
        assert locks.acquire("cprofile")
        next(answer.chunks)
        locks.release("cprofile")
        next(answer.chunks)
        answer.result.close()
        assert called(answer.capture, "a_chunk") == 2
        assert warnings_of(answer.capture, "calls: 1 of the steps")

    def test_take_no_more_memory_the_longer_they_are(self) -> None:
        answer = Answer("events?profile=queries,gc,cache,templates")
        stream: Any = deferred._waiting[answer.id]
        for _ in range(10):
            next(answer.chunks)
        gc.collect()
        before = len(gc.get_objects())
        for _ in range(5_000):
            next(answer.chunks)
        gc.collect()
        assert len(gc.get_objects()) - before < 100
        assert stream.recorder.warnings == []
        answer.result.close()
        assert answer.stream["chunks"] == 5_010

    def test_an_instrument_that_fails_is_dropped_at_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(self: object) -> None:
            raise ZeroDivisionError("ours")

        monkeypatch.setattr(GarbageCollector, "resume", fail)
        answer = Answer("events?profile=queries,gc")
        for _ in range(3):
            next(answer.chunks)
        answer.result.close()
        assert len(warnings_of(answer.capture, "gc failed")) == 1
        assert not [hook for hook in gc.callbacks if "GarbageCollector" in repr(hook)]


class TestTheAnswer:
    def test_a_file_is_sent_by_the_server_and_closed(self) -> None:
        answer = Answer("file", file_wrapper=FileWrapper)
        assert isinstance(answer.result, FileWrapper)
        assert answer.headers["Content-Length"] == str(FILE.stat().st_size)
        assert answer.body == FILE.read_bytes()
        assert seen[0].closed
        assert (answer.stream["chunks"], answer.stream["bytes"]) == (None, None)
        assert warnings_of(answer.capture, "the server sent the file by itself")

    def test_a_file_that_django_reads_is_counted(self) -> None:
        answer = Answer("file")
        assert answer.body == FILE.read_bytes()
        assert seen[0].closed
        assert answer.stream["bytes"] == FILE.stat().st_size

    def test_a_response_that_iterates_by_itself_is_left_alone(self) -> None:
        answer = Answer("own_iteration")
        assert answer.body == b"own"
        assert answer.capture.request is not None
        assert answer.capture.request.stream is None
        assert warnings_of(answer.capture, "ends where the streaming began")

    @pytest.mark.parametrize("place", ["inside", "outside"])
    def test_middlewares_may_wrap_it_anew(self, settings: Any, place: str) -> None:
        ours, theirs = settings.MIDDLEWARE, [f"{__name__}.rewrapped"]
        settings.MIDDLEWARE = [*ours, *theirs] if place == "inside" else [*theirs, *ours]
        answer = Answer("rows_view")
        assert answer.body == b"CHUNK 0\nCHUNK 1\nCHUNK 2\n"
        assert answer.stream["chunks"] == 3
        assert len(queries_of(answer.capture)) == 3

    def test_getvalue_gives_the_whole_of_it(self) -> None:
        answer = Answer("rows_view")
        assert answer.result.getvalue() == b"chunk 0\nchunk 1\nchunk 2\n"
        answer.result.close()
        assert answer.stream["chunks"] == 3

    def test_profile_as_does_not_replace_a_stream(self, client: Client) -> None:
        response = client.get("/rows_view/?profile=1&profile_as=json")
        assert b"".join(response) == b"chunk 0\nchunk 1\nchunk 2\n"


class TestClients:
    @pytest.mark.parametrize("name", ["rows_view", "arows_view"])
    def test_the_test_client(self, client: Client, name: str) -> None:
        response = client.get(f"/{name}/?profile=sql")
        assert b"".join(response) == b"chunk 0\nchunk 1\nchunk 2\n"
        response.close()
        capture = until(lambda: stored(response["Hotpath-Capture"].strip("/").split("/")[-1]))
        assert len(queries_of(capture)) == 3
        assert stream_of(capture)["chunks"] == 3

    def test_head_by_the_test_client(self, client: Client) -> None:
        response = client.head("/rows_view/?profile=sql")
        response.close()
        capture = until(lambda: stored(response["Hotpath-Capture"].strip("/").split("/")[-1]))
        assert stream_of(capture)["chunks"] == 0

    @pytest.mark.parametrize("name", ["rows_view", "arows_view"])
    async def test_the_async_client(self, async_client: AsyncClient, name: str) -> None:
        response: Any = await async_client.get(f"/{name}/?profile=sql")
        content = response.streaming_content
        if response.is_async:
            chunks = [part async for part in content]
        else:
            chunks = await sync_to_async(lambda: list(content))()
        assert b"".join(chunks) == b"chunk 0\nchunk 1\nchunk 2\n"
        capture = stored(response["Hotpath-Capture"].strip("/").split("/")[-1])
        assert capture is not None
        assert len(queries_of(capture)) == 3
        # This client leaves the connections of the threads open.
        await sync_to_async(connections.close_all)()


class Asgi:
    """An ASGI server whose client takes ``take`` chunks and leaves."""

    def __init__(self, name: str, query: str, take: int) -> None:
        self.name, self.query, self.take = name, query, take
        self.headers: dict[str, str] = {}
        self.chunks: list[bytes] = []
        self._left = asyncio.Event()

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            pairs = [(name.decode(), value.decode()) for name, value in message["headers"]]
            self.headers = dict(pairs)
            return
        if message.get("body"):
            self.chunks.append(message["body"])
        if len(self.chunks) == self.take:
            self._left.set()
            await asyncio.sleep(0)

    async def run(self) -> Capture:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": f"/{self.name}/",
            "raw_path": b"",
            "query_string": self.query.encode(),
            "headers": [(b"host", b"testserver")],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
        }
        sent = asyncio.Event()

        async def receive() -> dict[str, Any]:
            if not sent.is_set():
                sent.set()
                return {"type": "http.request", "body": b""}
            await self._left.wait()
            return {"type": "http.disconnect"}

        await ASGIHandler()(scope, receive, self._send)
        return stores.get_store().get(self.headers["Hotpath-Capture"].strip("/").split("/")[-1])


class TestAsgi:
    @pytest.fixture(autouse=True)
    def _connections_of_threads_are_closed(self, _debug: None) -> None:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)

    @pytest.mark.parametrize("name", ["rows_view", "arows_view"])
    async def test_queries_of_the_body_are_recorded(self, name: str) -> None:
        capture = await Asgi(name, "profile=sql", take=-1).run()
        assert len(queries_of(capture)) == 3
        assert stream_of(capture)["ended"] == "exhausted"

    async def test_the_call_site_is_the_line_of_the_generator(self) -> None:
        capture = await Asgi("arows_view", "profile=sql", take=-1).run()
        sites = [query["call_site"]["function"] for query in queries_of(capture)]
        assert sites == ["arows"] * 3

    async def test_a_client_that_leaves_ends_it(self) -> None:
        capture = await Asgi("aevents", "profile=1", take=3).run()
        assert stream_of(capture)["ended"] == "closed"
        assert stream_of(capture)["chunks"] in {3, 4}

    async def test_other_tasks_are_not_in_the_stream(self) -> None:
        asked = [Asgi("arows_view", "profile=calls,queries", take=-1) for _ in range(5)]
        captures = await asyncio.gather(*(server.run() for server in asked))
        assert {len(queries_of(capture)) for capture in captures} == {3}
        for capture in captures:
            tables = capture.instruments
            if "calls" in tables:
                limit = 3 if tables["calls"]["engine"] == "native" else 0
                assert limit <= called(capture, "a_chunk") <= 3

    async def test_nothing_is_left_in_the_context(self) -> None:
        await Asgi("arows_view", "profile=1", take=-1).run()
        assert current.get() is None
        assert seen == [True] * 3
