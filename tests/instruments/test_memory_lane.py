"""``allocations``, ``memory`` and ``gc``."""

from __future__ import annotations

import gc
import tracemalloc

from django_hotpath.instruments.base import Instrument
from tests.recording import recording

FILE = "tests/instruments/test_memory_lane.py"


def test_what_is_kept_is_found_by_line() -> None:
    with recording("allocations") as run:
        kept = [bytes(1000) for _ in range(1000)]
    found = run["allocations"]["by_line"][0]
    assert (found["file"], found["kind"]) == (FILE, "project")
    assert found["source"] == "kept = [bytes(1000) for _ in range(1000)]"
    assert found["size"] > 1_000_000
    assert found["count"] >= 1000
    assert len(kept) == 1000


def test_what_is_freed_is_only_in_the_peak() -> None:
    with recording("allocations") as run:
        bytes(5_000_000)
    assert run["allocations"]["traced_peak"] > 5_000_000
    assert run["allocations"]["total_size"] < 1_000_000


def test_files_sum_their_lines() -> None:
    with recording("allocations") as run:
        kept = [bytes(1000) for _ in range(100)]
        more = [bytes(1000) for _ in range(100)]
    found = {row["file"]: row["size"] for row in run["allocations"]["by_file"]}
    lines = sum(row["size"] for row in run["allocations"]["by_line"] if row["file"] == FILE)
    assert found[FILE] == lines
    assert kept == more


def test_tracing_is_off_afterwards() -> None:
    with recording("allocations"):
        assert tracemalloc.is_tracing()
    assert not tracemalloc.is_tracing()


def test_a_trace_of_the_user_is_not_stopped_and_not_compared() -> None:
    tracemalloc.start(3)
    try:
        with recording("allocations") as run:
            kept = bytes(1_000_000)
        assert tracemalloc.is_tracing()
        assert tracemalloc.get_traceback_limit() == 3
    finally:
        tracemalloc.stop()
    assert run["allocations"]["foreign"] is True
    assert run["allocations"]["by_line"] == []
    assert run["allocations"]["nframe"] == 3
    grown = run["allocations"]["traced_after"] - run["allocations"]["traced_before"]
    assert grown > 1_000_000
    assert any("already tracing" in warning for warning in run.capture.environment.warnings)
    assert len(kept) == 1_000_000


def test_an_application_that_stops_tracing_is_named() -> None:
    with recording("allocations") as run:
        tracemalloc.stop()
    assert any("stopped tracemalloc" in warning for warning in run.capture.environment.warnings)


def test_calls_beside_allocations_are_labelled_inflated() -> None:
    with recording("calls", "allocations") as run:
        pass
    assert any("times are inflated" in warning for warning in run.capture.environment.warnings)


def test_calls_alone_are_not() -> None:
    with recording("calls") as run:
        pass
    assert not any("inflated" in warning for warning in run.capture.environment.warnings)


def test_memory_of_the_process() -> None:
    with recording("memory") as run:
        kept = [object() for _ in range(10_000)]
    assert run["memory"]["blocks_after"] - run["memory"]["blocks_before"] >= 10_000
    assert run["memory"]["rss_before"] > 1_000_000
    assert len(kept) == 10_000


def test_a_new_peak_is_a_peak() -> None:
    with recording("memory") as run:
        bytearray(300_000_000)[::4096] = b"x" * len(range(0, 300_000_000, 4096))
    memory = run["memory"]
    assert memory["rss_peak"] is None or memory["rss_peak"] > memory["rss_before"]
    assert memory["rss_high_water"] >= memory["rss_after"]


def test_collections_are_counted_with_what_they_free() -> None:
    gc.disable()
    try:
        with recording("gc") as run:
            for _ in range(10):
                cycle: list[object] = []
                cycle.append(cycle)
            del cycle
            gc.collect()
    finally:
        gc.enable()
    assert run["gc"]["count"] == 1
    assert run["gc"]["collected"] >= 10
    assert run["gc"]["pauses"][0]["generation"] == 2


def test_the_collector_is_left_as_it_was() -> None:
    before = list(gc.callbacks)
    with recording("gc"):
        pass
    assert gc.callbacks == before


def test_every_instrument_says_what_it_is() -> None:
    from django_hotpath.instruments import registry

    for name in registry.names():
        for cls in registry.engines(name):
            assert issubclass(cls, Instrument)
            assert cls.name == name
            assert cls.measures.endswith(".")
            assert cls.cost
            assert cls.disturbed_by.endswith(".")
