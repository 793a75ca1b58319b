"""Single calls as plain data: which are there, in which order, and what is said of the others."""

from __future__ import annotations

import asyncio
import random
from array import array
from collections import Counter
from typing import Any

import pytest

from django_hotpath import profile
from django_hotpath.instruments import spans
from django_hotpath.instruments.calls import TOOLS
from django_hotpath.instruments.engines import native_events
from django_hotpath.instruments.named_frames import named
from tests.instruments import random_programs
from tests.recording import recording
from tests.require import require

US = 1_000


def plain(
    *found: tuple[int, int, int, int], place: Any = range(100), least: int = 0, begun: int = 0
) -> dict[str, Any]:
    """Spans are (node, start, duration, lane), times in nanoseconds."""
    names = ("span_node", "span_start_ns", "span_ns", "span_lane")
    columns = zip(*found, strict=True) if found else [()] * 4
    data: dict[str, Any] = {
        name: array("q", column).tobytes() for name, column in zip(names, columns, strict=True)
    }
    return spans.plain_spans(data | {"least_ns": least, "begun_ns": begun}, place, 0)


def test_they_are_in_the_order_of_their_start() -> None:
    found = plain((3, 9 * US, 5 * US, 0), (2, 4 * US, 5 * US, 0))
    assert found["node"] == [2, 3]
    assert found["start_ms"] == [0.004, 0.009]
    assert found["duration_ms"] == [0.005, 0.005]


def test_a_caller_is_before_what_it_called_at_once() -> None:
    found = plain((2, 4 * US, 5 * US, 0), (1, 4 * US, 5 * US, 0), (3, 4 * US, 2 * US, 0))
    assert found["node"] == [1, 2, 3]


def test_they_start_where_the_capture_does() -> None:
    assert plain((1, 4 * US, 5 * US, 0), begun=7 * US)["start_ms"] == [0.011]


def test_rounding_never_moves_an_end_past_that_of_the_caller() -> None:
    rng = random.Random(1)
    for _ in range(1_000):
        start, length = rng.randrange(10**7), rng.randrange(10**5)
        before = rng.randrange(length + 1)
        inside = rng.randrange(length - before + 1)
        found = plain((2, start + before, inside, 0), (1, start, length, 0))
        (outer, inner) = (
            (round(begin * 1_000), round(begin * 1_000) + round(took * 1_000))
            for begin, took in zip(found["start_ms"], found["duration_ms"], strict=True)
        )
        assert outer[0] <= inner[0] <= inner[1] <= outer[1]


def test_what_stands_for_something_else_in_the_tree_is_only_counted() -> None:
    found = plain((1, 0, 9 * US, 0), (2, 0, 8 * US, 0), place=[0, -1, 1])
    assert (found["node"], found["omitted"]) == ([1], 1)


def test_lanes_are_numbered_as_they_appear_and_the_works_own_is_0() -> None:
    found = plain((1, 0, 9 * US, 7), (1, US, 9 * US, 4), (1, 2 * US, 9 * US, 0), (1, 0, 0, 5))
    assert found["lane"] == [1, 2, 3, 0] or found["lane"] == [1, 2, 0, 3]


def test_without_any_it_says_what_would_have_been_there() -> None:
    found = plain(least=18_900)
    assert found == {
        "node": [],
        "start_ms": [],
        "duration_ms": [],
        "lane": [],
        "least_ms": 0.02,
        "omitted": 0,
    }


def test_no_call_of_the_least_is_missing_for_being_rounded() -> None:
    found = plain((1, 999, 18_950, 0), (1, 50_001, 20_998, 0), least=18_900)
    assert all(took >= found["least_ms"] for took in found["duration_ms"])
    assert len(found["node"]) == 1


def test_of_too_many_the_longest_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "MAX_SPANS", 3)
    took = [5, 1, 4, 2, 3, 9, 3]
    found = plain(*((1, place * 10 * US, each * US, 0) for place, each in enumerate(took)))
    assert found["duration_ms"] == [0.005, 0.004, 0.009]
    assert found["least_ms"] == 0.004


def test_of_too_many_alike_none_is_there_rather_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "MAX_SPANS", 3)
    found = plain(*((1, place * 10 * US, 5 * US, 0) for place in range(5)))
    assert (found["node"], found["least_ms"]) == ([], 0.006)


