"""The C tracer: how one begins, pauses and ends, rightly or not."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Iterator

import pytest

from django_hotpath.instruments.engines import native_events
from tests.instruments.tracing import (
    Suspend,
    calls_of,
    events,
    in_a_context,
    in_a_thread,
    leaf,
    living,
    name_of,
    needs_the_tracer,
    new,
    traced,
)


@pytest.fixture(autouse=True)
def _extension() -> Iterator[None]:
    needs_the_tracer()
    yield
    assert not native_events._users


class TestLife:
    @pytest.mark.parametrize("limit", [0, -1, 2**31, 2**62])
    def test_a_limit_out_of_range_is_refused(self, limit: int) -> None:
        with pytest.raises(ValueError, match="out of range"):
            new(limit)

    def test_it_starts_once_and_gives_its_result_once(self) -> None:
        tracer = new()
        for method in (tracer.pause, tracer.resume, tracer.stop):
            method()
        with pytest.raises(RuntimeError, match="after it has stopped"):
            tracer.result()
        tracer.start()
        with pytest.raises(RuntimeError, match="once"):
            tracer.start()
        tracer.stop()
        tracer.result()
        for method in (tracer.pause, tracer.resume, tracer.stop):
            method()
        for method in (tracer.result, tracer.start):
            with pytest.raises(RuntimeError):
                method()

    def test_stopped_within_its_own_calls_it_records_no_more(self) -> None:
        tracer = new(builtins=True)

        def down(depth: int) -> None:
            if depth:
                down(depth - 1)
            tracer.stop()
            leaf()

        with events(builtins=True):
            tracer.start()
            down(30)
        result = tracer.result()
        assert calls_of(result)["down"] == 31
        assert calls_of(result)["leaf"] == 0

    def test_one_that_is_never_stopped_goes_with_its_context(self) -> None:
        before = living()
        with events(builtins=True):
            in_a_context(lambda: new(builtins=True).start())
            leaf()
        assert living() == before

    def test_those_stopped_elsewhere_do_not_pile_up_in_a_context(self) -> None:
        before = living()

        def piled() -> int:
            for _ in range(50):
                tracer = new()
                tracer.start()
                in_a_context(tracer.stop)
                tracer.result()
            return living()

        assert in_a_context(piled) <= before + 2

    def test_a_long_chain_of_nested_ones_is_let_go(self) -> None:
        before = living()

        def nested() -> None:
            for _ in range(50_000):
                new(1).start()

        in_a_context(nested)
        assert living() == before

    def test_one_dropped_while_it_waits_below_another_is_collected(self) -> None:
        before = living()

        def dropped() -> None:
            outer, inner = new(), new()
            outer.start()
            inner.start()
            outer.pause()

        in_a_context(dropped)
        assert living() == before


class TestPauses:
    def test_one_started_inside_the_work_comes_back_with_it(self) -> None:
        outer, inner = new(), new()

        async def work() -> None:
            inner.start()
            for _ in range(5):
                leaf()
                await Suspend()
            inner.stop()

        def foreign() -> None:
            leaf()

        with events():
            outer.start()
            coroutine = work()
            for _ in range(5):
                coroutine.send(None)
                outer.pause()
                foreign()
                outer.resume()
            with pytest.raises(StopIteration):
                coroutine.send(None)
            outer.stop()
        for result in (outer.result(), inner.result()):
            assert calls_of(result)["leaf"] == 5
            assert calls_of(result)["foreign"] == 0
            assert result["mismatches"] == 0

    def test_a_pause_of_a_block_that_awaits_counts_once(self) -> None:
        tracer = new()

        async def block() -> None:
            tracer.start()
            await Suspend()
            tracer.resume()
            tracer.stop()

        with events():
            began = time.perf_counter_ns()
            coroutine = block()
            coroutine.send(None)
            tracer.pause()
            tracer.pause()
            with pytest.raises(StopIteration):
                coroutine.send(None)
            passed = time.perf_counter_ns() - began
        result = tracer.result()
        assert 0 < sum(result["wait_ns"]) <= passed

    def test_what_a_guest_runs_as_the_owner_is_not_the_guests_time_too(self) -> None:
        tracer = new()

        def guest() -> None:
            tracer.resume()
            time.sleep(0.02)
            tracer.pause()

        with events():
            tracer.start()
            inherited = contextvars.copy_context()
            tracer.pause()
            in_a_thread(inherited.run, guest)
            tracer.stop()
        result = tracer.result()
        (node,) = [n for n in range(1, len(result["parent"])) if name_of(result, n) == "guest"]
        assert result["own_ns"][0] >= 20_000_000
        assert result["own_ns"][node] < result["own_ns"][0]

    def test_a_tree_that_is_full_counts_no_waiting_that_was_not(self) -> None:
        async def waits() -> None:
            await Suspend()

        def work() -> None:
            for _ in range(20):
                coroutine = waits()
                coroutine.send(None)
                with pytest.raises(StopIteration):
                    coroutine.send(None)

        result = traced(work, max_nodes=1)
        assert len(result["parent"]) == 2
        assert result["lost"] > 20
        assert result["wait_ns"] == [0, 0]
