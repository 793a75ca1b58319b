"""tracemalloc is switched off beside threads that allocate without the GIL."""

from __future__ import annotations

import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from django_hotpath.instruments.engines import tracemalloc_switch

# A process of its own: where Python has the fault, tracemalloc.stop() ends it within seconds.
INFLATING = """
import os, threading, time, zlib

from django_hotpath.instruments.engines import tracemalloc_switch

data = zlib.compress(os.urandom(200) * 500)
done = False


def inflate():
    while not done:
        zlib.decompress(data)


def compute():
    while not done:
        sum(range(1000))


threads = [threading.Thread(target=work) for work in [inflate] * 8 + [compute] * 2]
for thread in threads:
    thread.start()
for _ in range(25):
    tracemalloc_switch.start(1)
    sum(range(20_000))
    time.sleep(0.004)
    tracemalloc_switch.stop()
done = True
for thread in threads:
    thread.join()
"""


@pytest.fixture(autouse=True)
def _as_where_it_crashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracemalloc_switch, "CRASHES", True)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, bytes]]:
    """For each wait whether tracemalloc was tracing still, and what allocated without the GIL."""
    found: list[tuple[bool, bytes]] = []

    def sleep(seconds: float) -> None:
        found.append((tracemalloc.is_tracing(), tracemalloc_switch._allocator()))

    monkeypatch.setattr(tracemalloc_switch.time, "sleep", sleep)
    return found


@contextmanager
def another_thread() -> Iterator[None]:
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_threads_that_inflate_survive() -> None:
    subprocess.run([sys.executable, "-c", INFLATING], check=True)


def test_the_hook_is_out_before_tracemalloc_is_off(slept: list[tuple[bool, bytes]]) -> None:
    before = tracemalloc_switch._allocator()
    with another_thread():
        tracemalloc_switch.start(1)
        assert tracemalloc_switch._allocator() != before
        tracemalloc_switch.stop()
    assert slept == [(True, before)]
    assert (tracemalloc.is_tracing(), tracemalloc_switch._allocator()) == (False, before)


def test_nobody_is_waited_for_where_there_is_one_thread(
    slept: list[tuple[bool, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Threads of other tests may live.
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    tracemalloc_switch.start(1)
    tracemalloc_switch.stop()
    assert slept == []


@pytest.mark.parametrize("change", ["hooked", "restarted"])
def test_a_hook_that_is_not_ours_stays(
    slept: list[tuple[bool, bytes]], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    used: list[bytes] = []
    use: Callable[[bytes], None] = used.append
    monkeypatch.setattr(tracemalloc_switch, "_use", use)
    tracemalloc_switch.start(1)
    monkeypatch.setattr(tracemalloc_switch, "_on", b"other" if change == "hooked" else b"")
    tracemalloc_switch.stop()
    assert (used, slept) == ([], [])
    assert not tracemalloc.is_tracing()
