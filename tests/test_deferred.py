"""Captures are built and stored once their answer has left, and none is lost."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import pickle
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path

from django_hotpath import deferred, stores
from django_hotpath.capture import Capture, new_id
from django_hotpath.recorder import Recorder
from django_hotpath.stores.memory import MemoryStore
from tests import factories

requests: list[weakref.ref[HttpRequest]] = []


def hello(request: HttpRequest) -> HttpResponse:
    requests.append(weakref.ref(request))
    return HttpResponse("hello")


class NeverCloses(HttpResponse):
    def close(self) -> None:
        """Forgets what Django would have closed."""


def forgetful(request: HttpRequest) -> HttpResponse:
    return NeverCloses("forgetful")


CONSTANT = HttpResponse("constant")


def constant(request: HttpRequest) -> HttpResponse:
    return CONSTANT


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse([b"stream"])


async def ahello(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    return HttpResponse("hello")


began = threading.Event()


async def forever(request: HttpRequest) -> HttpResponse:
    began.set()
    await asyncio.sleep(3600)
    return HttpResponse()


urlpatterns = [
    path("hello/", hello),
    path("forgetful/", forgetful),
    path("constant/", constant),
    path("stream/", stream),
    path("ahello/", ahello),
    path("forever/", forever),
    path("__hotpath__/", include("django_hotpath.urls")),
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

PAGE = "text/html"


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> Iterator[None]:
    settings.DEBUG = True
    requests.clear()
    began.clear()
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)
    # Threads of a test must not store into the next one's store.
    until(lambda: not deferred._waiting)


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Ids of captures, and the thread that stored each, in order."""
    saved: list[tuple[str, int]] = []
    real = MemoryStore.save

    def save(self: MemoryStore, capture: Capture) -> None:
        saved.append((capture.id, threading.get_ident()))
        real(self, capture)

    monkeypatch.setattr(MemoryStore, "save", save)
    return saved


def ask(name: str, accept: str = "*/*", query: str = "profile=sql") -> Any:
    """The response as the WSGI server gets it, with its headers; nobody has closed it."""
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/{name}/",
        "QUERY_STRING": query,
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_ACCEPT": accept,
        "wsgi.input": io.BytesIO(),
        "wsgi.url_scheme": "http",
    }
    return WSGIHandler()(environ, lambda *args: lambda data: None)


def id_of(response: Any) -> str:
    return str(response.headers["Hotpath-Capture"].strip("/").split("/")[-1])


def ids() -> list[str]:
    return [item.id for item in stores.get_store().list().items]


