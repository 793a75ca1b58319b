"""Process-wide engines: one capture at a time, everybody answered, given back on every path."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.urls import path

from django_hotpath import locks, profile
from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument, Session, current
from django_hotpath.instruments.registry import Spec
from django_hotpath.recorder import Recorder, Refused
from tests.known_answers import known_classes

CROWD = 20

PROCESS_WIDE = sorted({cls.engine: cls for cls in known_classes() if cls.process_wide is not None})

crowd = threading.Barrier(CROWD)


def together(request: HttpRequest) -> HttpResponse:
    """Answers when all have come this far, so that each has asked for the engine by then."""
    crowd.wait(timeout=30)
    return HttpResponse("hello")


def raises(request: HttpRequest) -> HttpResponse:
    raise KeyboardInterrupt


def streams(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(str(number) for number in range(1000))


# Whether the engine was free, of each request that waits by now.
waiting: asyncio.Queue[bool]


async def waits(request: HttpRequest) -> HttpResponse:
    waiting.put_nowait(is_free(request.GET["engine"]))
    await asyncio.sleep(60)
    return HttpResponse("hello")


urlpatterns = [
    path("together/", together),
    path("raises/", raises),
    path("streams/", streams),
    path("waits/", waits),
]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture(autouse=True)
def _debug(settings: Any) -> None:
    settings.DEBUG = True


def is_free(engine: str) -> bool:
    if not locks.acquire(engine):
        return False
    locks.release(engine)
    return True


class Greedy(Instrument):
    """Takes a lock of its own, and notes its life."""

    name = "greedy"
    engine = "greedy"
    measures = cost = disturbed_by = "nothing"
    process_wide: ClassVar[str | None] = "tests-greedy"
    life: ClassVar[list[str]] = []

    def start(self) -> None:
        self.life.append("start")

    def stop(self) -> None:
        self.life.append("stop")

    def result(self) -> dict[str, Any]:
        return {}


class Faulty(Instrument):
    """Starts after Greedy, and fails where it is told to."""

    name = "faulty"
    engine = "faulty"
    measures = cost = disturbed_by = "nothing"
    faults: ClassVar[dict[str, BaseException | str]] = {}

    def _at(self, moment: str) -> None:
        fault = self.faults.get(moment)
        if isinstance(fault, BaseException):
            raise fault

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._at("init")

    @classmethod
    def busy(cls) -> str | None:
        fault = cls.faults.get("busy")
        return fault if isinstance(fault, str) else None

    def start(self) -> None:
        self._at("start")

    def stop(self) -> None:
        self._at("stop")

    def result(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def faults() -> Iterator[dict[str, Any]]:
    paths = [f"{__name__}.{name}" for name in ("Greedy", "Faulty")]
    for found in paths:
        registry.register(found)
    yield Faulty.faults
    for found in paths:
        registry.unregister(found)
    Faulty.faults.clear()
    Greedy.life.clear()


def recorder() -> Recorder:
    return Recorder([Spec("greedy"), Spec("faulty")], "test")


def is_over(life: list[str]) -> None:
    assert is_free("tests-greedy")
    assert Greedy.life == life
    assert current.get() is None


class TestGivenBack:
    def test_when_all_is_well(self, faults: dict[str, Any]) -> None:
        found = recorder()
        found.start()
        assert not is_free("tests-greedy")
        found.stop()
        is_over(["start", "stop"])

    def test_when_a_later_instrument_is_busy(self, faults: dict[str, Any]) -> None:
        faults["busy"] = "somebody has it"
        with pytest.raises(Refused, match="somebody has it"):
            recorder().start()
        is_over([])

    @pytest.mark.parametrize("error", [ValueError("ours"), KeyboardInterrupt()])
    def test_when_a_later_instrument_cannot_be_made(
        self, faults: dict[str, Any], error: BaseException
    ) -> None:
        faults["init"] = error
        with pytest.raises(type(error)):
            recorder().start()
        is_over([])

    def test_when_a_later_instrument_fails_to_start(self, faults: dict[str, Any]) -> None:
        faults["start"] = ValueError("ours")
        found = recorder()
        found.start()
        found.stop()
        is_over(["start", "stop"])
        assert found.capture().environment.warnings == ("faulty failed: ValueError: ours",)

    def test_when_starting_is_interrupted(self, faults: dict[str, Any]) -> None:
        faults["start"] = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            recorder().start()
        is_over(["start", "stop"])

    @pytest.mark.parametrize("error", [ValueError("ours"), KeyboardInterrupt()])
    def test_when_stopping_fails(self, faults: dict[str, Any], error: BaseException) -> None:
        faults["stop"] = error
        found = recorder()
        found.start()
        try:
            found.stop()
        except KeyboardInterrupt:
            assert isinstance(error, KeyboardInterrupt)
        is_over(["start", "stop"])

    def test_when_the_block_raises(self, faults: dict[str, Any]) -> None:
        with (
            pytest.raises(SystemExit),
            profile("test", instruments=["greedy"], save=False),
        ):
            raise SystemExit
        is_over(["start", "stop"])


@pytest.mark.parametrize("engine", PROCESS_WIDE)
class TestEveryEngine:
    def test_of_twenty_requests_at_once_one_has_it(self, engine: str) -> None:
        answers: list[HttpResponse] = []

        def request() -> None:
            answers.append(
                Client().get("/together/", {"profile": engine, "profile_as": "json"})  # type: ignore[arg-type]
            )

        threads = [threading.Thread(target=request) for _ in range(CROWD)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [200] * CROWD
        refused = [answer for answer in answers if "Hotpath-Refused" in answer]
        assert len(refused) == CROWD - 1
        assert {answer.content for answer in refused} == {b"hello"}
        assert all("another capture is using it" in answer["Hotpath-Refused"] for answer in refused)
        (profiled,) = (answer for answer in answers if answer not in refused)
        assert profiled["Content-Type"] == "application/json"
        assert is_free(engine)

    def test_a_view_that_is_interrupted_gives_it_back(self, engine: str) -> None:
        with pytest.raises(KeyboardInterrupt):
            Client().get("/raises/", {"profile": engine})
        assert is_free(engine)
        assert current.get() is None

    @pytest.mark.django_db
    def test_a_client_that_leaves_a_stream_gives_it_back(self, engine: str) -> None:
        response = Client().get("/streams/", {"profile": engine})
        chunks = iter(response)  # type: ignore[call-overload]
        assert next(chunks) == b"0"
        assert is_free(engine)
        response.close()
        assert is_free(engine)

    async def test_a_task_that_is_cancelled_gives_it_back(self, engine: str) -> None:
        global waiting
        waiting = asyncio.Queue()
        request = AsyncClient().get("/waits/", {"profile": engine, "engine": engine})
        task = asyncio.ensure_future(request)
        was_free = await waiting.get()
        # vmprof does not run in an event loop.
        assert was_free is (engine == "vmprof")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert is_free(engine)


def test_a_lock_is_given_back_by_another_thread_than_took_it() -> None:
    assert locks.acquire("tests")
    thread = threading.Thread(target=locks.release, args=("tests",))
    thread.start()
    thread.join()
    assert is_free("tests")
