from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from asgiref.sync import markcoroutinefunction
from django.contrib.auth.models import Group

import django_hotpath as hotpath
from django_hotpath import stores
from django_hotpath.instruments.base import current
from django_hotpath.stores.memory import MemoryStore


def work(number: int = 1) -> int:
    return number + 1


def test_a_block_leaves_its_capture() -> None:
    with hotpath.profile("import prices", instruments=["calls", "queries"]) as run:
        work()
    assert run.capture is not None
    assert run.capture.label == "import prices"
    assert set(run.capture.instruments) == {"calls", "queries"}
    assert run.capture.request is None


def test_code_can_ask_for_the_id_of_its_capture() -> None:
    assert hotpath.capture_id() is None
    with hotpath.profile("outer", instruments=["gc"], save=False) as outer:
        with hotpath.profile("inner", instruments=["gc"], save=False) as inner:
            innermost = hotpath.capture_id()
        around = hotpath.capture_id()
    assert outer.capture is not None
    assert inner.capture is not None
    assert (innermost, around) == (inner.capture.id, outer.capture.id)
    assert hotpath.capture_id() is None


def test_a_thread_of_its_own_has_no_capture() -> None:
    found: list[str | None] = []
    with hotpath.profile(instruments=["gc"], save=False):
        thread = threading.Thread(target=lambda: found.append(hotpath.capture_id()))
        thread.start()
        thread.join()
    assert found == [None]


def test_captures_are_stored_unless_told_otherwise() -> None:
    with hotpath.profile("kept", instruments=["gc"]) as run:
        pass
    with hotpath.profile("dropped", instruments=["gc"], save=False):
        pass
    assert [item.id for item in stores.get_store().list().items] == [run.capture.id]  # type: ignore[union-attr]


def test_a_decorated_function_answers_as_before() -> None:
    run = hotpath.profile("nightly", instruments=["calls"], save=False)
    decorated = run(work)
    assert decorated(41) == 42
    assert decorated.__name__ == "work"
    assert run.capture is not None
    assert "work" in {row["function"] for row in run.capture.instruments["calls"]["functions"]}


def test_a_decorator_without_a_label_is_named_for_the_function() -> None:
    run = hotpath.profile(instruments=["gc"], save=False)
    run(work)()
    assert run.capture is not None
    assert run.capture.label == "tests.test_api.work"


async def test_a_decorated_coroutine_function_answers_as_before() -> None:
    run = hotpath.profile("task", instruments=["calls"], save=False)

    @run
    async def task(number: int) -> int:
        await asyncio.sleep(0)
        return work(number)

    assert await task(1) == 2
    assert run.capture is not None


async def test_a_cancelled_coroutine_is_cancelled_and_captured() -> None:
    run = hotpath.profile("task", instruments=["calls"], save=False)

    @run
    async def forever() -> None:
        await asyncio.sleep(3600)

    task = asyncio.create_task(forever())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert run.capture is not None


async def test_a_timeout_inside_works() -> None:
    run = hotpath.profile("task", instruments=["calls"], save=False)

    @run
    async def waits() -> str:
        try:
            async with asyncio.timeout(0.001):
                await asyncio.sleep(3600)
        except TimeoutError:
            return "timed out"
        return "slept"

    assert await waits() == "timed out"


async def test_a_block_inside_a_coroutine_says_what_it_cannot_do() -> None:
    with hotpath.profile("block", instruments=["calls"], save=False) as run:
        await asyncio.sleep(0)
    assert run.capture is not None
    assert any("cannot be paused" in text for text in run.capture.environment.warnings)


def test_an_exception_passes_and_the_capture_exists() -> None:
    with (
        pytest.raises(KeyError),
        hotpath.profile("fails", instruments=["calls"], save=False) as run,
    ):
        raise KeyError("theirs")
    assert run.capture is not None


