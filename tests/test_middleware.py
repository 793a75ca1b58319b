"""What a request that asks for a profile is answered with.

That every other answer stays as it is: ``contracts/test_answers.py``.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path

from django_hotpath import exporters, slowlog, stores
from django_hotpath.capture import Capture
from django_hotpath.recorder import Recorder
from django_hotpath.stores.base import StoreError
from django_hotpath.stores.memory import MemoryStore

PAGE = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def groups(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str([Group.objects.filter(pk=pk).count() for pk in range(5)]))


def hello_to(request: HttpRequest, token: str, pk: int) -> HttpResponse:
    raise ValueError(f"token={token} is for {pk}")


CONSTANT = HttpResponse("constant")


def constant(request: HttpRequest) -> HttpResponse:
    return CONSTANT


def itself(request: HttpRequest) -> HttpResponse:
    return HttpResponse(Client().get("/groups/").content)


def broken(request: HttpRequest) -> HttpResponse:
    raise LookupError("the view's own")


def choose_urlconf(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__  # type: ignore[attr-defined]
        return get_response(request)  # type: ignore[no-any-return]

    return middleware


async def ahello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(await Group.objects.acount())


urlpatterns = [
    path("hello/", hello),
    path("ahello/", ahello),
    path("groups/", groups),
    path("groups/<int:pk>/", lambda request, pk: HttpResponse(str(pk)), name="group"),
    path("broken/", broken),
    path("reset/<str:token>/<int:pk>/", hello_to),
    path("constant/", constant),
    path("itself/", itself),
    path("__hotpath__/", include("django_hotpath.urls")),
]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True


def stored(response: Any) -> Capture:
    """The capture that the answer's header points to."""
    return stores.get_store().get(response["Hotpath-Capture"].strip("/").split("/")[-1])


class TestTheReport:
    def test_takes_the_place_of_a_page(self, client: Client) -> None:
        response = client.get("/hello/?profile=1", **PAGE)
        assert response.status_code == 200
        assert b"GET /hello/" in response.content
        assert response["Cache-Control"] == "no-store"
        assert "default-src 'none'" in response["Content-Security-Policy"]

    def test_is_stored_under_the_url_in_the_header(self, client: Client) -> None:
        response = client.get("/hello/?profile=1", **PAGE)
        page = client.get(response["Hotpath-Capture"])
        assert page.status_code == 200
        assert b"GET /hello/" in page.content

    def test_shows_the_n_plus_one_first(self, client: Client) -> None:
        response = client.get("/groups/?profile=1", **PAGE)
        assert b"5 queries in a loop at tests/test_middleware.py" in response.content
        (finding,) = stored(response).findings
        assert finding.kind == "n_plus_one"

    def test_is_not_for_fetch(self, client: Client) -> None:
        response = client.get("/hello/?profile=1", **PAGE, HTTP_SEC_FETCH_DEST="empty")
        assert response.content == b"hello"
        assert stored(response).label == "GET /hello/"

    def test_is_not_for_ajax(self, client: Client) -> None:
        response = client.get("/hello/?profile=1", **PAGE, HTTP_X_REQUESTED_WITH="XMLHttpRequest")
        assert response.content == b"hello"

    def test_fetches_the_memory_lane_from_the_real_url(self, client: Client) -> None:
        response = client.get("/hello/?a=1&profile=1&b=%26", **PAGE)
        assert b"/hello/?a=1&amp;b=%26&amp;profile=memory&amp;profile_as=html" in response.content

    def test_of_the_memory_preset_holds_the_allocations(self, client: Client) -> None:
        response = client.get("/hello/?profile=memory&profile_as=html", HTTP_ACCEPT="*/*")
        assert b'id="allocations"' in response.content
        assert b"profile=memory&amp;profile_as=html" not in response.content
        assert list(stored(response).instruments) == ["allocations", "line_memory"]

    async def test_is_the_same_under_asgi(self, async_client: AsyncClient) -> None:
        response = await async_client.get("/ahello/?profile=1", headers={"accept": "text/html"})
        assert b"GET /ahello/" in response.content
        assert stored(response).request.is_async is True  # type: ignore[union-attr]


