"""A line for every request in DEBUG: which ones, what is in it, and that nobody waits for it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import include, path

from django_hotpath import overlap, stores, summaries
from django_hotpath.middleware import ProfilingMiddleware
from django_hotpath.stores.base import Store, StoreError
from django_hotpath.stores.requests import RequestSummary
from tests.require import require

REAL_WAKE = summaries._wake


def hello(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    return HttpResponse("hello")


def groups(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str([Group.objects.filter(pk=pk).count() for pk in range(3)]))


async def ahello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await Group.objects.acount()))


def broken(request: HttpRequest) -> HttpResponse:
    raise LookupError("the view's own")


urlpatterns = [
    path("hello/", hello),
    path("hello/<str:name>/", hello),
    path("reset/<str:token>/", hello),
    path("groups/", groups),
    path("ahello/", ahello),
    path("broken/", broken),
    path("__hotpath__/", include("django_hotpath.urls")),
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The thread that writes, which other tests do without."""
    monkeypatch.setattr(summaries, "_wake", REAL_WAKE)
    monkeypatch.setattr(summaries, "_INTERVAL", 0.01)
    yield
    summaries._end()


def noted() -> list[RequestSummary]:
    summaries.flush()
    return list(stores.get_store().summaries().items)


def wait_for_lines(number: int) -> list[RequestSummary]:
    until = time.monotonic() + 20
    while len(found := list(stores.get_store().summaries().items)) < number:
        assert time.monotonic() < until, "waited in vain for the history"
        time.sleep(0.01)
    return found


class TestALine:
    def test_has_what_was_asked_and_answered(self, client: Client) -> None:
        client.get("/hello/you/?page=2")
        (line,) = noted()
        assert (line.method, line.path, line.query_string) == ("GET", "/hello/you/", "page=2")
        assert (line.route, line.status) == ("hello/<str:name>/", 200)
        assert line.started_at.endswith("Z")
        assert line.wall_ms > 0

    def test_is_not_one_of_a_capture(self, client: Client) -> None:
        client.get("/hello/")
        (line,) = noted()
        assert (line.capture, line.profiled, line.findings) == (None, False, None)

    def test_counts_queries(self, client: Client) -> None:
        client.get("/groups/")
        client.get("/groups/")
        assert [line.queries for line in noted()] == [3, 3]

    async def test_counts_queries_under_asgi(self, async_client: AsyncClient) -> None:
        await async_client.get("/ahello/")
        (line,) = noted()
        assert (line.route, line.queries) == ("ahello/", 1)

    def test_of_an_unknown_page_has_no_route(self, client: Client) -> None:
        client.get("/nowhere/")
        (line,) = noted()
        assert (line.route, line.status) == (None, 404)

    def test_of_a_view_that_raises_is_a_500(self, client: Client) -> None:
        client.raise_request_exception = False
        client.get("/broken/")
        (line,) = noted()
        assert line.status == 500

    def test_keeps_no_secret_of_the_path(self, client: Client) -> None:
        client.get("/reset/abc123/")
        (line,) = noted()
        assert line.path == "/reset/***/"

    def test_keeps_no_secret_of_the_query_string(self, client: Client) -> None:
        client.get("/hello/?token=abc123&page=1")
        (line,) = noted()
        assert line.query_string == "token=***&page=1"

    def test_is_cut_where_it_is_endless(self, client: Client) -> None:
        client.get(f"/hello/{'a' * 9000}/?{'b' * 9000}")
        (line,) = noted()
        assert line.path is not None
        assert (len(line.path), len(line.query_string)) == (2000, 2000)

    def test_takes_any_text(self) -> None:
        request = RequestFactory().get("/hello/")
        request.path = "/\udcff‮\x00</script>"
        summaries.note(request, 200, 1.0, 0)
        assert len(noted()) == 1


