"""Requests to other services, made of a server in a thread of this process."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from django_hotpath.instruments import http
from django_hotpath.instruments.patching import SharedPatch
from tests.recording import Run, recording

requests: Any = pytest.importorskip("requests")
urllib3: Any = pytest.importorskip("urllib3")
httpx: Any = pytest.importorskip("httpx")

HERE = "tests/instruments/test_http.py"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/moved":
            self._answer(302, location="/there")
        elif path == "/unavailable" and self.server.tried.setdefault(path, 0) < 1:  # type: ignore[attr-defined]
            self.server.tried[path] += 1  # type: ignore[attr-defined]
            self._answer(503)
        elif path == "/missing":
            self._answer(404)
        else:
            self._answer(200)

    do_POST = do_GET

    def _answer(self, status: int, location: str | None = None) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def url(server: Any) -> str:
    server.tried = {}
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def pool() -> Iterator[Any]:
    with urllib3.PoolManager() as made:
        yield made


@pytest.fixture
def session() -> Iterator[Any]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


@pytest.fixture
def client() -> Iterator[Any]:
    with httpx.Client(trust_env=False) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = urllib3.HTTPConnectionPool.urlopen, requests.Session.send, httpx.Client.send
    yield
    assert before == (
        urllib3.HTTPConnectionPool.urlopen,
        requests.Session.send,
        httpx.Client.send,
    )


def made(run: Run) -> list[dict[str, Any]]:
    return run["http"]["requests"]  # type: ignore[no-any-return]


def figures(run: Run) -> list[tuple[Any, ...]]:
    """Client, path, status and what it follows, of each."""
    return [
        (row["client"], "/" + row["url"].split("/", 3)[3], row["status"], row.get("follows"))
        for row in made(run)
    ]


class TestClients:
    def test_urllib3(self, url: str, pool: Any) -> None:
        with recording("http") as run:
            pool.request("GET", f"{url}/x?page=2")
        assert figures(run) == [("urllib3", "/x?page=2", 200, None)]

    def test_requests_is_one_with_the_pool_below_it(self, url: str, session: Any) -> None:
        with recording("http") as run:
            session.post(f"{url}/x", data="body")
        assert figures(run) == [("requests", "/x", 200, None)]
        assert made(run)[0]["method"] == "POST"

    def test_httpx(self, url: str, client: Any) -> None:
        with recording("http") as run:
            client.get(f"{url}/x")
        assert figures(run) == [("httpx", "/x", 200, None)]

    async def test_httpx_async(self, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            with recording("http") as run:
                await client.get(f"{url}/moved", follow_redirects=True)
        assert figures(run) == [("httpx", "/moved", 302, None), ("httpx", "/there", 200, 0)]

    async def test_requests_at_the_same_time_do_not_follow_each_other(self, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            with recording("http") as run:
                await asyncio.gather(*(client.get(f"{url}/{number}") for number in range(3)))
        assert sorted(figures(run)) == [("httpx", f"/{n}", 200, None) for n in range(3)]

    def test_what_is_no_success_is_a_status_not_an_error(self, url: str, session: Any) -> None:
        with recording("http") as run:
            session.get(f"{url}/missing")
        assert made(run)[0]["status"] == 404
        assert "error" not in made(run)[0]


class TestSeveralInOne:
    def test_redirects_of_requests(self, url: str, session: Any) -> None:
        with recording("http") as run:
            assert session.get(f"{url}/moved").url == f"{url}/there"
        assert figures(run) == [("requests", "/moved", 302, None), ("requests", "/there", 200, 0)]

    def test_redirects_of_httpx(self, url: str, client: Any) -> None:
        with recording("http") as run:
            client.get(f"{url}/moved", follow_redirects=True)
        assert figures(run) == [("httpx", "/moved", 302, None), ("httpx", "/there", 200, 0)]

    def test_redirects_of_urllib3(self, url: str, pool: Any) -> None:
        with recording("http") as run:
            pool.request("GET", f"{url}/moved")
        found = [(path, status) for _client, path, status, _follows in figures(run)]
        assert found == [("/moved", 302), ("/there", 200)]

    def test_retries_of_urllib3(self, url: str, pool: Any) -> None:
        retries = urllib3.Retry(2, status_forcelist=[503], backoff_factor=0)
        with recording("http") as run:
            pool.request("GET", f"{url}/unavailable", retries=retries)
        assert figures(run) == [
            ("urllib3", "/unavailable", 503, None),
            ("urllib3", "/unavailable", 200, 0),
        ]

    def test_retries_within_requests(self, url: str, session: Any) -> None:
        retries = urllib3.Retry(2, status_forcelist=[503], backoff_factor=0)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        with recording("http") as run:
            session.get(f"{url}/unavailable")
        assert figures(run) == [
            ("requests", "/unavailable", 503, None),
            ("requests", "/unavailable", 200, 0),
        ]

    def test_their_times_do_not_overlap(self, url: str, session: Any) -> None:
        with recording("http") as run:
            session.get(f"{url}/moved")
        first, second = made(run)
        assert first["start_ms"] + first["duration_ms"] <= second["start_ms"] + 0.001
        assert run.capture.timing.http_ms == pytest.approx(run["http"]["total_ms"], abs=0.01)

    def test_one_made_before_it_could_go_out_is_apart(self, url: str, session: Any) -> None:
        class Token(requests.adapters.HTTPAdapter):  # type: ignore[misc]
            def send(self, *args: Any, **kwargs: Any) -> Any:
                with requests.Session() as other:
                    other.get(f"{url}/token")
                return super().send(*args, **kwargs)

        session.mount("http://", Token())
        with recording("http") as run:
            session.get(f"{url}/x")
        assert figures(run) == [("requests", "/x", 200, None), ("requests", "/token", 200, None)]
        outer, inner = made(run)
        assert run["http"]["total_ms"] == pytest.approx(
            outer["duration_ms"] + inner["duration_ms"], abs=0.001
        )


class TestWhatIsKept:
    def test_the_line(self, url: str, session: Any) -> None:
        with recording("http") as run:
            session.get(f"{url}/x")
        site = made(run)[0]["call_site"]
        assert (site["file"], site["function"]) == (HERE, "TestWhatIsKept.test_the_line")

    def test_secrets_of_the_address_are_masked(self, url: str, session: Any) -> None:
        address = url.replace("http://", "http://ada:hunter2@")
        with recording("http") as run:
            session.get(f"{address}/x?token=hunter2&page=1#part")
        assert made(run)[0]["url"] == f"{url.replace('//', '//***@')}/x?token=***&page=1"

    @pytest.mark.parametrize("name", ["requests", "httpx", "urllib3"])
    def test_an_error_is_kept_and_goes_on(self, name: str, unused_tcp_port: int) -> None:
        address = f"http://127.0.0.1:{unused_tcp_port}/x?token=hunter2"
        with recording("http") as run, pytest.raises(Exception, match=r".") as caught:
            _get(name, address)
        (row,) = made(run)
        assert row["status"] is None
        assert row["error"].startswith(f"{type(caught.value).__name__}: ") or name == "requests"
        assert "hunter2" not in str(row)

    def test_beyond_the_limit_they_are_counted(
        self, url: str, pool: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(http, "MAX_REQUESTS", 1)
        with recording("http") as run:
            for _ in range(3):
                pool.request("GET", f"{url}/x")
        assert (run["http"]["count"], run["http"]["truncated"], len(made(run))) == (3, 2, 1)

    def test_one_that_cannot_be_read_goes_out_all_the_same(
        self, url: str, pool: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*args: Any) -> None:
            raise RuntimeError("not today")

        monkeypatch.setattr(http, "Asked", fails)
        with recording("http") as run:
            assert pool.request("GET", f"{url}/x").status == 200
        assert made(run) == []
        assert "not recorded in full: RuntimeError" in str(run.capture.environment.warnings)


class TestFrames:
    @pytest.mark.parametrize("name", ["requests", "httpx", "urllib3"])
    @pytest.mark.parametrize("calls", ["calls", "cprofile"])
    def test_a_request_is_a_frame_without_its_query(self, url: str, name: str, calls: str) -> None:
        with recording("http", calls) as run:
            _get(name, f"{url}/x?page=2")
        assert _frames(run) == [(f"GET {url}/x", 1)]

    async def test_also_of_an_async_client(self, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            with recording("http", "calls") as run:
                await client.get(f"{url}/x")
        assert _frames(run) == [(f"GET {url}/x", 1)]

    def test_those_that_follow_have_their_own(self, url: str, session: Any) -> None:
        with recording("http", "calls") as run:
            session.get(f"{url}/moved")
        assert _frames(run) == [(f"GET {url}/moved", 1), (f"GET {url}/there", 1)]


def _get(name: str, address: str) -> None:
    if name == "requests":
        requests.get(address, timeout=10)
    elif name == "httpx":
        httpx.get(address)
    else:
        with urllib3.PoolManager() as pool:
            pool.request("GET", address, retries=False)


def _frames(run: Run) -> list[tuple[str, int]]:
    functions = run["calls"]["functions"]
    return [(row["function"], row["calls"]) for row in functions if row["kind"] == "http"]


class TestCaptures:
    def test_one_within_another_gives_it_to_both(self, url: str, session: Any) -> None:
        with recording("http") as outer, recording("http") as inner:
            session.get(f"{url}/moved")
        assert figures(outer) == figures(inner)
        assert len(figures(outer)) == 2

    def test_outside_of_captures_nothing_is_recorded(self, url: str, session: Any) -> None:
        seen = threading.Event()

        def other() -> None:
            session.get(f"{url}/x")
            seen.set()

        with recording("http") as run:
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        assert seen.is_set()
        assert made(run) == []


class TestImports:
    @pytest.fixture
    def nothing_imported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in http._MODULES.values():
            monkeypatch.delitem(sys.modules, module)
        monkeypatch.setattr(http, "_patch", SharedPatch(http._targets))

    @pytest.mark.usefixtures("nothing_imported")
    def test_a_client_is_never_imported(self) -> None:
        with recording("http") as run:
            pass
        assert made(run) == []
        assert not set(http._MODULES.values()) & set(sys.modules)

    @pytest.mark.usefixtures("nothing_imported")
    def test_one_that_is_imported_meanwhile_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with recording("http") as run:
            monkeypatch.setitem(sys.modules, "httpx", ModuleType("httpx"))
        (warning,) = [w for w in run.capture.environment.warnings if w.startswith("http: ")]
        assert warning.startswith("http: httpx was imported while the work ran")
