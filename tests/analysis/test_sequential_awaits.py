"""``sequential_awaits``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connections

import django_hotpath as hotpath
from django_hotpath.capture import Capture, Finding
from django_hotpath.instruments import awaits
from tests.analysis.found import kinds, only
from tests.analysis.loops import sequence, with_eventloop


class TestRule:
    """Over results made by hand."""

    def test_found(self) -> None:
        finding = only(with_eventloop(sequences=[sequence(100.0, 80.0)]))
        assert (finding.kind, finding.severity) == ("sequential_awaits", "medium")
        assert finding.title == "2 awaits one after another at shop/views.py:12 might run together"
        assert "line 12: 100 ms; line 13: 80 ms" in finding.detail
        assert "80 ms at most" in finding.detail
        assert finding.cost_ms == 80.0
        assert finding.fix is not None
        assert finding.fix.code == (
            "found_0, found_1 = await asyncio.gather(\n    fetch_0(),\n    fetch_1(),\n)"
        )

    def test_it_is_a_possibility(self) -> None:
        finding = only(with_eventloop(sequences=[sequence(900.0, 800.0)]))
        assert finding.severity == "medium"
        assert "you decide" in finding.detail
        assert finding.fix is not None
        assert finding.fix.summary.startswith("If they do not need each other")

    def test_little_to_save_is_low(self) -> None:
        finding = only(with_eventloop(wall_ms=9_000.0, sequences=[sequence(100.0, 30.0)]))
        assert finding.severity == "low"

    def test_silent_on_too_little(self) -> None:
        assert kinds(with_eventloop(sequences=[sequence(100.0, 19.0)])) == []

    def test_silent_when_one_alone_waits(self) -> None:
        assert kinds(with_eventloop(sequences=[sequence(100.0, 9.0, 9.0, 9.0)])) == []

    def test_awaits_that_hardly_wait_are_left_out(self) -> None:
        finding = only(with_eventloop(sequences=[sequence(100.0, 1.0, 90.0)]))
        assert finding.title.startswith("2 awaits")
        assert finding.fix is not None
        assert "fetch_1" not in str(finding.fix.code)

    def test_a_loop(self) -> None:
        found = sequence(300.0, form="loop", saved_ms=240.0)
        found["awaits"][0].update(count=5, target=None)
        finding = only(with_eventloop(sequences=[found]))
        assert finding.title.startswith("A loop awaits 5 times in turn at shop/views.py:12")
        assert finding.count == 5
        assert finding.fix is not None
        assert finding.fix.code == "await asyncio.gather(*(fetch_0() for book in books))"
        assert "Semaphore" not in finding.fix.summary

    def test_a_long_loop_is_told_to_hold_back(self) -> None:
        found = sequence(300.0, form="loop", saved_ms=240.0)
        found["awaits"][0].update(count=500, target=None)
        finding = only(with_eventloop(sequences=[found]))
        assert finding.fix is not None
        assert "Semaphore" in finding.fix.summary

    def test_what_takes_turns_is_said(self) -> None:
        found = sequence(100.0, 80.0, in_turns_ms=80.0)
        assert "80 ms are calls of sync code" in only(with_eventloop(sequences=[found])).detail

    def test_silent_without_a_loop(self) -> None:
        assert kinds(with_eventloop(loop=None)) == []


async def fetch(number: int, *_needed: object) -> int:
    """Suspends once."""
    await asyncio.sleep(0)
    return number


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Awaitable[Capture]]:
    """Captures a coroutine function, with each of its suspensions lasting 50 ms."""
    resumed = awaits.Awaits.resumed

    def lasting(self: awaits.Awaits, now: int, late: int = 0, *, unfinished: bool = False) -> None:
        since = self.since_ns
        resumed(self, now if since is None else since + 50_000_000, 0, unfinished=unfinished)

    monkeypatch.setattr(awaits.Awaits, "resumed", lasting)

    async def captured(work: Any) -> Capture:
        run = hotpath.profile("test", instruments=["eventloop"], save=False)
        await run(work)()
        assert run.capture is not None
        return run.capture

    return captured


def sequential(capture: Capture) -> list[Finding]:
    return [finding for finding in capture.findings if finding.kind == "sequential_awaits"]


Find = Callable[[Any], Awaitable[Capture]]


class Service:
    def __init__(self) -> None:
        self.token = ""

    async def weather(self) -> int:
        return await fetch(1)

    async def news(self) -> int:
        return await fetch(2)

    async def session(self) -> int:
        self.token = "x"
        return await fetch(3)


class TestObserved:
    """What really runs, from the first suspension to the finding."""

    async def test_found(self, find: Find) -> None:
        async def dashboard() -> int:
            weather = await fetch(1)
            news = await fetch(2)
            return weather + news

        (finding,) = sequential(await find(dashboard))
        first = dashboard.__code__.co_firstlineno + 1
        assert finding.call_site is not None
        assert finding.call_site.line == first
        assert f"line {first}: 50 ms; line {first + 1}: 50 ms" in finding.detail
        assert finding.cost_ms == 50.0
        assert finding.fix is not None
        assert str(finding.fix.code).startswith("weather, news = await asyncio.gather(")

    async def test_gone_after_the_fix(self, find: Find) -> None:
        async def dashboard() -> int:
            weather, news = await asyncio.gather(fetch(1), fetch(2))
            return weather + news

        assert sequential(await find(dashboard)) == []

    async def test_silent_when_the_second_uses_the_first(self, find: Find) -> None:
        async def dashboard() -> int:
            user = await fetch(1)
            return await fetch(2, user)

        assert sequential(await find(dashboard)) == []

    async def test_methods_that_leave_nothing_behind(self, find: Find) -> None:
        service = Service()

        async def dashboard() -> int:
            weather = await service.weather()
            news = await service.news()
            return weather + news

        assert len(sequential(await find(dashboard))) == 1

    async def test_silent_after_a_method_that_does(self, find: Find) -> None:
        service = Service()

        async def dashboard() -> int:
            session = await service.session()
            news = await service.news()
            return session + news

        assert sequential(await find(dashboard)) == []

    @pytest.mark.parametrize(
        ("package", "found"), [("httpx", 1), ("asyncpg", 0), ("unheard_of", 0)]
    )
    async def test_two_calls_of_one_client(self, find: Find, package: str, found: int) -> None:
        """A client known to serve many at once; a connection, which does not; who knows."""
        library: dict[str, Any] = {"asyncio": asyncio}
        source = "class Client:\n    async def get(self, x):\n        await asyncio.sleep(0)"
        exec(compile(source, f"/lib/site-packages/{package}/_client.py", "exec"), library)
        client = library["Client"]()

        async def dashboard() -> tuple[Any, Any]:
            weather = await client.get("weather")
            news = await client.get("news")
            return weather, news

        assert len(sequential(await find(dashboard))) == found

    async def test_a_loop_over_things_is_found(self, find: Find) -> None:
        async def dashboard() -> list[int]:
            found = []
            for number in (1, 2, 3):
                found.append(await fetch(number))
            return found

        (finding,) = sequential(await find(dashboard))
        assert finding.title.startswith("A loop awaits 3 times in turn")
        assert finding.cost_ms == 100.0

    async def test_a_comprehension_is_found(self, find: Find) -> None:
        async def dashboard() -> list[int]:
            return [await fetch(number) for number in (1, 2, 3)]

        (finding,) = sequential(await find(dashboard))
        assert finding.fix is not None
        assert finding.fix.code == (
            "await asyncio.gather(*(fetch(number) for number in (1, 2, 3)))"
        )

    async def test_polling_is_none(self, find: Find) -> None:
        async def dashboard() -> None:
            for _ in range(3):
                await asyncio.sleep(0)
                await fetch(1)

        assert sequential(await find(dashboard)) == []

    async def test_recursion_is_no_loop(self, find: Find) -> None:
        async def down(number: int) -> int:
            await asyncio.sleep(0)
            return await down(number - 1) if number else 0

        async def dashboard() -> int:
            return await down(3)

        assert sequential(await find(dashboard)) == []

    async def test_a_helper_called_in_turn_is_not_mixed_up(self, find: Find) -> None:
        """Calls of one helper, one after another, often have frames at the same address."""

        async def helper(number: int) -> int:
            if number == 1:
                return await fetch(1)
            return await fetch(2)

        async def dashboard() -> int:
            first = await helper(1)
            return await helper(first + 1)

        assert sequential(await find(dashboard)) == []

    async def test_silent_inside_a_lock_of_the_caller(self, find: Find) -> None:
        lock = asyncio.Lock()

        async def both() -> int:
            weather = await fetch(1)
            news = await fetch(2)
            return weather + news

        async def dashboard() -> int:
            async with lock:
                return await both()

        assert sequential(await find(dashboard)) == []

    async def test_tasks_that_run_already_are_none(self, find: Find) -> None:
        async def dashboard() -> int:
            one, two = asyncio.ensure_future(fetch(1)), asyncio.ensure_future(fetch(2))
            weather = await one
            news = await two
            return weather + news

        assert sequential(await find(dashboard)) == []

    async def test_async_with_and_for_are_none(self, find: Find) -> None:
        class Waits:
            async def __aenter__(self) -> int:
                return await fetch(1)

            async def __aexit__(self, *args: object) -> None:
                await fetch(1)

            async def __aiter__(self) -> Any:
                yield await fetch(1)

        async def dashboard() -> None:
            async with Waits() as a:
                pass
            async with Waits() as b:
                pass
            async for _ in Waits():
                pass
            async for _ in Waits():
                print(a, b)

        assert sequential(await find(dashboard)) == []

    async def test_sync_code_in_the_requests_thread_takes_turns(self, find: Find) -> None:
        async def dashboard() -> int:
            one = await sync_to_async(slow_sum)(1)
            two = await sync_to_async(slow_sum)(2)
            return one + two

        capture = await find(dashboard)
        assert sequential(capture) == []
        assert {wait["for"] for wait in capture.instruments["eventloop"]["waits"]} == {"thread"}

    async def test_sync_code_in_threads_of_its_own_does_not(self, find: Find) -> None:
        async def dashboard() -> int:
            one = await sync_to_async(slow_sum, thread_sensitive=False)(1)
            two = await sync_to_async(slow_sum, thread_sensitive=False)(2)
            return one + two

        capture = await find(dashboard)
        waits = capture.instruments["eventloop"]["waits"]
        assert {wait["for"] for wait in waits} == {"threads"}
        assert len(sequential(capture)) == 1

    async def test_sync_code_that_leaves_something_behind_is_not_shuffled(self, find: Find) -> None:
        async def dashboard() -> int:
            one = await sync_to_async(slow_mark, thread_sensitive=False)(1)
            two = await sync_to_async(slow_sum, thread_sensitive=False)(2)
            return one + two

        assert sequential(await find(dashboard)) == []

    @pytest.mark.django_db(transaction=True)
    async def test_the_orm_takes_turns(self, find: Find) -> None:
        async def dashboard() -> tuple[int, int]:
            groups = await Group.objects.acount()
            named = await Group.objects.filter(name="x").acount()
            return groups, named

        capture = await find(dashboard)
        await sync_to_async(connections.close_all)()
        assert {wait["for"] for wait in capture.instruments["eventloop"]["waits"]} == {"thread"}
        assert sequential(capture) == []

    @pytest.mark.django_db(transaction=True)
    async def test_the_orm_beside_the_network_does_not(self, find: Find) -> None:
        async def dashboard() -> tuple[int, int]:
            groups = await Group.objects.acount()
            weather = await fetch(1)
            return groups, weather

        (finding,) = sequential(await find(dashboard))
        await sync_to_async(connections.close_all)()
        assert finding.cost_ms == 50.0
        assert "50 ms are calls of sync code (the ORM)" in finding.detail


SUMS: list[int] = []


def slow_mark(number: int) -> int:
    time.sleep(0.02)
    SUMS.append(number)
    return number


def slow_sum(number: int) -> int:
    # Long enough that nobody finds it done already.
    time.sleep(0.02)
    return number + 1
