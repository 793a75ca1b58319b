"""Whatever the tree, an export adds up to it."""

from __future__ import annotations

import gzip
import json
import marshal
import re
from typing import Any

import pytest

from django_hotpath.capture import Capture
from django_hotpath.exporters import _trees
from tests.exporters import captures
from tests.exporters.protobuf import fields, packed

SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_speedscope_adds_up(seed: int) -> None:
    capture = captures.at_random(seed)
    (profile,) = json.loads(capture.export("speedscope"))["profiles"]
    assert profile["endValue"] == captures.total_ns(capture)
    depth = 0
    last = 0
    for event in profile["events"]:
        depth += 1 if event["type"] == "O" else -1
        assert depth >= 0
        assert event["at"] >= last
        last = event["at"]
    assert depth == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_collapsed_adds_up(seed: int) -> None:
    capture = captures.at_random(seed)
    lines = capture.export("collapsed").decode().splitlines()
    assert sum(int(line.rpartition(" ")[2]) for line in lines) == captures.total_ns(capture)


@pytest.mark.parametrize("seed", SEEDS)
def test_pprof_adds_up(seed: int) -> None:
    capture = captures.at_random(seed)
    assert pprof_sums(capture) == [
        sum(capture.instruments["calls"]["tree"]["calls"]),
        captures.total_ns(capture),
    ]


@pytest.mark.parametrize("seed", SEEDS)
def test_callgrind_adds_up(seed: int) -> None:
    capture = captures.at_random(seed)
    assert own_of_callgrind(capture) == captures.total_ns(capture)


@pytest.mark.parametrize("seed", SEEDS)
def test_chrome_adds_up_to_a_sixtyfourth_of_a_microsecond(seed: int) -> None:
    capture = captures.at_random(seed)
    events = [e for e in json.loads(capture.export("chrome"))["traceEvents"] if e["ph"] == "X"]
    assert abs(events[0]["dur"] * 1000 - captures.total_ns(capture)) <= 1000 / 64
    assert_nested(events)


@pytest.mark.parametrize("seed", SEEDS)
def test_firefox_adds_up(seed: int) -> None:
    capture = captures.at_random(seed)
    (thread,) = json.loads(capture.export("firefox"))["threads"]
    weights = thread["samples"]["weight"]
    assert round(sum(weight * 1e6 for weight in weights)) == captures.total_ns(capture)


@pytest.mark.parametrize("seed", SEEDS)
def test_pstats_adds_up(seed: int) -> None:
    capture = captures.at_random(seed)
    stats = marshal.loads(capture.export("pstats"))
    tree = capture.instruments["calls"]["tree"]
    outside = tree["own_ms"][0]
    assert sum(row[2] for row in stats.values()) * 1000 == pytest.approx(
        sum(tree["own_ms"]) - outside
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("limit", [1, 2, 10, 299])
def test_a_pruned_tree_adds_up_and_says_what_is_missing(
    seed: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_trees, "MAX_NODES", limit)
    capture = captures.at_random(seed)
    frames = _trees.Frames()
    (tree,) = _trees.trees(capture, frames)
    assert tree.total == captures.total_ns(capture)
    assert tree.left_out == 300 - limit
    (profile,) = json.loads(capture.export("speedscope"))["profiles"]
    assert f"the {300 - limit:,} smallest frames are left out" in profile["name"]
    assert profile["endValue"] == captures.total_ns(capture)


def test_the_largest_frames_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_trees, "MAX_NODES", 4)
    capture = captures.at_random(1)
    (tree,) = _trees.trees(capture, _trees.Frames())
    totals = sorted(captures.at_random(1).instruments["calls"]["tree"]["total_ms"])
    assert min(tree.totals()[:4]) == round(totals[-4] * 1e6)


def test_what_a_capture_left_out_is_a_frame() -> None:
    capture = captures.chain(["view", "inner"])
    tree = capture.instruments["calls"]["tree"]
    tree["omitted"] = 7
    tree["own_ms"][1] = 0.25
    (line,) = [
        line for line in capture.export("collapsed").decode().splitlines() if "left out" in line
    ]
    assert line == "GET /books/;view (shop/part_0.py:1);(left out: the smallest) 750000"


def test_rounding_is_nothing_left_out() -> None:
    capture = captures.chain(["view", "inner"])
    capture.instruments["calls"]["tree"]["omitted"] = 7
    capture.instruments["calls"]["tree"]["total_ms"][0] += 0.0001
    assert "left out" not in capture.export("collapsed").decode()


def test_memory_adds_up_to_all_that_was_allocated() -> None:
    capture = captures.allocated()
    (profile,) = json.loads(capture.export("speedscope"))["profiles"]
    assert profile["unit"] == "bytes"
    assert profile["endValue"] == 1000
    assert pprof_sums(capture) == [9, 1000]


def pprof_sums(capture: Capture) -> list[int]:
    sums: list[int] = []
    for number, value in fields(gzip.decompress(capture.export("pprof"))):
        if number == 2:
            values = packed(dict(fields(value))[2])
            sums = [a + b for a, b in zip(sums, values, strict=True)] if sums else values
    return sums


def own_of_callgrind(capture: Capture) -> int:
    total = 0
    calls = False
    for line in capture.export("callgrind").decode().splitlines():
        if line.startswith("calls="):
            calls = True
        elif re.fullmatch(r"\d+ \d+", line):
            total += 0 if calls else int(line.split()[1])
            calls = False
    return total


def assert_nested(events: list[dict[str, Any]]) -> None:
    """Within a thread, each complete event lies in that around it or beside it, exactly."""
    threads: dict[Any, list[tuple[float, float]]] = {}
    for event in events:
        threads.setdefault((event["pid"], event["tid"]), []).append(
            (event["ts"], event["ts"] + event["dur"])
        )
    for spans in threads.values():
        opened: list[float] = []
        assert spans == sorted(spans, key=lambda span: span[0])
        for start, end in spans:
            while opened and opened[-1] <= start:
                opened.pop()
            assert not opened or end <= opened[-1]
            opened.append(end)
