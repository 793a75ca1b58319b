"""``allocations``: tracebacks, targets, whose tracing it is, and what a capture of it costs."""

from __future__ import annotations

import gc
import json
import linecache
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from django_hotpath import callsite, locks, profile, sources, trigger
from django_hotpath.instruments import allocation_groups
from django_hotpath.instruments.allocation_groups import group, plain_groups, raw_traces
from django_hotpath.instruments.base import Session
from django_hotpath.instruments.engines.tracemalloc import TracemallocAllocations
from django_hotpath.instruments.registry import Spec
from tests.recording import Run, recording

FILE = "tests/instruments/test_allocations.py"


@pytest.fixture(autouse=True)
def _not_tracing() -> Iterator[None]:
    yield
    left_on = tracemalloc.is_tracing()
    tracemalloc.stop()
    assert not left_on


def warnings(run: Run) -> str:
    return "\n".join(run.capture.environment.warnings)


def allocate() -> list[bytes]:
    return [bytes(1000) for _ in range(500)]


def first_caller() -> list[bytes]:
    return allocate()


def second_caller() -> list[bytes]:
    return allocate()


class TestTracebacks:
    def test_one_frame_gives_none(self) -> None:
        with recording("allocations") as run:
            kept = first_caller()
        assert (run["allocations"]["nframe"], run["allocations"]["by_traceback"]) == (1, [])
        assert kept

    def test_callers_are_told_apart(self) -> None:
        with recording("allocations:10") as run:
            kept = [first_caller(), second_caller(), second_caller()]
        first = first_caller.__code__.co_firstlineno + 1
        second = second_caller.__code__.co_firstlineno + 1
        counts = {first: 0, second: 0}
        for row in run["allocations"]["by_traceback"]:
            lines = {frame["line"] for frame in row["frames"] if frame["file"] == FILE}
            if row["size"] > 400_000:
                for caller in lines & counts.keys():
                    counts[caller] += row["count"]
        assert 500 <= counts[first] < 600
        assert 1_000 <= counts[second] < 1_100
        assert len(kept) == 3

    def test_the_allocating_line_comes_last(self) -> None:
        with recording("allocations:5") as run:
            kept = first_caller()
        frames = run["allocations"]["by_traceback"][0]["frames"]
        assert frames[-1]["line"] == allocate.__code__.co_firstlineno + 1
        assert {frame["file"] for frame in frames[-3:]} == {FILE}
        assert len(frames) == 5
        assert kept

    def test_lines_and_files_are_those_of_one_frame(self) -> None:
        with recording("allocations") as one:
            kept = [first_caller(), second_caller()]
        with recording("allocations:10") as ten:
            again = [first_caller(), second_caller()]
        line = allocate.__code__.co_firstlineno + 1
        for found in (one, ten):
            row = found["allocations"]["by_line"][0]
            assert (row["file"], row["line"]) == (FILE, line)
        sizes = [found["allocations"]["by_line"][0]["size"] for found in (one, ten)]
        assert sizes[0] == sizes[1]
        assert kept == again


class TestTarget:
    @pytest.mark.parametrize("target", ["1", "25", "collect", "10:collect", "collect:10"])
    def test_frames_and_the_collector_can_be_asked_for(self, target: str) -> None:
        assert trigger.parse(f"allocations:{target}") == (Spec("allocations", None, target),)

    @pytest.mark.parametrize(
        "target", ["0", "26", "-1", "x", "", "1:2", "collect:collect", "٣", "9" * 400, "²"]
    )
    def test_anything_else_is_refused(self, target: str) -> None:
        with pytest.raises(trigger.TriggerError, match="allocations"):
            trigger.parse(f"allocations:{target}")

    def test_garbage_is_kept_unless_it_is_to_be_collected(self) -> None:
        def make() -> None:
            cycle: list[Any] = [bytes(2_000_000)]
            cycle.append(cycle)

        gc.disable()
        try:
            with recording("allocations") as run:
                make()
            with recording("allocations:collect") as collected:
                make()
        finally:
            gc.enable()
        assert run["allocations"]["total_size"] > 2_000_000
        assert run["allocations"]["garbage"] is None
        assert collected["allocations"]["total_size"] < 1_000_000
        assert collected["allocations"]["garbage"] >= 1


