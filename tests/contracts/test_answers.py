"""What an application answers is the same, byte for byte, whether or not it is profiled."""

from __future__ import annotations

import asyncio
import gc
import gzip
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http import HttpRequest
from django.middleware.gzip import GZipMiddleware
from django.test import AsyncClient, Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from django_hotpath.stores import get_store
from tests import views

if TYPE_CHECKING:
    from pytest_django import Settings

# A sync iterator under ASGI and the other way round: Django says so, and does it.
pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")

OURS = "django_hotpath.middleware.ProfilingMiddleware"
NAVIGATION = (("Accept", "text/html,*/*;q=0.8"), ("Sec-Fetch-Dest", "document"))
MULTIPART = encode_multipart(
    BOUNDARY, {"name": "Zoë", "profile": "1", "file": SimpleUploadedFile("a.txt", b"the file")}
)


def everybody(request: HttpRequest) -> bool:
    return True


@dataclass(frozen=True)
class Request:
    path: str
    method: str = "GET"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = (("Accept", "*/*"),)
    body: bytes = b""
    content_type: str = ""

    def having(self, query: str) -> Request:
        return replace(self, query=query)

    def with_header(self, name: str, value: str) -> Request:
        return replace(self, headers=(*self.headers, (name, value)))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    reason: str = field(default="", compare=False)

    def get(self, name: str) -> str | None:
        found = [value for key, value in self.headers if key == name.lower()]
        assert len(found) < 2, f"{name} is there twice: {found}"
        return found[0] if found else None

    @property
    def profiled(self) -> bool:
        return self.get("Hotpath-Capture") is not None

    def without_ours(self) -> Answer:
        """As it would be had nobody asked for a profile."""
        kept = []
        for name, value in self.headers:
            if name.startswith("hotpath-"):
                continue
            if name == "server-timing":
                value = value.partition("app;dur=")[0].removesuffix(", ")
                if not value:
                    continue
            kept.append((name, value))
        return replace(self, headers=tuple(kept))


# The four ways into Django.


def test_client(request: Request) -> Answer:
    response = Client(raise_request_exception=False).generic(
        request.method,
        _url(request),
        request.body,
        request.content_type or "application/octet-stream",
        headers=dict(request.headers),
    )
    return _from_response(response)


def async_client(request: Request) -> Answer:
    async def ask() -> Answer:
        response = await AsyncClient(raise_request_exception=False).generic(
            request.method,
            _url(request),
            request.body,
            request.content_type or "application/octet-stream",
            headers=dict(request.headers),
        )
        if not response.streaming:
            return _from_response(response)
        content = response.streaming_content
        parts = [part async for part in content] if response.is_async else list(content)
        return _from_response(response, b"".join(parts))

    return async_to_sync(ask)()


def raw_wsgi(request: Request) -> Answer:
    query = f"?{request.query}" if request.query else ""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "REQUEST_URI": request.path + query,
        "RAW_URI": request.path + query,
        "CONTENT_TYPE": request.content_type,
        "CONTENT_LENGTH": str(len(request.body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
    started: list[tuple[str, list[tuple[str, str]]]] = []
    result = WSGIHandler()(environ, lambda status, headers: started.append((status, headers)))
    try:
        body = b"".join(result)
    finally:
        result.close()
    ((status, headers),) = started
    code, _, reason = status.partition(" ")
    return Answer(int(code), _sorted(headers), body, reason)


def raw_asgi(request: Request) -> Answer:
    headers = [(name.lower().encode(), value.encode()) for name, value in request.headers]
    headers += [(b"host", b"testserver")]
    if request.body:
        headers.append((b"content-length", str(len(request.body)).encode()))
        headers.append((b"content-type", request.content_type.encode()))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
    }

    start: dict[str, Any] = {}
    parts: list[bytes] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            assert not start, "an answer begins once"
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    async def ask() -> None:
        to_receive = [{"type": "http.request", "body": request.body}]

        async def receive() -> Any:
            if not to_receive:
                # The client stays until it has its answer.
                await asyncio.Event().wait()
            return to_receive.pop()

        await ASGIHandler()(scope, receive, send)

    async_to_sync(ask)()
    found = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return Answer(start["status"], _sorted(found), b"".join(parts))


Transport = Callable[[Request], Answer]
TRANSPORTS: list[Transport] = [test_client, async_client, raw_wsgi, raw_asgi]
test_client.__test__ = False  # type: ignore[attr-defined]
"""Not a test, for all that its name says."""


def _url(request: Request) -> str:
    return f"{request.path}?{request.query}" if request.query else request.path


def _from_response(response: Any, body: bytes | None = None) -> Answer:
    if body is None:
        body = b"".join(response)
    headers = [
        *response.items(),
        *(("Set-Cookie", c.OutputString()) for c in response.cookies.values()),
    ]
    return Answer(response.status_code, _sorted(headers), body, response.reason_phrase)


def _sorted(headers: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name.lower(), value) for name, value in headers))


