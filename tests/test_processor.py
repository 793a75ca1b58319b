"""What a capture says of the processors, beside the CPU time of its own thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

import django_hotpath as hotpath
from django_hotpath import processor
from django_hotpath.capture import Timing


def compute(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        sum(range(1_000))


def timing_of(work: Any) -> Timing:
    with hotpath.profile(instruments=["memory"], save=False) as run:
        work()
    assert run.capture is not None
    return run.capture.timing


def in_a_thread() -> None:
    thread = threading.Thread(target=compute, args=[0.05])
    thread.start()
    thread.join()


def test_threads_count_for_the_process_alone() -> None:
    timing = timing_of(in_a_thread)
    assert timing.process_cpu_ms is not None
    assert timing.cpu_ms is not None
    assert timing.process_cpu_ms >= 50
    assert timing.process_cpu_ms - timing.cpu_ms >= 40


def test_sleeping_is_neither_computing_nor_queuing() -> None:
    timing = timing_of(lambda: time.sleep(0.2))
    assert timing.process_cpu_ms is not None
    assert timing.process_cpu_ms < 150


def test_not_measured_of_work_that_was_suspended() -> None:
    async def work() -> None:
        await asyncio.sleep(0.001)

    decorated = hotpath.profile(instruments=["memory"], save=False)
    asyncio.run(decorated(work)())
    assert decorated.capture is not None
    timing = decorated.capture.timing
    assert (timing.process_cpu_ms, timing.queued_ms) == (None, None)


def test_where_the_system_does_not_tell_of_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise FileNotFoundError

    monkeypatch.setattr(processor, "open", refuse, raising=False)
    assert processor.queued_ns() is None
    timing = timing_of(lambda: None)
    assert timing.queued_ms is None
    assert timing.process_cpu_ms is not None
