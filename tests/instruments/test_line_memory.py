"""``line_memory``, by each engine there is here."""

from __future__ import annotations

import asyncio
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from django_hotpath import profile
from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument
from tests.instruments.line_reading import function, functions, hits, lines, stored
from tests.require import require

ENGINES = [cls for cls in registry.engines("line_memory") if cls.available() is None]
HERE = __name__
MB = 1_000_000
PAGE = {"accept": "text/html,*/*;q=0.8"}


def keeps(kept: list[Any]) -> None:
    kept.append(bytes(3 * MB))
    kept.append(bytes(1 * MB))


def frees() -> int:
    size = len(bytes(5 * MB))
    size += 1
    return size


def calls(kept: list[Any]) -> None:
    keeps(kept)
    kept.append(None)


def counts_down(number: int, kept: list[Any]) -> None:
    if number:
        counts_down(number - 1, kept)
    kept.append(bytes(1 * MB))


def fails(kept: list[Any]) -> None:
    kept.append(bytes(2 * MB))
    raise KeyError("theirs")


def pieces(kept: list[Any]) -> Iterator[int]:
    kept.append(bytes(1 * MB))
    yield 1
    kept.append(bytes(2 * MB))
    yield 2


def fills(kept: list[Any]) -> None:
    kept.append(bytearray(b"x") * (64 * MB))
    kept.append(None)


KEPT: list[Any] = []


def view(request: HttpRequest) -> HttpResponse:
    KEPT.append(bytes(2 * MB))
    return HttpResponse("a view")


async def aview(request: HttpRequest) -> HttpResponse:
    await asyncio.sleep(0)
    KEPT.append(bytes(2 * MB))
    return HttpResponse("an async view")


urlpatterns = [path("view/", view), path("aview/", aview)]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(params=ENGINES, ids=lambda cls: cls.engine)
def word(request: pytest.FixtureRequest) -> str:
    """What to ask for."""
    engine: type[Instrument] = request.param
    return "line_memory" if engine is ENGINES[0] else engine.engine


@pytest.fixture(autouse=True)
def _clean(settings: Any) -> Iterator[None]:
    settings.DEBUG = True
    yield
    KEPT.clear()


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


class Run:
    def __init__(self, word: str, target: str) -> None:
        text = "+".join(f"{HERE}.{name}" for name in target.split("+"))
        self.profile = profile("test", instruments=[f"{word}:{text}"], save=False)

    def __enter__(self) -> Run:
        self.profile.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.profile.__exit__(*error)

    @property
    def result(self) -> dict[str, Any]:
        assert self.profile.capture is not None, self.profile.refused
        return self.profile.capture.instruments["line_memory"]  # type: ignore[no-any-return]

    def megabytes(self, name: str) -> dict[str, int]:
        return {
            text: round(line["increment"] / MB)
            for text, line in lines(self.result, name).items()
            if line["hits"]
        }


@pytest.mark.usefixtures("traced")
class TestTracedBytes:
    def test_are_counted_where_they_are_traced(self, word: str) -> None:
        kept: list[Any] = []
        with Run(word, "keeps") as run:
            keeps(kept)
        assert run.result["unit"] == "traced"
        assert run.megabytes("keeps") == {
            "kept.append(bytes(3 * MB))": 3,
            "kept.append(bytes(1 * MB))": 1,
        }
        assert 4 * MB <= function(run.result, "keeps")["increment"] < 4 * MB + 2_000

    def test_that_are_freed_at_once_are_in_the_peak_of_their_line(self, word: str) -> None:
        with Run(word, "frees") as run:
            frees()
        found = lines(run.result, "frees")
        assert found["size = len(bytes(5 * MB))"]["increment"] < 2_000
        assert found["size = len(bytes(5 * MB))"]["peak"] - run.result["before"] > 5 * MB
        assert found["size += 1"]["peak"] - run.result["before"] < 1 * MB

    def test_of_what_is_called_are_on_both_lines(self, word: str) -> None:
        with Run(word, "calls+keeps") as run:
            calls([])
        assert run.megabytes("calls") == {"keeps(kept)": 4, "kept.append(None)": 0}
        assert function(run.result, "keeps")["increment"] >= 4 * MB

    def test_of_a_function_that_calls_itself_count_once(self, word: str) -> None:
        kept: list[Any] = []
        with Run(word, "counts_down") as run:
            counts_down(3, kept)
        assert run.megabytes("counts_down")["kept.append(bytes(1 * MB))"] == 4
        assert 4 * MB <= function(run.result, "counts_down")["increment"] < 4 * MB + 5_000

    def test_after_an_exception_are_not_those_of_the_line_that_raised(self, word: str) -> None:
        kept: list[Any] = []
        with Run(word, "fails") as run:
            with pytest.raises(KeyError):
                fails(kept)
            kept.append(bytes(7 * MB))
        assert run.megabytes("fails")["kept.append(bytes(2 * MB))"] == 2
        assert function(run.result, "fails")["increment"] < 3 * MB

    def test_of_a_generator_are_without_what_happens_meanwhile(self, word: str) -> None:
        kept: list[Any] = []
        with Run(word, "pieces") as run:
            for _ in pieces(kept):
                kept.append(bytes(7 * MB))
        assert round(function(run.result, "pieces")["increment"] / MB) == 3
        assert function(run.result, "pieces")["calls"] == 1

    def test_that_the_application_stops_tracing_end_there(self, word: str) -> None:
        kept: list[Any] = []
        with Run(word, "keeps+frees") as run:
            keeps(kept)
            tracemalloc.stop()
            frees()
        tracemalloc.start()
        assert run.megabytes("keeps")["kept.append(bytes(3 * MB))"] == 3
        assert run.result["after"] is None
        assert run.profile.capture is not None
        assert any(
            "tracemalloc was stopped" in warning
            for warning in run.profile.capture.environment.warnings
        )