def test_a_profile_inside_a_profile_has_its_own_queries() -> None:
    with hotpath.profile("outer", instruments=["queries"], save=False) as outer:
        with hotpath.profile("inner", instruments=["queries"], save=False) as inner:
            pass
        work()
    assert inner.capture is not None
    assert outer.capture is not None


def test_an_unknown_instrument_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="did you mean queries"):
        hotpath.profile("x", instruments=["querys"])


def test_one_object_can_be_entered_twice() -> None:
    run = hotpath.profile("x", instruments=["gc"], save=False)
    with run:
        with run:
            work()
        assert run.capture is not None
        inner = run.capture.id
    assert run.capture is not None
    assert run.capture.id != inner


def test_one_object_serves_several_threads() -> None:
    run = hotpath.profile("x", instruments=["queries"], save=False)
    barrier = threading.Barrier(2)
    failed: list[BaseException] = []

    def block() -> None:
        try:
            with run:
                barrier.wait(10)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=block) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.django_db
def test_what_an_inner_block_does_is_in_the_outer_too() -> None:
    with hotpath.profile("outer", instruments=["queries"], save=False) as outer:
        Group.objects.count()
        with hotpath.profile("inner", instruments=["queries"], save=False) as inner:
            Group.objects.count()
            Group.objects.count()
        Group.objects.count()
    assert count_of(inner) == 2
    assert count_of(outer) == 4


@pytest.mark.django_db
def test_blocks_that_overlap_without_nesting_see_their_own() -> None:
    first = hotpath.profile("first", instruments=["queries"], save=False)
    second = hotpath.profile("second", instruments=["queries"], save=False)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    Group.objects.count()
    second.__exit__(None, None, None)
    assert (count_of(first), count_of(second)) == (0, 1)
    assert current.get() is None


@pytest.mark.django_db
def test_a_recursive_function_counts_once_a_level() -> None:
    run = hotpath.profile("recursive", instruments=["queries"], save=False)

    @run
    def descend(depth: int) -> None:
        Group.objects.count()
        if depth:
            descend(depth - 1)

    descend(4)
    assert count_of(run) == 5


@pytest.mark.django_db
def test_a_generator_function_is_measured_between_its_yields_only() -> None:
    run = hotpath.profile("rows", instruments=["queries"], save=False)

    @run
    def rows() -> Iterator[int]:
        for _ in range(3):
            yield Group.objects.count()

    for _ in rows():
        Group.objects.count()
    assert count_of(run) == 3
    assert current.get() is None


def test_an_async_generator_function_is_refused_in_words() -> None:
    async def rows() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(TypeError, match="use a block inside it"):
        hotpath.profile("rows", instruments=["gc"], save=False)(rows)


def test_methods_of_every_kind_can_be_decorated() -> None:
    run = hotpath.profile(instruments=["gc"], save=False)

    class Thing:
        @run
        def plain(self) -> str:
            return "plain"

        @run
        @staticmethod
        def static() -> str:
            return "static"

        @run
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

    thing = Thing()
    assert (thing.plain(), thing.static(), thing.of_class()) == ("plain", "static", "Thing")
    assert run(functools.partial(work, 1))() == 2


async def test_a_function_that_gives_an_awaitable_is_awaited() -> None:
    def later() -> asyncio.Future[str]:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        future.set_result("done")
        return future

    decorated = hotpath.profile("later", instruments=["gc"], save=False)(
        markcoroutinefunction(later)
    )
    assert await decorated() == "done"


def count_of(run: hotpath.profile) -> int:
    assert run.capture is not None, run.refused
    count: int = run.capture.instruments["queries"]["count"]
    return count


def test_a_store_that_fails_does_not_reach_the_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(self: object, capture: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(MemoryStore, "save", full)
    with hotpath.profile("x", instruments=["gc"]) as run:
        pass
    assert run.capture is not None
    assert "disk full" in caplog.text


def test_the_package_imports_without_settings() -> None:
    import os
    import subprocess
    import sys

    environment = {key: value for key, value in os.environ.items() if "DJANGO" not in key}
    code = "import django_hotpath, sys; assert 'django' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
