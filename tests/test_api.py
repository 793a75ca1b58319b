from __future__ import annotations

import asyncio

import pytest

import django_hotpath as hotpath
from django_hotpath import stores
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


def test_one_object_is_not_entered_twice_at_once() -> None:
    run = hotpath.profile("x", instruments=["gc"], save=False)
    with run, pytest.raises(RuntimeError, match="already running"):
        run.__enter__()


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