# How a request asks to be profiled.


def by_parameter(request: Request) -> Request:
    return request.having("profile=1")


def by_header(request: Request) -> Request:
    return request.with_header("Hotpath-Profile", "1")


QUERY = "q=caf%C3%A9+%2B&a=1&a=2&empty=&bare"
KINDS = {
    "fetch of a page": Request("page/"),
    "page with a fetch destination": Request(
        "page/", headers=(("Accept", "text/html"), ("Sec-Fetch-Dest", "empty"))
    ),
    "page asked for by script": Request(
        "page/", headers=(("Accept", "text/html"), ("X-Requested-With", "XMLHttpRequest"))
    ),
    "page in a frame": Request(
        "page/", headers=(("Accept", "text/html"), ("Sec-Fetch-Dest", "iframe"))
    ),
    "json": Request("json/"),
    "form": Request(
        "echo/", "POST", body=b"a=1&a=2&profile=1", content_type="application/x-www-form-urlencoded"
    ),
    "form of a page": Request(
        "echo/",
        "POST",
        headers=NAVIGATION,
        body=b"a=1",
        content_type="application/x-www-form-urlencoded",
    ),
    "upload": Request("echo/", "POST", body=MULTIPART, content_type=MULTIPART_CONTENT),
    "json body": Request("echo/", "POST", body=b'{"a": [1]}', content_type="application/json"),
    "put": Request("raw-body/", "PUT", body=b"\x00\xff raw", content_type="image/png"),
    "patch": Request("raw-body/", "PATCH", body=b"{}", content_type="application/json"),
    "delete": Request("empty/", "DELETE"),
    "options": Request("page/", "OPTIONS"),
    "head": Request("page/", "HEAD", headers=NAVIGATION),
    "redirect": Request("redirect/", headers=NAVIGATION),
    "no slash": Request("page", headers=NAVIGATION),
    "unknown url": Request("nowhere/", headers=NAVIGATION),
    "not found": Request("missing/", headers=NAVIGATION),
    "forbidden": Request("forbidden/", headers=NAVIGATION),
    "suspicious": Request("suspicious/", headers=NAVIGATION),
    "error": Request("broken/", headers=NAVIGATION),
    "error while rendering": Request("broken-template/", headers=NAVIGATION),
    "teapot": Request("teapot/", headers=NAVIGATION),
    "no content": Request("empty/", headers=NAVIGATION),
    "decorated": Request("decorated/"),
    "stream": Request("stream/", headers=NAVIGATION),
    "async stream": Request("async-stream/", headers=NAVIGATION),
    "file": Request("file/", headers=NAVIGATION),
    "head of a stream": Request("stream/", "HEAD", headers=NAVIGATION),
    "head of an async stream": Request("async-stream/", "HEAD", headers=NAVIGATION),
    "head of a file": Request("file/", "HEAD", headers=NAVIGATION),
    "template": Request("template-response/"),
    "session": Request("session/"),
    "echo": Request(
        "echo/",
        headers=(
            ("Accept", "*/*"),
            ("Cookie", "a=1; profile=1"),
            ("X-Api-Key", "k"),
            ("X-Other", "x"),
        ),
    ),
}