class TestWhoseTracing:
    def test_an_application_that_starts_it_again_changes_nothing(self) -> None:
        with recording("allocations") as run:
            tracemalloc.start(5)
            kept = bytes(2_000_000)
        assert run["allocations"]["by_line"][0]["size"] >= len(kept)
        assert not run["allocations"]["foreign"]
        assert not tracemalloc.is_tracing()

    def test_one_that_stops_and_starts_it_keeps_its_own(self) -> None:
        with recording("allocations") as run:
            tracemalloc.stop()
            tracemalloc.start(3)
        assert tracemalloc.is_tracing()
        assert tracemalloc.get_traceback_limit() == 3
        tracemalloc.stop()
        assert "left on" in warnings(run)
        assert (run["allocations"]["foreign"], run["allocations"]["by_line"]) == (True, [])

    def test_one_that_stops_it_is_named(self) -> None:
        with recording("allocations") as run:
            tracemalloc.stop()
        assert "the application stopped tracemalloc" in warnings(run)
        assert run["allocations"]["by_line"] == []

    def test_it_stops_when_the_work_raises(self) -> None:
        with pytest.raises(KeyError), recording("allocations"):
            raise KeyError("theirs")
        assert not tracemalloc.is_tracing()

    def test_it_stops_when_the_snapshot_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*args: Any) -> Any:
            raise MemoryError("no room")

        with recording("gc", "allocations") as run:
            monkeypatch.setattr(tracemalloc, "take_snapshot", fail)
        assert not tracemalloc.is_tracing()
        assert "allocations failed: MemoryError" in warnings(run)

    def test_a_second_capture_meanwhile_is_refused_and_the_first_goes_on(self) -> None:
        found: list[str | None] = []

        def second() -> None:
            with profile("second", instruments=["allocations"], save=False) as run:
                pass
            found.append(run.refused)

        with recording("allocations") as run:
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
            kept = bytes(2_000_000)
        assert found == ["allocations (tracemalloc): another capture is using it just now"]
        assert run["allocations"]["by_line"][0]["size"] >= len(kept)
        assert locks.acquire("tracemalloc")
        locks.release("tracemalloc")

    def test_a_foreign_trace_is_not_compared_at_any_depth(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A snapshot of a traced heap takes seconds."""
        monkeypatch.setattr(tracemalloc, "take_snapshot", lambda: pytest.fail("compared"))
        tracemalloc.start()
        with recording("allocations:10:collect") as run:
            pass
        assert tracemalloc.is_tracing()
        tracemalloc.stop()
        assert run["allocations"]["foreign"]


class TestGroups:
    @pytest.mark.parametrize("nframe", [1, 7])
    def test_they_are_what_tracemalloc_itself_counts(self, nframe: int) -> None:
        tracemalloc.start(nframe)
        kept = [first_caller(), json.loads(json.dumps([{"a": str(n)} for n in range(500)]))]
        snapshot = tracemalloc.take_snapshot()
        tracemalloc.stop()
        theirs = {
            tuple((frame.filename, frame.lineno) for frame in reversed(found.traceback)): [
                found.size,
                found.count,
            ]
            for found in snapshot.statistics("traceback")
        }
        assert group(raw_traces(snapshot)) == theirs
        assert kept

    def test_they_are_the_same_from_the_public_traces(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Should tracemalloc hide its own."""
        tracemalloc.start(3)
        kept = first_caller()
        snapshot = tracemalloc.take_snapshot()
        tracemalloc.stop()
        expected = group(raw_traces(snapshot))

        class Public:
            def __init__(self, traces: Any) -> None:
                self.all = list(traces)

            def __iter__(self) -> Iterator[Any]:
                return iter(self.all)

        snapshot.traces = Public(snapshot.traces)  # type: ignore[assignment]
        assert group(raw_traces(snapshot)) == expected
        assert kept

    def test_what_tools_allocate_is_summed_apart(self) -> None:
        ours = callsite.__file__
        found = plain_groups(
            {
                ((ours, 10),): [100, 1],
                ((json.__file__, 1), (ours, 10)): [1_000, 1],
                ((json.__file__, 1), (__file__, 10), (ours, 10)): [10_000, 1],
                ((__file__, 12),): [5, 1],
            }
        )
        assert found["tools_size"] == 1_100
        assert found["total_size"] == 10_005
        assert [row["size"] for row in found["by_file"]] == [10_000, 5]

    def test_rows_are_bounded_and_totals_are_not(self) -> None:
        found = plain_groups({((__file__, n), (__file__, 1)): [n, 1] for n in range(1, 501)})
        assert len(found["by_line"]) == allocation_groups.MAX_ROWS
        assert len(found["by_traceback"]) == allocation_groups.MAX_TRACEBACKS
        assert found["by_line"][0]["size"] == 500
        assert (found["total_size"], found["total_count"]) == (sum(range(501)), 500)


class TestSources:
    @pytest.fixture(autouse=True)
    def _nothing_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "_kept", {})

    def test_each_line_is_given_in_order(self) -> None:
        first = allocate.__code__.co_firstlineno
        assert sources.source_lines([(__file__, first + 1), (__file__, first)]) == [
            "return [bytes(1000) for _ in range(500)]",
            "def allocate() -> list[bytes]:",
        ]

    def test_a_file_is_read_once_and_not_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        linecache.clearcache()
        lines = [(__file__, number) for number in range(1, 50)]
        first = sources.source_lines(lines)
        monkeypatch.setattr(sources, "_read", lambda file, wanted: pytest.fail("read again"))
        assert sources.source_lines(lines) == first
        assert __file__ not in linecache.cache

    @pytest.mark.parametrize("file", ["<string>", "<frozen importlib>", "/no/such", "\0", __file__])
    def test_what_is_not_there_is_empty(self, file: str) -> None:
        assert sources.source_lines([(file, 99_999)]) == [""]

    def test_what_is_kept_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sources, "_MAX_KEPT", 10)
        for number in range(1, 100):
            sources.source_lines([(__file__, number), (__file__, number + 1)])
        assert len(sources._kept) <= 10


class TestForComparingRuns:
    def test_blocks_that_stay_are_counted(self) -> None:
        with recording("allocations:collect") as run:
            kept = [object() for _ in range(10_000)]
        found = run["allocations"]
        assert 10_000 <= found["blocks_after"] - found["blocks_before"] < 11_000
        assert len(kept) == 10_000

    def test_modules_that_were_loaded_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "this", raising=False)
        with recording("allocations") as run:
            __import__("wave")
            monkeypatch.setitem(sys.modules, "a_module_of_this_test", sys)
        assert run["allocations"]["modules_loaded"] >= 1

    def test_none_loaded_is_none(self) -> None:
        with recording("allocations") as run:
            pass
        assert run["allocations"]["modules_loaded"] == 0


def test_the_first_snapshot_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracing has just begun: there is nothing to compare with."""
    taken = []
    take = tracemalloc.take_snapshot
    monkeypatch.setattr(tracemalloc, "take_snapshot", lambda: taken.append(1) or take())
    instrument = TracemallocAllocations(Session())
    instrument.start()
    assert taken == []
    instrument.stop()
    assert taken == [1]
