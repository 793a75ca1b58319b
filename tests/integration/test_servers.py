"""The demo site on real servers: many requests at once, clients that leave, forks."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

import pytest

from tests.integration.servers import FETCH, NAVIGATION, Answer, Server, wait_until

pytestmark = pytest.mark.server

HEADERS = {"navigation": NAVIGATION, "fetch": FETCH}
SLOW = "/orders/slow/"
# Enough to overlap, and quick under many profilers.
SMALL = f"{SLOW}?n=20"
everywhere = pytest.mark.parametrize(
    "server", ["runserver", "gunicorn", "gunicorn-preload", "uvicorn"], indirect=True
)
one_process = pytest.mark.parametrize("server", ["runserver", "gunicorn", "uvicorn"], indirect=True)
on_uvicorn = pytest.mark.parametrize("server", ["uvicorn"], indirect=True)
preloaded = pytest.mark.parametrize("server", ["gunicorn-preload"], indirect=True)


def captured_json(server: Server, path: str) -> dict[str, Any]:
    answer = server.get(f"{path}?profile=1&profile_as=json", NAVIGATION)
    assert (answer.status, answer.refused) == (200, None)
    found: dict[str, Any] = answer.json()
    return found


def assert_all_accounted_for(answers: list[Answer]) -> None:
    assert {answer.status for answer in answers} == {200}
    silent = [answer for answer in answers if not answer.captured and not answer.refused]
    assert not silent, f"{len(silent)} of {len(answers)} were lost without a word"
    assert any(answer.captured for answer in answers)


def assert_profiles_again(server: Server) -> None:
    for preset in ("1", "memory"):
        answer = server.get(f"{SLOW}?profile={preset}")
        assert (answer.status, answer.refused) == (200, None)
        assert answer.captured


class TestAtOnce:
    @everywhere
    @pytest.mark.parametrize("kind", HEADERS)
    @pytest.mark.parametrize("count", [2, 20])
    def test_every_profiled_request_is_captured_or_told_why_not(
        self, server: Server, count: int, kind: str
    ) -> None:
        assert_all_accounted_for(server.at_once([(f"{SMALL}&profile=1", HEADERS[kind])] * count))

    @everywhere
    def test_every_answer_is_the_one_without_a_profile(self, server: Server) -> None:
        plain = server.get(f"{SMALL}&format=json")
        answers = server.at_once([(f"{SMALL}&format=json&profile=1", FETCH)] * 20)
        assert {answer.body for answer in answers} == {plain.body}

    @everywhere
    def test_unprofiled_requests_among_profiled_ones_notice_nothing(self, server: Server) -> None:
        plain = server.get(f"{SMALL}&format=json")
        profiled = (f"{SMALL}&format=json&profile=1", FETCH)
        answers = server.at_once([profiled, (f"{SMALL}&format=json", FETCH)] * 20)
        assert_all_accounted_for(answers[::2])
        for answer in answers[1::2]:
            assert (answer.status, answer.body) == (200, plain.body)
            assert not [name for name in answer.headers if name.lower().startswith("hotpath")]

    @everywhere
    def test_times_and_memory_are_profiled_side_by_side(self, server: Server) -> None:
        both = [(f"{SMALL}&profile=1", FETCH), (f"{SMALL}&profile=memory", FETCH)]
        assert_all_accounted_for(server.at_once(both * 10))

    @everywhere
    def test_a_single_request_after_a_crowd_is_profiled(self, server: Server) -> None:
        both = [(f"{SMALL}&profile=1", NAVIGATION), (f"{SMALL}&profile=memory", NAVIGATION)]
        server.at_once(both * 10)
        assert_profiles_again(server)

    @everywhere
    def test_every_capture_of_a_crowd_can_be_read(self, server: Server) -> None:
        answers = server.at_once([(f"{SMALL}&profile=queries", FETCH)] * 8)
        assert_all_accounted_for(answers)
        for answer in answers:
            if answer.refused is None:
                url = answer.headers["Hotpath-Capture"]
                assert server.get(f"{url.rstrip('/')}.json").json()["label"] == f"GET {SLOW}"

    @everywhere
    def test_requests_at_once_keep_their_queries_apart(self, server: Server) -> None:
        asked = [
            (f"{SLOW}?n={n}&profile=queries&profile_as=json", NAVIGATION) for n in range(10, 18)
        ]
        counts = [
            answer.json()["instruments"]["queries"]["count"] for answer in server.at_once(asked)
        ]
        assert counts == [n + 1 for n in range(10, 18)]


class TestFindings:
    @everywhere
    def test_the_slow_orders_have_an_n_plus_one_with_100_queries(self, server: Server) -> None:
        capture = captured_json(server, SLOW)
        first = capture["findings"][0]
        assert (first["kind"], first["count"]) == ("n_plus_one", 100)
        assert first["call_site"]["file"].endswith("examples/families/orm.py")
        assert capture["instruments"]["queries"]["count"] == 101

    @everywhere
    def test_the_fast_orders_have_no_finding(self, server: Server) -> None:
        capture = captured_json(server, "/orders/fast/")
        assert capture["findings"] == []
        assert capture["instruments"]["queries"]["count"] == 1

    @everywhere
    def test_a_navigation_gets_the_report(self, server: Server) -> None:
        answer = server.get(f"{SLOW}?profile=1", NAVIGATION)
        assert answer.captured
        assert b"examples/families/orm.py" in answer.body


class TestClientsThatLeave:
    @one_process
    @pytest.mark.parametrize("view", ["hold", "async-hold"])
    @pytest.mark.parametrize("preset", ["1", "memory"])
    def test_one_that_leaves_during_its_request_leaves_no_lock(
        self, server: Server, preset: str, view: str
    ) -> None:
        _leave(server, f"/answers/{view}/?profile={preset}", preset)
        assert_profiles_again(server)

    # By WSGI an async stream is read to its end before any of it is sent.
    @on_uvicorn
    def test_one_that_leaves_during_a_stream_leaves_no_lock(self, server: Server) -> None:
        _leave(server, "/answers/stream-hold/?profile=1", "1")
        assert_profiles_again(server)


class TestStreams:
    @everywhere
    @pytest.mark.parametrize("name", ["stream", "async-stream"])
    def test_a_stream_is_measured_until_its_last_byte(self, server: Server, name: str) -> None:
        plain = server.get(f"/answers/sync/{name}/")
        answer = server.get(f"/answers/sync/{name}/?profile=1", NAVIGATION)
        assert answer.body == plain.body
        assert answer.refused is None
        stream = _stream_of(server, answer.headers["Hotpath-Capture"])
        assert (stream["ended"], stream["chunks"]) == ("exhausted", 5)
        assert stream["bytes"] == len(plain.body)

    @everywhere
    @pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
    def test_a_file_is_the_same_file(self, server: Server, headers: dict[str, str]) -> None:
        plain = server.get("/answers/sync/file/", headers)
        answer = server.get("/answers/sync/file/?profile=1", headers)
        assert answer.body == plain.body
        assert answer.headers["Content-Length"] == plain.headers["Content-Length"]
        assert _stream_of(server, answer.headers["Hotpath-Capture"])["bytes"] in {
            None,
            len(plain.body),
        }

    @one_process
    def test_an_endless_stream_keeps_no_engine_and_ends_with_its_client(
        self, server: Server
    ) -> None:
        name = "async-endless" if server.name == "uvicorn" else "endless"
        with server.streaming(f"/answers/{name}/?profile=all") as answer:
            url = answer.headers["Hotpath-Capture"].rstrip("/")
            assert answer.read(12) == b"data: tick\n\n"
            early = server.get(f"{url}/")
            assert early.status == 404
            assert b"still being streamed" in early.body
            for preset in ("1", "cprofile", "memory"):
                wait_until(partial(_is_free, server, preset), f"{preset} to be free")
        wait_until(lambda: server.get(f"{url}.json").status == 200, "the stream to end")
        assert _stream_of(server, url)["ended"] == "closed"


def _stream_of(server: Server, url: str) -> dict[str, Any]:
    answer = server.get(f"{url.rstrip('/')}.json")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json()["request"]["stream"]
    return found


def _leave(server: Server, path: str, preset: str) -> None:
    server.get("/answers/held/?let_go=0")
    try:
        with server.leaving(path):
            wait_until(lambda: server.get("/answers/held/").body == b"1", "the view to begin")
        if server.name == "uvicorn":
            # The application is told, and the profiler free again before the view ends.
            wait_until(lambda: _is_free(server, preset), "the profiler to be free")
    finally:
        server.get("/answers/held/?let_go=1")
    wait_until(lambda: server.get("/answers/held/").body == b"0", "the view to end")
    wait_until(lambda: _is_free(server, preset), "the profiler to be free")


def _is_free(server: Server, preset: str) -> bool:
    return server.get(f"/answers/sync/json/?profile={preset}").refused is None


class TestAsyncViews:
    @on_uvicorn
    def test_the_queries_of_two_requests_never_mix(self, server: Server) -> None:
        place = uuid.uuid4().hex
        ask = "profile=queries&profile_as=json"
        symbols, names = server.at_once(
            [
                (f"/answers/meet/{place}/symbol/20/?{ask}", NAVIGATION),
                (f"/answers/meet/{place}/name/30/?{ask}", NAVIGATION),
            ]
        )
        assert _columns(symbols) == ["symbol"] * 20
        assert _columns(names) == ["name"] * 30

    @on_uvicorn
    def test_the_queries_of_all_tasks_of_a_request_are_its_own(self, server: Server) -> None:
        capture = captured_json(server, "/answers/gather/10/")
        assert capture["instruments"]["queries"]["count"] == 10

    @on_uvicorn
    def test_the_call_site_is_the_line_of_the_async_view(self, server: Server) -> None:
        capture = captured_json(server, "/answers/gather/3/")
        files = {
            query["call_site"]["file"] for query in capture["instruments"]["queries"]["queries"]
        }
        assert [file.rpartition("/")[2] for file in files] == ["views.py"]


def _columns(answer: Answer) -> list[str]:
    queries = answer.json()["instruments"]["queries"]["queries"]
    where = [query["sql"].partition("WHERE")[2] for query in queries]
    return ["symbol" if '"symbol" =' in text else "name" for text in where]


class TestForks:
    @preloaded
    def test_captures_are_made_in_the_workers_and_read_by_any(self, server: Server) -> None:
        answers = server.at_once([(f"{SMALL}&profile=1", FETCH)] * 20)
        assert_all_accounted_for(answers)
        stored = [answer for answer in answers if answer.refused is None]
        for answer in stored:
            url = answer.headers["Hotpath-Capture"].rstrip("/")
            # Twice, at once: most likely by both workers.
            for read in server.at_once([(f"{url}.json", FETCH)] * 2):
                assert read.status == 200
                assert read.json()["environment"]["pid"] != server.pid