class TestNoLine:
    def test_without_debug(self, client: Client, settings: Any) -> None:
        settings.DEBUG = False
        client.get("/hello/")
        assert noted() == []

    @pytest.mark.parametrize("value", [False, 0])
    def test_where_it_is_switched_off(self, client: Client, settings: Any, value: object) -> None:
        settings.HOTPATH = {**settings.HOTPATH, "SUMMARIES": value}
        client.get("/hello/")
        assert noted() == []

    @pytest.mark.parametrize("page", ["", "routes/", "recent/?after=0", "assets/report.css"])
    def test_for_our_own_pages(self, client: Client, page: str) -> None:
        client.get(f"/__hotpath__/{page}")
        assert noted() == []

    @pytest.mark.parametrize("path", ["/static/site.css", "/favicon.ico"])
    def test_for_files(self, client: Client, path: str) -> None:
        client.get(path)
        assert noted() == []

    def test_for_our_help(self, client: Client) -> None:
        client.get("/hello/?profile=help")
        assert noted() == []

    @pytest.mark.parametrize("static", ["/", "https://cdn.example/static/", None])
    def test_is_missing_because_of_an_odd_static_url(
        self, client: Client, settings: Any, static: str | None
    ) -> None:
        settings.STATIC_URL = static
        client.get("/hello/")
        assert len(noted()) == 1