class TestResidentMemory:
    def test_is_read_where_nothing_is_traced(self, word: str) -> None:
        kept: list[Any] = []
        with Run(word, "fills") as run:
            fills(kept)
        assert run.result["unit"] == "rss"
        found = run.megabytes("fills")
        assert found['kept.append(bytearray(b"x") * (64 * MB))'] > 50
        assert found["kept.append(None)"] < 10
        peak = function(run.result, "fills")["peak"]
        assert peak - run.result["before"] > 50 * MB

    def test_is_that_of_the_process(self, word: str) -> None:
        with Run(word, "frees") as run:
            frees()
        assert run.result["before"] > 10 * MB
        assert run.result["after"] > 10 * MB


class TestWhoseLines:
    def test_of_other_threads_are_not_counted(self, word: str) -> None:
        if sys.version_info >= (3, 14) and sys.flags.thread_inherit_context:
            pytest.skip("threads belong to who starts them")
        with Run(word, "frees") as run:
            thread = threading.Thread(target=frees)
            thread.start()
            thread.join()
            frees()
        assert hits(run.result, "frees")["size += 1"] == 1

    def test_are_those_of_the_block(self, word: str) -> None:
        with profile("test", instruments=[word], save=False) as run:
            number = 1
        assert run.capture is not None
        name = "TestWhoseLines.test_are_those_of_the_block"
        result = run.capture.instruments["line_memory"]
        assert (hits(result, name)["number = 1"], number) == (1, 1)

    def test_leave_nothing_behind(self, word: str) -> None:
        trace, files = sys.gettrace(), _open_files()
        for _ in range(3):
            with Run(word, "frees"):
                frees()
        assert sys.gettrace() is trace
        assert sys._getframe().f_trace is None or trace is not None
        assert _open_files() == files
        if sys.version_info >= (3, 12):
            assert not sys.monitoring._all_events()
            assert not any(sys.monitoring.get_tool(number) for number in range(6))


def _open_files() -> int:
    from pathlib import Path

    folder = Path("/proc/self/fd")
    require(folder.exists(), "needs /proc to count open files")
    return len(list(folder.iterdir()))


class TestTheMemoryPreset:
    def test_measures_allocations_and_lines_in_traced_bytes(self) -> None:
        response = Client().get("/view/?profile=memory", headers={"accept": "*/*"})
        instruments = stored(response).instruments
        result = instruments["line_memory"]
        assert list(instruments) == ["allocations", "line_memory"]
        assert result["unit"] == "traced"
        found = lines(result, "view")["KEPT.append(bytes(2 * MB))"]
        assert 2 * MB <= found["increment"] < 2 * MB + 2_000
        (row,) = [
            row
            for row in instruments["allocations"]["by_line"]
            if row["source"] == "KEPT.append(bytes(2 * MB))"
        ]
        # Both tell the same of the same line, but for the list that grew.
        assert abs(row["size"] - found["increment"]) < 1_000

    def test_works_whichever_is_named_first(self) -> None:
        response = Client().get("/view/?profile=line_memory,allocations", headers={"accept": "*/*"})
        assert stored(response).instruments["line_memory"]["unit"] == "traced"

    async def test_measures_an_async_view(self) -> None:
        response = await AsyncClient().get("/aview/?profile=memory", headers={"accept": "*/*"})
        capture = await asyncio.to_thread(stored, response)
        found = lines(capture.instruments["line_memory"], "aview")
        assert round(found["KEPT.append(bytes(2 * MB))"]["increment"] / MB) == 2

    async def test_measures_a_sync_view_under_asgi(self) -> None:
        response = await AsyncClient().get("/view/?profile=memory", headers={"accept": "*/*"})
        capture = await asyncio.to_thread(stored, response)
        found = lines(capture.instruments["line_memory"], "view")
        assert round(found["KEPT.append(bytes(2 * MB))"]["increment"] / MB) == 2

    def test_fills_the_lane_of_the_report(self) -> None:
        page = Client().get("/view/?profile=memory&profile_as=html", headers=PAGE).content.decode()
        lane = page[page.index('<div id="allocations">') :]
        assert "While each line ran" in lane
        assert "KEPT.append(bytes(2 * MB))" in lane[: lane.index("By file")]
        assert "the bytes that Python has allocated" in lane

    def test_goes_without_lines_where_they_cannot_be_had(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for cls in registry.engines("line_memory"):
            monkeypatch.setattr(cls, "available", classmethod(lambda cls: "cannot run here"))
        response = Client().get("/view/?profile=memory", headers={"accept": "*/*"})
        capture = stored(response)
        assert list(capture.instruments) == ["allocations"]
        assert any("cannot run here" in warning for warning in capture.environment.warnings)

    def test_goes_without_lines_while_they_are_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for cls in registry.engines("line_memory"):
            monkeypatch.setattr(cls, "busy", classmethod(lambda cls: "taken"))
        response = Client().get("/view/?profile=memory", headers={"accept": "*/*"})
        capture = stored(response)
        assert list(capture.instruments) == ["allocations"]
        assert any("taken" in warning for warning in capture.environment.warnings)


def test_everything_at_once_says_what_it_had_to_leave_out() -> None:
    response = Client().get("/view/?profile=all", headers={"accept": "*/*"})
    assert response.content == b"a view"
    capture = stored(response)
    assert "lines" in capture.instruments
    if "line_memory" not in capture.instruments:
        assert any("line_memory" in warning for warning in capture.environment.warnings)
    assert functions(capture.instruments["lines"]) == {"view"}