@pytest.fixture(autouse=True)
def connections_stay_open() -> Iterator[None]:
    """As in Django's test client: the end of a request does not touch the test's connection."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


@pytest.fixture
def allowed(settings: Settings) -> None:
    """DEBUG off, as the error pages of DEBUG differ from one request to the next."""
    settings.HOTPATH = {**settings.HOTPATH, "ALLOW": f"{__name__}.everybody"}


@pytest.fixture(autouse=True)
def _stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Age, Expires and the like change from one second to the next."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture
def gzipped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MIDDLEWARE = ["django.middleware.gzip.GZipMiddleware", *settings.MIDDLEWARE]
    # Random padding, against the BREACH attack.
    monkeypatch.setattr(GZipMiddleware, "max_random_bytes", 0)


@pytest.mark.parametrize("ask", [by_parameter, by_header], ids=lambda ask: ask.__name__)
@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
@pytest.mark.parametrize("view", ["sync", "async"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_profiled_answer_is_the_answer(
    allowed: None, kind: str, view: str, transport: Transport, ask: Callable[[Request], Request]
) -> None:
    request = _to(view, KINDS[kind])
    plain = transport(request)
    profiled = transport(ask(request))
    assert not plain.profiled
    assert profiled.profiled
    assert profiled.get("Hotpath-Refused") is None
    assert "app;dur=" in (profiled.get("Server-Timing") or "")
    assert profiled.without_ours() == plain
    assert profiled.reason == plain.reason


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
@pytest.mark.parametrize("view", ["sync", "async"])
@pytest.mark.parametrize(
    "query",
    [
        pytest.param(f"profile=1&{QUERY}", id="first"),
        pytest.param(f"{QUERY}&profile=1", id="last"),
        pytest.param(QUERY.replace("&a=1", "&profile=1&a=1"), id="in the middle"),
        pytest.param(f"{QUERY}&profile", id="without a value"),
        pytest.param(f"profile=1&{QUERY}&profile=2", id="twice"),
        pytest.param(f"{QUERY}&profile=cpu&profile_as=json", id="with a format"),
        pytest.param(f"{QUERY}&%70rofile=1&profile=1", id="percent-encoded too"),
    ],
)
def test_the_application_sees_the_query_string_without_our_parameters(
    allowed: None, query: str, view: str, transport: Transport
) -> None:
    request = _to(view, replace(KINDS["form"], query=QUERY))
    plain = transport(request)
    profiled = transport(request.having(query))
    assert profiled.profiled
    assert profiled.body == plain.body


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
@pytest.mark.parametrize(
    "query",
    [
        "user_profile=1",
        "profiles=1",
        "q=profile",
        "q=%26profile=1",
        "%70rofile=1",
        "profile_as=json",
    ],
)
def test_a_parameter_that_only_looks_like_ours_asks_for_nothing(
    allowed: None, query: str, transport: Transport
) -> None:
    answer = transport(_to("sync", KINDS["echo"]).having(query))
    assert not answer.profiled
    assert json.loads(answer.body)["query_string"] == query


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
def test_a_form_field_called_profile_asks_for_nothing(allowed: None, transport: Transport) -> None:
    answer = transport(_to("sync", KINDS["form"]))
    assert not answer.profiled
    assert json.loads(answer.body)["POST"]["profile"] == ["1"]


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
def test_our_header_is_not_in_the_request_of_the_application(
    allowed: None, transport: Transport
) -> None:
    answer = transport(by_header(_to("sync", KINDS["echo"])))
    assert answer.profiled
    assert b"hotpath" not in answer.body.lower()


@pytest.mark.parametrize("kind", ["fetch of a page", "json", "form", "stream", "file", "echo"])
@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
def test_a_profiled_answer_is_the_answer_with_debug_on(
    settings: Settings, kind: str, transport: Transport
) -> None:
    settings.DEBUG = True
    request = _to("sync", KINDS[kind])
    plain = transport(request)
    profiled = transport(by_parameter(request))
    assert profiled.profiled
    assert profiled.without_ours() == plain


@pytest.mark.parametrize(
    "kind", ["page asked for by script", "json", "stream", "async stream", "file", "decorated"]
)
@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
def test_a_profiled_answer_is_compressed_alike(
    allowed: None, gzipped: None, kind: str, transport: Transport
) -> None:
    request = _to("sync", KINDS[kind]).with_header("Accept-Encoding", "gzip")
    plain = transport(request)
    profiled = transport(by_parameter(request))
    assert profiled.profiled
    assert profiled.without_ours() == plain


@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
def test_a_conditional_request_still_gets_a_304(
    allowed: None, settings: Settings, transport: Transport
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.http.ConditionalGetMiddleware"]
    request = replace(_to("sync", Request("conditional/")), headers=NAVIGATION)
    etag = transport(replace(request, headers=())).get("ETag")
    assert etag is not None
    request = request.with_header("If-None-Match", etag)
    plain = transport(request)
    profiled = transport(by_parameter(request))
    assert profiled.status == 304
    assert profiled.profiled
    assert profiled.without_ours() == plain


@pytest.mark.parametrize("transport", [test_client, raw_wsgi], ids=["test_client", "raw_wsgi"])
@pytest.mark.django_db
def test_an_answer_made_of_queries_is_the_same(allowed: None, transport: Transport) -> None:
    request = Request("/answers/sync/queries/")
    plain = transport(request)
    profiled = transport(by_parameter(request))
    assert profiled.profiled
    assert profiled.without_ours() == plain


@pytest.mark.parametrize("presets", ["memory", "cpu", "sql", "all", "queries,gc"])
@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
def test_every_preset_leaves_the_answer_alone(
    allowed: None, presets: str, transport: Transport
) -> None:
    request = _to("sync", KINDS["template"])
    plain = transport(request)
    profiled = transport(request.having(f"profile={presets}"))
    assert profiled.profiled
    assert profiled.without_ours() == plain


@pytest.mark.parametrize("presets", ["memory", "cpu", "all", "cprofile"])
@pytest.mark.parametrize("kind", ["stream", "async stream", "file"])
@pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
def test_every_preset_leaves_a_stream_alone(
    allowed: None, kind: str, presets: str, transport: Transport
) -> None:
    request = _to("sync", KINDS[kind])
    plain = transport(request)
    profiled = transport(request.having(f"profile={presets}"))
    assert profiled.profiled
    assert profiled.without_ours() == plain


class TestCachePage:
    @pytest.fixture(autouse=True)
    def empty_cache(self) -> Iterator[None]:
        cache.clear()
        views.CALLS.clear()
        yield
        cache.clear()

    request_ = Request("/answers/sync/cached/", query="a=1")

    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_a_profiled_request_finds_the_cached_page_of_the_real_url(
        self, allowed: None, transport: Transport
    ) -> None:
        transport(self.request_)
        plain = transport(self.request_)
        profiled = transport(self.request_.having("a=1&profile=1"))
        assert profiled.without_ours() == plain
        assert views.CALLS == ["/answers/sync/cached/?a=1"]

    @pytest.mark.parametrize("headers", [(), NAVIGATION], ids=["fetch", "navigation"])
    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_a_profiled_request_caches_the_page_as_anybody_sees_it(
        self, allowed: None, transport: Transport, headers: tuple[tuple[str, str], ...]
    ) -> None:
        transport(replace(self.request_, query="profile=1&a=1", headers=headers))
        plain = transport(self.request_)
        assert views.CALLS == ["/answers/sync/cached/?a=1"]
        assert plain.without_ours() == plain
        assert plain.body == b"/answers/sync/cached/?a=1 <p>cached</p>"


class TestExceptions:
    @pytest.mark.parametrize("name", ["broken", "broken-template"])
    @pytest.mark.parametrize("view", ["sync", "async"])
    def test_the_test_client_raises_what_the_view_raised(
        self, allowed: None, view: str, name: str
    ) -> None:
        with pytest.raises(views.Broken, match="broke"):
            Client().get(f"/answers/{view}/{name}/?profile=1")

    @pytest.mark.parametrize("name", ["broken", "broken-template"])
    @pytest.mark.parametrize("view", ["sync", "async"])
    async def test_the_async_client_raises_what_the_view_raised(
        self, allowed: None, view: str, name: str
    ) -> None:
        with pytest.raises(views.Broken, match="broke"):
            await AsyncClient().get(f"/answers/{view}/{name}/?profile=1")

    def test_the_cause_stays_with_the_exception(self, allowed: None) -> None:
        with pytest.raises(views.Broken) as caught:
            Client().get("/answers/sync/broken/?profile=1")
        assert isinstance(caught.value.__cause__, KeyError)

    # Django leaves the file of the body open when an exception propagates; Python 3.11 says so.
    @pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.Spooled:ResourceWarning")
    @pytest.mark.parametrize("transport", [raw_wsgi, raw_asgi], ids=["raw_wsgi", "raw_asgi"])
    @pytest.mark.parametrize("view", ["sync", "async"])
    def test_a_propagated_exception_passes_through_us(
        self, allowed: None, settings: Settings, view: str, transport: Transport
    ) -> None:
        settings.DEBUG_PROPAGATE_EXCEPTIONS = True
        with pytest.raises(views.Broken, match="the view broke"):
            transport(by_parameter(_to(view, KINDS["error"])))
        gc.collect()

    def test_a_view_that_exits_the_process_does(self, allowed: None) -> None:
        with pytest.raises(SystemExit) as caught:
            raw_wsgi(by_parameter(_to("sync", Request("quits/"))))
        assert caught.value.code == 3

    @pytest.mark.parametrize("name", ["broken", "quits"])
    def test_the_next_request_after_an_exception_is_profiled(
        self, allowed: None, settings: Settings, name: str
    ) -> None:
        settings.DEBUG_PROPAGATE_EXCEPTIONS = True
        with pytest.raises((views.Broken, SystemExit)):
            raw_wsgi(by_parameter(_to("sync", Request(f"{name}/"))))
        answer = raw_wsgi(by_parameter(_to("sync", KINDS["json"])))
        assert answer.profiled
        assert answer.get("Hotpath-Refused") is None

    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_the_capture_names_the_exception(self, allowed: None, transport: Transport) -> None:
        answer = transport(by_parameter(_to("sync", KINDS["error"])))
        captured = _capture_of(answer)
        assert captured["request"]["status"] == 500
        assert captured["request"]["exception"]["type"].endswith("Broken")

    async def test_a_cancelled_request_leaves_the_next_one_a_profiler(self, allowed: None) -> None:
        views._let_go.clear()
        request = asyncio.ensure_future(AsyncClient().get("/answers/async-hold/?profile=1"))
        while not views._held:
            await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        response = await AsyncClient().get("/answers/async/json/?profile=1")
        assert "Hotpath-Capture" in response
        assert "Hotpath-Refused" not in response


class TestStrangers:
    """DEBUG off and nobody allowed: there is nothing to see, by any way."""

    @pytest.mark.parametrize("ask", [by_parameter, by_header], ids=lambda ask: ask.__name__)
    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    @pytest.mark.parametrize("kind", KINDS)
    def test_an_answer_is_that_of_a_site_without_us(
        self,
        settings: Settings,
        kind: str,
        transport: Transport,
        ask: Callable[[Request], Request],
    ) -> None:
        request = ask(_to("sync", KINDS[kind]))
        with_us = transport(request)
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]
        assert with_us == transport(request)

    @pytest.mark.parametrize(
        "value", ["1", "help", "nonsense", "lines:os.system", "1&profile_asset=x"]
    )
    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_the_parameter_is_the_applications(self, value: str, transport: Transport) -> None:
        request = replace(_to("sync", KINDS["echo"]), query=f"profile={value}&a=1")
        answer = transport(replace(request, headers=NAVIGATION))
        assert answer.without_ours() == answer
        assert json.loads(answer.body)["query_string"] == f"profile={value}&a=1"

    def test_nothing_is_stored(self) -> None:
        get_store().clear()
        test_client(by_parameter(_to("sync", KINDS["json"])))
        assert get_store().list().total == 0

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    @pytest.mark.parametrize(
        "path",
        [
            "",
            "delete/",
            "assets/report.css",
            "assets/../settings.py",
            "01J00000000000000000000000/",
            "01J00000000000000000000000.json",
            "01J00000000000000000000000.pstats",
            "01J00000000000000000000000/delete/",
        ],
    )
    def test_our_urls_are_like_unknown_ones(
        self, path: str, transport: Transport, method: str
    ) -> None:
        ours = transport(Request(f"/__hotpath__/{path}", method))
        unknown = transport(Request(f"/__nowhere__/{path}", method))
        assert ours.status == 404
        assert ours == unknown

    @pytest.mark.parametrize("path", ["/__hotpath__", "/__hotpath__/delete"])
    def test_our_urls_without_the_slash_are_like_unknown_ones(self, path: str) -> None:
        ours = test_client(Request(path))
        assert ours == test_client(Request("/__nowhere__"))

    def test_a_capture_that_exists_is_like_one_that_does_not(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        store = {
            "BACKEND": "django_hotpath.stores.sqlite.SQLiteStore",
            "OPTIONS": {"path": tmp_path / "captures.sqlite3"},
        }
        settings.HOTPATH = {"STORE": store, "ALLOW": f"{__name__}.everybody"}
        url = test_client(by_parameter(_to("sync", KINDS["json"]))).get("Hotpath-Capture")
        assert url is not None
        assert test_client(Request(url)).status == 200
        settings.HOTPATH = {"STORE": store}
        assert test_client(Request(url)) == test_client(Request("/nowhere/"))

    def test_a_post_with_csrf_checks_on_is_like_one_to_an_unknown_url(self) -> None:
        client = Client(enforce_csrf_checks=True)
        ours = _from_response(client.post("/__hotpath__/delete/"))
        assert ours == _from_response(client.post("/__nowhere__/delete/"))


class TestReport:
    """A GET that a person navigates to is answered with the report."""

    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    @pytest.mark.parametrize("name", ["page", "json", "echo", "template-response"])
    @pytest.mark.parametrize("view", ["sync", "async"])
    def test_it_takes_the_place_of_the_answer(
        self, allowed: None, view: str, name: str, transport: Transport
    ) -> None:
        request = _to(view, Request(f"{name}/", headers=NAVIGATION))
        report = transport(by_parameter(request))
        assert report.status == 200
        assert report.profiled
        assert report.get("Content-Type") == "text/html; charset=utf-8"
        assert report.get("Cache-Control") == "no-store"
        assert report.body != transport(request).body

    def test_accept_alone_makes_a_navigation(self, allowed: None) -> None:
        request = _to("sync", Request("json/", headers=(("Accept", "text/html"),)))
        assert (test_client(by_parameter(request)).get("Content-Type") or "").startswith(
            "text/html"
        )

    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_it_keeps_the_cookies_of_the_answer(self, allowed: None, transport: Transport) -> None:
        request = _to("sync", Request("decorated/", headers=NAVIGATION))
        plain, report = transport(request), transport(by_parameter(request))
        assert _cookies(report) == _cookies(plain)
        assert len(_cookies(report)) == 3

    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_it_carries_none_of_the_validators_of_the_answer(
        self, allowed: None, transport: Transport
    ) -> None:
        report = transport(by_parameter(_to("sync", Request("decorated/", headers=NAVIGATION))))
        assert report.get("ETag") is None
        assert report.get("Last-Modified") is None

    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_its_length_is_its_own(self, allowed: None, transport: Transport) -> None:
        report = transport(by_parameter(_to("sync", Request("page/", headers=NAVIGATION))))
        assert report.get("Content-Length") in {None, str(len(report.body))}

    @pytest.mark.parametrize("transport", [raw_wsgi, raw_asgi], ids=["raw_wsgi", "raw_asgi"])
    def test_it_is_compressed_by_a_middleware_above_us(
        self, allowed: None, gzipped: None, transport: Transport
    ) -> None:
        request = _to("sync", Request("page/", headers=NAVIGATION))
        report = transport(by_parameter(request.with_header("Accept-Encoding", "gzip")))
        assert report.get("Content-Encoding") == "gzip"
        assert report.get("Content-Length") == str(len(report.body))
        assert b"<html" in gzip.decompress(report.body)

    @pytest.mark.parametrize("transport", [raw_wsgi, raw_asgi], ids=["raw_wsgi", "raw_asgi"])
    def test_it_is_readable_with_a_compressing_middleware_below_us(
        self, allowed: None, settings: Settings, transport: Transport
    ) -> None:
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.middleware.gzip.GZipMiddleware"]
        request = _to("sync", Request("page/", headers=NAVIGATION))
        report = transport(by_parameter(request.with_header("Accept-Encoding", "gzip")))
        assert report.get("Content-Encoding") is None
        assert b"<html" in report.body

    @pytest.mark.parametrize("headers", [(), NAVIGATION], ids=["fetch", "navigation"])
    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    def test_the_resources_of_the_answer_are_closed_once(
        self, allowed: None, headers: tuple[tuple[str, str], ...], transport: Transport
    ) -> None:
        views.CLOSED.clear()
        transport(by_parameter(_to("sync", Request("resource/", headers=headers))))
        assert views.CLOSED == ["resource"]


class TestSignals:
    @pytest.fixture
    def sent(self) -> Iterator[list[str]]:
        sent: list[str] = []

        def on_started(**kwargs: Any) -> None:
            sent.append("started")

        def on_finished(**kwargs: Any) -> None:
            sent.append("finished")

        request_started.connect(on_started)
        request_finished.connect(on_finished)
        yield sent
        request_started.disconnect(on_started)
        request_finished.disconnect(on_finished)

    @pytest.mark.parametrize("transport", TRANSPORTS, ids=lambda transport: transport.__name__)
    @pytest.mark.parametrize("name", ["page", "redirect", "broken", "file", "stream"])
    @pytest.mark.parametrize("headers", [(), NAVIGATION], ids=["fetch", "navigation"])
    def test_a_profiled_request_starts_and_finishes_once(
        self,
        allowed: None,
        sent: list[str],
        headers: tuple[tuple[str, str], ...],
        name: str,
        transport: Transport,
    ) -> None:
        answer = transport(by_parameter(_to("sync", Request(f"{name}/", headers=headers))))
        assert answer.profiled
        assert sent == ["started", "finished"]


def _to(view: str, request: Request) -> Request:
    return replace(request, path=f"/answers/{view}/{request.path}")


def _cookies(answer: Answer) -> list[str]:
    return [value for name, value in answer.headers if name == "set-cookie"]


def _capture_of(answer: Answer) -> dict[str, Any]:
    url = answer.get("Hotpath-Capture")
    assert url is not None
    found: dict[str, Any] = json.loads(test_client(Request(f"{url.rstrip('/')}.json")).body)
    return found