class TestAProfiledRequest:
    def test_is_one_line_with_its_capture(self, client: Client) -> None:
        response = client.get("/groups/?profile=1", headers={"accept": "text/html"})
        (line,) = noted()
        assert line.capture is not None
        assert line.capture in response["Hotpath-Capture"]
        assert (line.route, line.queries, line.findings) == ("groups/", 3, 1)

    def test_that_is_refused_is_a_plain_line(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django_hotpath.recorder import Recorder, Refused

        def refuse(self: Recorder) -> None:
            raise Refused(("busy",))

        monkeypatch.setattr(Recorder, "start", refuse)
        response = client.get("/hello/?profile=1")
        assert response["Hotpath-Refused"] == "busy"
        (line,) = noted()
        assert (line.profiled, line.status) == (False, 200)

    async def test_that_is_refused_is_a_plain_line_under_asgi(
        self, async_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django_hotpath.recorder import Recorder, Refused

        def refuse(self: Recorder) -> None:
            raise Refused(("busy",))

        monkeypatch.setattr(Recorder, "start", refuse)
        await async_client.get("/ahello/?profile=1")
        (line,) = noted()
        assert line.profiled is False

    def test_that_is_replayed_for_us_is_nobodys(self) -> None:
        token = summaries.unnoted.set(True)
        try:
            summaries.note(RequestFactory().get("/hello/"), 200, 1.0, 0)
        finally:
            summaries.unnoted.reset(token)
        assert noted() == []


class TestAClientThatLeaves:
    async def test_is_a_line_without_a_status(self) -> None:
        started = asyncio.Event()

        async def get_response(request: HttpRequest) -> HttpResponse:
            started.set()
            await asyncio.sleep(60)
            return HttpResponse()

        work = ProfilingMiddleware(get_response)(RequestFactory().get("/hello/"))
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (line,) = noted()
        assert line.status is None


class TestAStoreThatFails:
    @pytest.fixture(autouse=True)
    def _full(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(self: Store, lines: object) -> None:
            raise StoreError("database or disk is full")

        monkeypatch.setattr(type(stores.get_store()), "add_summaries", fail)

    def test_does_not_reach_the_application(self, client: Client) -> None:
        assert client.get("/hello/").content == b"hello"
        summaries.flush()

    def test_is_told_in_the_history_with_the_number_of_lost_lines(self, client: Client) -> None:
        client.get("/hello/")
        client.get("/hello/")
        page = client.get("/__hotpath__/").content.decode()
        assert "2 requests are missing here" in page
        assert "database or disk is full" in page

    def test_is_logged_once(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        for _ in range(3):
            client.get("/hello/")
            summaries.flush()
        assert sum("were not noted" in record.message for record in caplog.records) == 1


def test_a_store_that_cannot_be_made_does_not_reach_the_application(
    client: Client, settings: Any
) -> None:
    settings.HOTPATH = {"STORE": {"BACKEND": "no.such.Store"}}
    assert client.get("/hello/").content == b"hello"
    summaries.flush()


def test_a_request_that_was_made_odd_does_not_reach_the_application() -> None:
    request = RequestFactory().get("/hello/")
    request.path = None  # type: ignore[assignment]
    summaries.note(request, 200, 1.0, 0)
    assert noted() == []


def test_more_requests_than_the_queue_takes_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestFactory().get("/hello/")
    for _ in range(summaries._QUEUED + 3):
        summaries.note(request, 200, 1.0, 0)
    summaries.flush()
    assert stores.get_store().summaries().total == summaries._QUEUED
    assert "3 requests are missing" in summaries.notices()[0]


def test_only_so_many_are_kept_as_the_setting_says(client: Client, settings: Any) -> None:
    settings.HOTPATH = {**settings.HOTPATH, "SUMMARIES": 2}
    for _ in range(4):
        client.get("/hello/")
    assert len(noted()) == 2


@pytest.mark.usefixtures("thread")
class TestTheThread:
    def test_writes_without_being_asked(self, client: Client) -> None:
        client.get("/hello/")
        assert len(wait_for_lines(1)) == 1

    def test_is_one_for_many_requests_at_once(self) -> None:
        def work() -> None:
            for _ in range(50):
                summaries.note(RequestFactory().get("/hello/"), 200, 1.0, 0)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        names = [thread.name for thread in threading.enumerate()]
        assert names.count(overlap.HISTORY_THREAD) == 1
        assert len(wait_for_lines(50)) == 50
        summaries.flush()
        assert stores.get_store().summaries().total == 200

    def test_waits_while_something_is_captured(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = threading.Event()
        going = threading.Event()

        def capturing() -> bool:
            asked.set()
            return not going.is_set()

        monkeypatch.setattr(summaries, "_HOLD", 0.01)
        monkeypatch.setattr("django_hotpath.calibration.background.capturing", capturing)
        client.get("/hello/")
        assert asked.wait(20)
        assert stores.get_store().summaries().total == 0
        going.set()
        wait_for_lines(1)

    def test_lives_on_after_an_error(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        real, failed = summaries.flush, threading.Event()

        def flush() -> None:
            if not failed.is_set():
                failed.set()
                raise RuntimeError("ours")
            real()

        monkeypatch.setattr(summaries, "flush", flush)
        client.get("/hello/")
        assert failed.wait(20)
        until = time.monotonic() + 20
        while not stores.get_store().summaries().total:
            assert time.monotonic() < until
            client.get("/hello/")
            time.sleep(0.01)

    def test_is_not_told_as_a_thread_that_disturbs(self, client: Client) -> None:
        client.get("/hello/")
        names = {name for name, _ in overlap.thread_states().values()}
        assert overlap.HISTORY_THREAD not in names

    def test_is_gone_in_a_child_and_goes_on_in_its_parent(self, client: Client) -> None:
        require(hasattr(os, "fork"), "needs fork")
        client.get("/hello/")
        child = os.fork()
        if child == 0:
            # What the parent noted is the parent's, and a request of the child has its own line.
            code = 1
            try:
                empty = not summaries._queue.noted
                summaries.note(RequestFactory().get("/child/"), 200, 1.0, 0)
                alone = len(summaries._queue.noted) == 1
                code = 0 if empty and alone else 2
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        client.get("/hello/")
        assert len(wait_for_lines(2)) == 2


def test_a_process_that_can_start_no_thread_writes_when_somebody_looks(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(summaries, "_wake", REAL_WAKE)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    client.get("/hello/")
    monkeypatch.undo()
    assert "/hello/" in client.get("/__hotpath__/").content.decode()
