from __future__ import annotations

import asyncio
import cProfile
import sys
import threading
from typing import Any

import pytest

from django_hotpath import api
from tests.recording import Run, recording


def leaf(number: int) -> int:
    return number + 1


def loop(times: int) -> int:
    return sum([leaf(number) for number in range(times)])


def fibonacci(number: int) -> int:
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def row(run: Run, name: str) -> dict[str, Any]:
    (found,) = [found for found in run["calls"]["functions"] if found["function"] == name]
    return found


def test_calls_are_exact() -> None:
    with recording("cprofile") as run:
        loop(50)
    assert row(run, "leaf")["calls"] == 50
    assert row(run, "loop")["calls"] == 1


def test_recursion_is_told_apart() -> None:
    with recording("cprofile") as run:
        fibonacci(6)
    assert (row(run, "fibonacci")["calls"], row(run, "fibonacci")["primitive_calls"]) == (25, 1)


def test_own_times_sum_to_the_total() -> None:
    with recording("cprofile") as run:
        loop(50)
        fibonacci(8)
    own = sum(found["own_ms"] for found in run["calls"]["functions"])
    assert own == pytest.approx(run["calls"]["total_ms"], abs=0.01)


def test_functions_are_named_with_file_and_package() -> None:
    with recording("cprofile") as run:
        loop(1)
    found = row(run, "leaf")
    assert (found["file"], found["kind"], found["package"]) == (
        "tests/instruments/test_calls_cprofile.py",
        "project",
        "tests",
    )


def test_edges_give_callers_and_callees() -> None:
    with recording("cprofile") as run:
        loop(50)
    functions = run["calls"]["functions"]
    edges = {
        (functions[caller]["function"], functions[callee]["function"]): calls
        for caller, callee, calls, *_ in run["calls"]["edges"]
    }
    into_leaf = {caller: calls for (caller, callee), calls in edges.items() if callee == "leaf"}
    assert sum(into_leaf.values()) == 50


def test_our_own_functions_are_one_row() -> None:
    with recording("calls", "queries") as run:
        loop(1)
    kinds = [found for found in run["calls"]["functions"] if found["kind"] == "hotpath"]
    assert [found["function"] for found in kinds] in ([], ["profiling tools"])
    assert "django_hotpath/" not in str([found["file"] for found in run["calls"]["functions"]])


def test_a_busy_profiler_is_a_reason_and_the_work_runs() -> None:
    theirs = cProfile.Profile()
    theirs.enable()
    try:
        with api.profile("busy", instruments=["cprofile"], save=False) as run:
            result = loop(3)
    finally:
        theirs.disable()
    assert result == 6
    assert run.capture is None
    assert "another profiler is active" in (run.refused or "")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="cProfile is of one thread before 3.12")
def test_two_captures_at_once_are_refused_in_words() -> None:
    with (
        recording("cprofile"),
        api.profile("second", instruments=["cprofile"], save=False) as second,
    ):
        pass
    assert "another capture is using it" in (second.refused or "")


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="cProfile is of all threads since 3.12")
def test_a_profiler_that_takes_over_is_named() -> None:
    theirs = cProfile.Profile()
    with recording("cprofile") as run:
        theirs.enable()
        loop(3)
    theirs.disable()
    assert any("took over" in warning for warning in run.capture.environment.warnings)


def test_the_slot_is_free_afterwards() -> None:
    for _ in range(3):
        with recording("cprofile"):
            loop(1)
    profiler = cProfile.Profile()
    profiler.enable()
    profiler.disable()


def test_the_slot_is_free_after_an_exception() -> None:
    with pytest.raises(ZeroDivisionError), recording("cprofile"):
        _ = 1 / 0
    with recording("cprofile") as run:
        loop(2)
    assert row(run, "leaf")["calls"] == 2


async def test_other_tasks_are_not_measured() -> None:
    stop = asyncio.Event()

    async def other() -> None:
        while not stop.is_set():
            fibonacci(5)
            await asyncio.sleep(0)

    run = api.profile("mine", instruments=["cprofile"], save=False)

    @run
    async def mine() -> None:
        for _ in range(20):
            leaf(1)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await mine()
    stop.set()
    await task
    assert run.capture is not None
    names = {found["function"]: found for found in run.capture.instruments["calls"]["functions"]}
    assert "fibonacci" not in names
    assert names["leaf"]["calls"] == 20


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="cProfile sees all threads since 3.12")
def test_other_threads_are_not_measured() -> None:
    stop = threading.Event()

    def other() -> None:
        while not stop.is_set():
            fibonacci(5)

    thread = threading.Thread(target=other)
    thread.start()
    with recording("cprofile") as run:
        loop(2000)
    stop.set()
    thread.join()
    assert "fibonacci" not in {found["function"] for found in run["calls"]["functions"]}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="cProfile is of one thread before 3.12")
def test_a_thread_that_runs_meanwhile_is_named() -> None:
    stop = threading.Event()

    def other() -> None:
        while not stop.is_set():
            fibonacci(5)

    thread = threading.Thread(target=other, name="the-busy-one")
    thread.start()
    with recording("cprofile") as run:
        loop(100_000)
    stop.set()
    thread.join()
    assert any("the-busy-one" in warning for warning in run.capture.environment.warnings)


def test_a_thread_that_waits_is_not_named() -> None:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="the-idle-one")
    thread.start()
    with recording("cprofile") as run:
        loop(100)
    stop.set()
    thread.join()
    assert not any("the-idle-one" in warning for warning in run.capture.environment.warnings)