@pytest.fixture
def every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = native_events.unavailable()
    require(reason is None, f"needs the compiled tracer, which {reason}")
    new_tracer = native_events.new_tracer
    monkeypatch.setattr(
        native_events,
        "new_tracer",
        lambda nodes, builtins: new_tracer(nodes, builtins, least_ns=0),
    )


@pytest.mark.usefixtures("every_call")
class TestCaptures:
    def test_calls_of_a_random_program_have_no_more_time_than_their_nodes(self) -> None:
        for seed in range(50):
            rng = random.Random(seed)
            program = random_programs.make(rng, 30)
            with recording("native") as run:
                random_programs.execute(program)
            tree, found = run["calls"]["tree"], run["calls"]["spans"]
            time: Counter[int] = Counter()
            counts: Counter[int] = Counter()
            for node, took in zip(found["node"], found["duration_ms"], strict=True):
                time[node] += round(took * US)
                counts[node] += 1
            for node, total in enumerate(tree["total_ms"]):
                assert time[node] <= total * US + counts[node] + 1
                assert not tree["calls"][node] or counts[node] or _is_tool(run, node)

    def test_each_lies_in_that_of_its_caller(self) -> None:
        with recording("native") as run:
            random_programs.execute(random_programs.make(random.Random(1), 30))
        tree, found = run["calls"]["tree"], run["calls"]["spans"]
        around: list[tuple[int, float]] = []
        for node, start, took in zip(
            found["node"], found["start_ms"], found["duration_ms"], strict=True
        ):
            end = round(start + took, 3)
            around = [(other, ends) for other, ends in around if ends >= start]
            parent = tree["parent"][node]
            assert parent == 0 or any(o == parent and ends >= end for o, ends in around)
            around.append((node, end))

    def test_frames_of_tools_have_none_and_are_counted(self) -> None:
        with recording("native") as run, recording("gc"):
            random_programs.execute([])
        found = run["calls"]["spans"]
        assert found["omitted"] > 0
        assert not any(_is_tool(run, node) for node in found["node"])

    def test_they_lie_within_the_capture(self) -> None:
        with recording("native") as run:
            random_programs.execute(random_programs.make(random.Random(2), 30))
        found, names = run["calls"]["spans"], run["calls"]["functions"]
        ends = [
            start + took
            for node, start, took in zip(
                found["node"], found["start_ms"], found["duration_ms"], strict=True
            )
            if names[run["calls"]["tree"]["frame"][node]]["function"] == "execute"
        ]
        # What leaves the block runs longer.
        assert 0 <= min(found["start_ms"]) < max(ends) <= run.capture.timing.wall_ms + 0.001

    def test_a_named_frame_has_them_like_a_function(self) -> None:
        run_statement = named("sql", "SELECT of this test")
        with recording("native") as run:
            for _ in range(3):
                run_statement(random_programs.execute, [])
        assert _names(run["calls"]).count("SELECT of this test") == 3

    def test_tasks_beside_an_async_view_are_in_lanes_of_their_own(self) -> None:
        async def fetch() -> None:
            await asyncio.sleep(0)

        async def view() -> None:
            await asyncio.gather(fetch(), fetch())

        run = profile("view", instruments=["native"], save=False)
        asyncio.run(run(view)())
        assert run.capture is not None
        calls = run.capture.instruments["calls"]
        lanes: dict[str, set[int]] = {}
        for name, lane in zip(_names(calls), calls["spans"]["lane"], strict=True):
            lanes.setdefault(name.rpartition(".")[2], set()).add(lane)
        assert (lanes["view"], lanes["fetch"]) == ({0}, {1, 2})

    def test_a_smaller_tree_has_those_of_its_nodes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django_hotpath.instruments.tree.MAX_NODES", 5)
        with recording("native") as run:
            random_programs.execute(random_programs.make(random.Random(3), 30))
        found = run["calls"]["spans"]
        assert set(found["node"]) <= {1, 2, 3, 4}
        assert found["omitted"] > 0


def _names(calls: Any) -> list[str]:
    """The function of each span."""
    frames = (calls["tree"]["frame"][node] for node in calls["spans"]["node"])
    return [calls["functions"][frame]["function"] for frame in frames]


def _is_tool(run: Any, node: int) -> bool:
    frame = run["calls"]["tree"]["frame"][node]
    return bool(run["calls"]["functions"][frame]["function"] == TOOLS)