class TestWithoutTheUrls:
    pytestmark = pytest.mark.urls("tests.urls_without_hotpath")

    @pytest.fixture(autouse=True)
    def _urls(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests import urls_without_hotpath

        monkeypatch.setattr(urls_without_hotpath, "urlpatterns", urlpatterns[:-1])

    def test_the_report_still_answers_and_says_what_is_missing(self, client: Client) -> None:
        response = client.get("/hello/?profile=1", **PAGE)
        assert b"GET /hello/" in response.content
        assert b"include(&quot;django_hotpath.urls&quot;)" in response.content

    def test_its_style_sheet_comes_through_the_middleware(self, client: Client) -> None:
        page = client.get("/hello/?profile=1", **PAGE).content.decode()
        assert "/hello/?profile_asset=report.bundle.css" in page
        style = client.get("/hello/?profile_asset=report.bundle.css")
        assert style["Content-Type"] == "text/css; charset=utf-8"
        assert len(style.content) > 1000

    def test_the_header_holds_the_id(self, client: Client) -> None:
        assert len(client.get("/hello/?profile=1")["Hotpath-Capture"]) == 26

    def test_an_unknown_asset_is_a_404(self, client: Client) -> None:
        assert client.get("/hello/?profile_asset=../pages.py").status_code == 404


class TestFormats:
    def test_json(self, client: Client) -> None:
        response = client.get("/groups/?profile=1&profile_as=json")
        assert response["Content-Type"] == "application/json"
        capture = Capture.from_json(response.content)
        assert capture == stored(response)
        assert capture.instruments["queries"]["count"] == 5

    def test_text(self, client: Client) -> None:
        response = client.get("/groups/?profile=1&profile_as=text")
        assert b"FINDINGS (1)" in response.content

    def test_pstats(self, client: Client) -> None:
        response = client.get("/hello/?profile=1&profile_as=pstats")
        assert response["Content-Disposition"].endswith('.pstats"')

    def test_a_format_that_has_no_data_says_so(self, client: Client) -> None:
        response = client.get("/hello/?profile=sql&profile_as=pstats")
        assert b"has no calls" in response.content

    def test_of_an_error_the_answer_is_its_own(self, client: Client) -> None:
        client.raise_request_exception = False
        response = client.get("/broken/?profile=1&profile_as=json")
        assert response.status_code == 500
        assert response["Content-Type"].startswith("text/html")

    def test_an_unknown_one_is_a_400_that_lists_the_known(self, client: Client) -> None:
        response = client.get("/hello/?profile=1&profile_as=yaml")
        assert response.status_code == 400
        assert b"there is no format 'yaml'" in response.content
        formats = ", ".join(("html", *exporters.names()))
        assert formats.encode() in response.content


class TestBadInput:
    def test_an_unknown_instrument_is_a_400_and_nothing_runs(self, client: Client) -> None:
        client.raise_request_exception = True
        response = client.get("/broken/?profile=querys")
        assert response.status_code == 400
        assert b"did you mean queries?" in response.content
        assert b"allocations" in response.content

    def test_a_person_gets_it_as_a_page(self, client: Client) -> None:
        response = client.get("/hello/?profile=<script>alert(1)</script>", **PAGE)
        assert response.status_code == 400
        assert b"<script>alert" not in response.content
        assert b"&lt;script&gt;alert(1)" in response.content

    def test_a_post_gets_it_too(self, client: Client) -> None:
        assert client.post("/hello/?profile=querys").status_code == 400

    def test_help_lists_the_instruments(self, client: Client) -> None:
        response = client.get("/broken/?profile=help", **PAGE)
        assert response.status_code == 200
        for name in (b"calls", b"queries", b"cache", b"templates", b"gc", b"allocations"):
            assert name in response.content

    def test_help_is_text_for_a_terminal(self, client: Client) -> None:
        response = client.get("/hello/?profile=help", HTTP_ACCEPT="*/*")
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert b"presets: cpu, lines, memory, sql, all" in response.content


class TestBadDays:
    @pytest.fixture
    def full_store(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(self: MemoryStore, capture: Capture) -> None:
            raise StoreError("database or disk is full")

        monkeypatch.setattr(MemoryStore, "save", full)

    def test_a_view_that_raises_leaves_a_capture_that_says_so(self, client: Client) -> None:
        client.raise_request_exception = False
        response = client.get("/broken/?profile=1", **PAGE)
        assert response.status_code == 500
        request = stored(response).request
        assert request is not None
        assert request.exception == {"type": "LookupError", "message": "'the view's own'"} or (
            request.exception == {"type": "LookupError", "message": "the view's own"}
        )
        assert request.status == 500

    def test_a_missing_page_is_captured(self, client: Client) -> None:
        response = client.get("/nowhere/?profile=1", **PAGE)
        assert response.status_code == 404
        assert stored(response).request.route is None  # type: ignore[union-attr]

    def test_a_store_that_fails_after_the_answer_is_told_at_the_url_of_the_capture(
        self, client: Client, full_store: None
    ) -> None:
        response = client.get("/hello/?profile=1")
        assert response.content == b"hello"
        assert "Hotpath-Refused" not in response
        told = client.get(response["Hotpath-Capture"])
        assert told.status_code == 404
        assert b"not stored: StoreError: database or disk is full" in told.content

    @pytest.mark.parametrize("headers", [{}, PAGE], ids=["fetch", "navigation"])
    def test_while_a_store_fails_the_next_answer_says_so(
        self, client: Client, full_store: None, headers: Any
    ) -> None:
        client.get("/hello/?profile=1")
        response = client.get("/hello/?profile=1", **headers)
        assert response.status_code == 200
        assert "not stored: StoreError: database or disk is full" in response["Hotpath-Refused"]
        assert len(response["Hotpath-Capture"]) == 26
        if headers:
            assert b"could not be stored: StoreError: database or disk" in response.content

    def test_a_store_that_works_again_is_believed(
        self, client: Client, full_store: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client.get("/hello/?profile=1")
        monkeypatch.undo()
        for _ in range(2):
            assert "Hotpath-Refused" not in client.get("/hello/?profile=1")

    def test_the_list_says_that_captures_were_lost(self, client: Client, full_store: None) -> None:
        client.get("/hello/?profile=1")
        assert b"database or disk is full" in client.get("/__hotpath__/").content

    def test_a_store_that_does_not_exist_harms_nobody(self, client: Client, settings: Any) -> None:
        settings.HOTPATH = {"STORE": {"BACKEND": "no.such.Store"}}
        assert client.get("/hello/?profile=1").content == b"hello"
        assert b"no.such.Store" in client.get("/hello/?profile=1", **PAGE).content

    def test_an_answer_that_is_used_again_carries_nothing_of_ours(self, client: Client) -> None:
        assert "Hotpath-Capture" in client.get("/constant/?profile=1")
        assert "Hotpath-Capture" not in client.get("/constant/")
        assert "Server-Timing" not in CONSTANT.headers

    def test_urls_that_cannot_be_resolved_early_do_no_harm(
        self, client: Client, settings: Any
    ) -> None:
        settings.ROOT_URLCONF = "no.such.urlconf"
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.choose_urlconf"]
        assert client.get("/hello/?profile=sql").content == b"hello"

    def test_a_profiler_in_the_slot_is_named_in_header_and_log(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        import cProfile

        theirs = cProfile.Profile()
        theirs.enable()
        try:
            response = client.get("/hello/?profile=cprofile", **PAGE)
        finally:
            theirs.disable()
        assert response.content == b"hello"
        assert "another profiler is active" in response["Hotpath-Refused"]
        assert "another profiler is active" in caplog.text
        assert "Hotpath-Capture" not in response

    @pytest.mark.parametrize("method", ["__init__", "start", "capture"])
    def test_our_own_failure_leaves_the_answer(
        self, client: Client, monkeypatch: pytest.MonkeyPatch, method: str
    ) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise ZeroDivisionError("ours")

        with monkeypatch.context() as patch:
            patch.setattr(Recorder, method, fail)
            response = client.get("/hello/?profile=sql", **PAGE)
        assert response.content == b"hello"

    def test_our_own_failure_to_stop_leaves_the_answer(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = Recorder.stop

        def fail(self: Recorder) -> None:
            # The real one still runs, or the next test would inherit its ContextVar.
            real(self)
            raise ZeroDivisionError("ours")

        monkeypatch.setattr(Recorder, "stop", fail)
        response = client.get("/hello/?profile=sql")
        assert (response.status_code, response.content) == (200, b"hello")

    def test_a_finding_rule_or_instrument_that_fails_is_named(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django_hotpath.instruments.gc import GarbageCollector

        def fail(self: object) -> None:
            raise ZeroDivisionError("ours")

        monkeypatch.setattr(GarbageCollector, "start", fail)
        response = client.get("/hello/?profile=1", **PAGE)
        assert b"gc failed: zerodivisionerror: ours" in response.content.lower()
        assert "gc" not in stored(response).instruments


class TestStrangers:
    def test_in_debug_one_line_says_why_and_what_to_set(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING, "hotpath"):
            response = client.get("/hello/?profile=1", **PAGE, REMOTE_ADDR="8.8.8.8")
        assert response.content == b"hello"
        ours = [record for record in caplog.records if record.name == "hotpath"]
        assert len(ours) == 1
        assert "INTERNAL_IPS" in ours[0].getMessage()

    def test_without_debug_there_is_no_trace(
        self, client: Client, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.DEBUG = False
        response = client.get("/hello/?profile=1", **PAGE)
        assert response.content == b"hello"
        assert not any(name.lower().startswith("hotpath") for name in response.headers)
        assert client.get("/__hotpath__/").status_code == 404
        assert caplog.records == [] or all(record.name != "hotpath" for record in caplog.records)


class TestTheCapture:
    def test_names_route_and_view(self, client: Client) -> None:
        request = stored(client.get("/groups/3/?profile=1&page=2")).request
        assert request is not None
        assert (request.route, request.path, request.query_string, request.status) == (
            "groups/<int:pk>/",
            "/groups/3/",
            "page=2",
            200,
        )
        assert request.view.startswith("tests.test_middleware.")  # type: ignore[union-attr]

    def test_masks_secrets_in_the_query_string(self, client: Client) -> None:
        request = stored(client.get("/hello/?token=abc&profile=1")).request
        assert request.query_string == "token=***"  # type: ignore[union-attr]

    def test_masks_secrets_in_path_label_and_exception(self, client: Client) -> None:
        client.raise_request_exception = False
        capture = stored(client.get("/reset/abcdef/7/?profile=sql"))
        assert capture.label == "GET /reset/***/7/"
        assert capture.request is not None
        assert capture.request.exception == {
            "type": "ValueError",
            "message": "token=*** is for 7",
        }
        assert "abcdef" not in capture.to_json()

    def test_runs_the_default_set(self, client: Client) -> None:
        names = set(stored(client.get("/hello/?profile=1")).instruments)
        lists = {"calls", "queries", "cache", "templates", "http", "middleware"}
        assert names == {*lists, "gc", "memory"}

    def test_counts_requests_that_the_view_makes_itself_as_its_own(self, client: Client) -> None:
        capture = stored(client.get("/itself/?profile=sql"))
        assert capture.overlap.requests == 0
        assert capture.instruments["queries"]["count"] == 5

    async def test_of_an_async_view_says_what_calls_leaves_out(
        self, async_client: AsyncClient
    ) -> None:
        warnings = stored(await async_client.get("/ahello/?profile=1")).environment.warnings
        assert any("own coroutine" in warning for warning in warnings)

    def test_of_a_sync_view_does_not(self, client: Client) -> None:
        warnings = stored(client.get("/hello/?profile=1")).environment.warnings
        assert not any("own coroutine" in warning for warning in warnings)

    def test_runs_only_what_was_asked_for(self, client: Client) -> None:
        capture = stored(client.get("/groups/?profile=sql"))
        assert list(capture.instruments) == ["queries"]
        assert capture.timing.gc_ms is None
        assert capture.timing.db_ms is not None

    def test_sends_server_timing(self, client: Client) -> None:
        timing = client.get("/groups/?profile=1")["Server-Timing"]
        assert [part.split(";")[0] for part in timing.split(", ")] == [
            "app",
            "db",
            "cache",
            "template",
            "http",
            "gc",
        ]

    def test_of_the_first_request_says_that_caches_were_cold(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django_hotpath import disturbances

        monkeypatch.setattr(disturbances, "_requests_seen", 1)
        first = stored(client.get("/hello/?profile=1"))
        assert any("first request" in warning for warning in first.environment.warnings)

    def test_round_trips_through_json(self, client: Client) -> None:
        capture = stored(client.get("/groups/?profile=all"))
        assert Capture.from_json(capture.to_json()) == capture
        assert json.loads(capture.to_json())["schema"] == 1


class TestTheSlowRequestLog:
    def test_names_method_route_status_time_and_queries(
        self, client: Client, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.HOTPATH = {"SLOW_REQUEST_MS": 0}
        with caplog.at_level(logging.WARNING, "hotpath.slow"):
            client.get("/groups/")
        (record,) = [record for record in caplog.records if record.name == "hotpath.slow"]
        assert record.getMessage().startswith("GET /groups/ 200 took ")
        assert record.getMessage().endswith("ms with 5 queries")
        figures = record.hotpath  # type: ignore[attr-defined]
        assert (figures["route"], figures["query_count"]) == ("groups/", 5)

    def test_that_fails_does_not_reach_the_request(
        self, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*args: object, **kwargs: object) -> None:
            raise KeyError("Attempt to overwrite 'method' in LogRecord")

        settings.HOTPATH = {"SLOW_REQUEST_MS": 0}
        monkeypatch.setattr(slowlog.logger, "makeRecord", fail)
        assert client.get("/hello/").content == b"hello"

    def test_gives_the_route_not_the_path(
        self, client: Client, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.HOTPATH = {"SLOW_REQUEST_MS": 0}
        client.get("/groups/7/")
        assert "GET /groups/<int:pk>/ 200" in caplog.text

    def test_says_when_the_request_was_profiled(
        self, client: Client, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.HOTPATH = {**settings.HOTPATH, "SLOW_REQUEST_MS": 0}
        client.get("/groups/?profile=1")
        assert "with 5 queries (profiled)" in caplog.text

    async def test_counts_async_queries(
        self, async_client: AsyncClient, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.HOTPATH = {"SLOW_REQUEST_MS": 0}
        await async_client.get("/ahello/")
        assert "GET /ahello/ 200" in caplog.text
        assert "with 1 queries" in caplog.text

    @pytest.mark.parametrize("limit", [None, 60_000])
    def test_is_silent_otherwise(
        self, client: Client, settings: Any, caplog: pytest.LogCaptureFixture, limit: int | None
    ) -> None:
        settings.HOTPATH = {"SLOW_REQUEST_MS": limit}
        client.get("/groups/")
        assert not [record for record in caplog.records if record.name == "hotpath.slow"]