def until(condition: Any) -> None:
    for _ in range(1_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("waited in vain")


@pytest.mark.parametrize("accept", ["*/*", PAGE])
def test_nothing_is_stored_before_the_answer_has_left(saved: Any, accept: str) -> None:
    response = ask("hello", accept)
    assert response.content
    assert saved == []
    response.close()
    assert [found for found, _ in saved] == [id_of(response)]


def test_an_answer_that_is_kept_does_not_wait_for_its_capture_to_be_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built: list[str] = []
    real = Recorder.capture

    def capture(self: Recorder, *args: Any) -> Capture:
        built.append(self.id)
        return real(self, *args)

    monkeypatch.setattr(Recorder, "capture", capture)
    response = ask("hello")
    assert "app;dur=" in response.headers["Server-Timing"]
    assert built == []
    response.close()
    assert built == [id_of(response)]


def test_the_url_works_before_anybody_closed_the_response(client: Client) -> None:
    response = ask("hello")
    assert client.get(response.headers["Hotpath-Capture"]).status_code == 200
    response.close()
    assert ids() == [id_of(response)]


def test_the_list_has_it_before_anybody_closed_the_response(client: Client) -> None:
    response = ask("hello")
    assert id_of(response).encode() in client.get("/__hotpath__/").content
    response.close()


def test_a_reader_waits_for_whoever_is_storing_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    real = MemoryStore.save

    def slow(self: MemoryStore, capture: Capture) -> None:
        inside.set()
        go_on.wait(10)
        real(self, capture)

    monkeypatch.setattr(MemoryStore, "save", slow)
    response = ask("hello")
    server = threading.Thread(target=response.close)
    server.start()
    inside.wait(10)
    threading.Timer(0.05, go_on.set).start()
    assert client.get(response.headers["Hotpath-Capture"]).status_code == 200
    server.join()


def test_a_capture_that_another_process_is_storing_is_waited_for(client: Client) -> None:
    coming = factories.capture()
    threading.Timer(0.1, stores.get_store().save, [coming]).start()
    assert client.get(f"/__hotpath__/{coming.id}/").status_code == 200


@pytest.mark.parametrize("age", [0, 3600])
def test_one_that_never_comes_is_a_404_in_words(
    client: Client, age: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_hotpath.report.views._PATIENCE_SECONDS", 0.05)
    missing = client.get(f"/__hotpath__/{new_id(time.time() - age)}/")
    assert missing.status_code == 404
    assert b"another process is still streaming" in missing.content


def test_one_that_was_deleted_is_not_waited_for(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(seconds: float) -> None:
        raise AssertionError("nothing can come")

    response = ask("hello")
    response.close()
    stores.get_store().clear()
    monkeypatch.setattr("django_hotpath.report.views.time.sleep", sleep)
    assert client.get(response.headers["Hotpath-Capture"]).status_code == 404


def test_the_end_of_a_stream_is_waited_for_a_moment(client: Client) -> None:
    response = ask("stream")
    threading.Timer(0.1, response.close).start()
    assert client.get(response.headers["Hotpath-Capture"]).status_code == 200


def test_closing_twice_stores_once(saved: Any) -> None:
    response = ask("hello")
    response.close()
    response.close()
    assert len(saved) == 1


def test_a_server_that_does_not_close_loses_nothing(saved: Any) -> None:
    response = ask("hello")
    capture_id = id_of(response)
    del response
    gc.collect()
    until(lambda: ids() == [capture_id])
    assert len(saved) == 1


def test_a_response_with_a_close_of_its_own_loses_nothing() -> None:
    response = ask("forgetful")
    response.close()
    assert ids() == []
    capture_id = id_of(response)
    del response
    gc.collect()
    until(lambda: ids() == [capture_id])


def test_a_response_that_is_kept_for_ever_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = ask("forgetful")
    monkeypatch.setattr(deferred, "_OVERDUE", 0.0)
    ask("hello").close()
    assert id_of(kept) in ids()


def test_one_object_that_answers_twice_has_two_captures(saved: Any) -> None:
    first, second = ask("constant"), ask("constant")
    first.close()
    second.close()
    assert [found for found, _ in saved] == [id_of(first), id_of(second)]
    assert "Hotpath-Capture" not in CONSTANT.headers


@pytest.mark.parametrize("copied", [deepcopy, lambda found: pickle.loads(pickle.dumps(found))])
def test_a_copy_of_the_response_closes_nothing_of_ours(saved: Any, copied: Any) -> None:
    # What django.middleware.cache does with a response.
    response = ask("hello")
    del response._resource_closers[1:]
    copied(response).close()
    assert saved == []
    response.close()
    assert len(saved) == 1


def test_the_request_does_not_outlive_its_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "_vanished", lambda capture_id: None)
    response = ask("hello", query="profile=1")
    capture_id = id_of(response)
    del response
    gc.collect()
    assert capture_id in deferred._waiting
    assert requests[0]() is None
    deferred.settle_all()


def test_of_captures_that_were_stored_nothing_is_kept() -> None:
    for _ in range(300):
        ask("hello").close()
    assert deferred._waiting == {}
    assert len(deferred._settled) == 200


def test_a_capture_that_cannot_be_built_is_told_at_its_url(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Recorder, *args: Any) -> Capture:
        raise ZeroDivisionError("ours")

    response = ask("hello")
    monkeypatch.setattr(Recorder, "capture", fail)
    response.close()
    told = client.get(response.headers["Hotpath-Capture"])
    assert told.status_code == 404
    assert b"ZeroDivisionError: ours" in told.content


def test_a_child_process_does_not_store_what_its_parent_owes(saved: Any) -> None:
    response = ask("hello")
    child = os.fork()
    if child == 0:
        response.close()
        deferred.settle_all()
        os._exit(len(saved))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    response.close()
    assert len(saved) == 1


class TestUnderAsgi:
    async def _send(self, message: Any) -> None:
        await asyncio.sleep(0)

    async def _ask(self, name: str, accept: str = "*/*") -> None:
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "path": f"/{name}/",
            "query_string": b"profile=sql",
            "headers": [(b"host", b"testserver"), (b"accept", accept.encode())],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
        }
        received = iter([{"type": "http.request", "body": b""}])

        async def receive() -> Any:
            if (message := next(received, None)) is not None:
                return message
            return await asyncio.Event().wait()

        await ASGIHandler()(scope, receive, self._send)

    @pytest.mark.parametrize("name", ["hello", "ahello"])
    @pytest.mark.parametrize("accept", ["*/*", PAGE])
    async def test_the_event_loop_does_not_store(self, saved: Any, name: str, accept: str) -> None:
        await self._ask(name, accept)
        ((_, thread),) = saved
        assert thread != threading.get_ident()

    async def test_the_event_loop_does_not_store_while_the_store_fails(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        threads: list[int] = []

        def full(self: MemoryStore, capture: Capture) -> None:
            threads.append(threading.get_ident())
            raise OSError("disk full")

        monkeypatch.setattr(MemoryStore, "save", full)
        await self._ask("ahello")
        await self._ask("ahello")
        assert len(threads) == 2
        assert threading.get_ident() not in threads

    async def test_a_cancelled_request_is_stored_by_another_thread(self, saved: Any) -> None:
        task = asyncio.ensure_future(AsyncClient().get("/forever/?profile=sql"))
        while not began.is_set():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        until(lambda: saved)
        assert saved[0][1] != threading.get_ident()


EXIT = """
import django, io, sys
from django.conf import settings

settings.configure(
    DEBUG=True,
    SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="__main__",
    INSTALLED_APPS=["django_hotpath"],
    MIDDLEWARE=["django_hotpath.middleware.ProfilingMiddleware"],
    HOTPATH={"STORE": {
        "BACKEND": "django_hotpath.stores.sqlite.SQLiteStore", "OPTIONS": {"path": sys.argv[1]}
    }},
)
django.setup()
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path

urlpatterns = [path("hello/", lambda request: HttpResponse("hello"))]
environ = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/hello/", "QUERY_STRING": "profile=1",
    "SERVER_NAME": "localhost", "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1",
    "wsgi.input": io.BytesIO(), "wsgi.url_scheme": "http",
}
kept = [WSGIHandler()(dict(environ), lambda *args: None) for _ in range(3)]
kept[0].close()
"""


def test_at_the_end_of_the_process_all_is_stored_and_closed(tmp_path: Path) -> None:
    from django_hotpath.stores.sqlite import SQLiteStore

    file = tmp_path / "captures.sqlite3"
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", EXIT, str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert SQLiteStore(path=file).list().total == 3
    # The last connection writes the log back into the file, and takes it away.
    assert [found.name for found in tmp_path.iterdir()] == ["captures.sqlite3"]
