"""The flame graph's data: what is left out is said, and parts add up to the whole."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from django_hotpath.report.viewmodels.flame import flame_view
from django_hotpath.report.viewmodels.flame_edges import approximate_tree
from django_hotpath.report.viewmodels.flame_order import call_bars, sample_bars
from django_hotpath.report.viewmodels.flame_tree import page_tree
from tests.report import samples


def random_tree(size: int, seed: int, frames: int = 9) -> dict[str, Any]:
    """Columns of a tree of ``size`` nodes with times of all sizes."""
    dice = random.Random(seed)
    parent = [-1] + [dice.randrange(max(0, node - 12), node) for node in range(1, size)]
    own = [dice.random() ** 9 * 3 for _ in range(size)]
    total = list(own)
    for node in range(size - 1, 0, -1):
        total[parent[node]] += total[node]
    return {
        "parent": parent,
        "frame": [-1] + [dice.randrange(frames) for _ in range(size - 1)],
        "calls": [dice.randrange(1, 50) for _ in range(size)],
        "own_ms": own,
        "total_ms": total,
        "omitted": 0,
    }


def calls_with(tree: dict[str, Any], frames: int = 9, **values: Any) -> dict[str, Any]:
    rows = [samples.function(f"f{number}", line=number + 1) for number in range(frames)]
    return samples.calls(*rows, engine="native", tree=tree, total_ms=tree["total_ms"][0], **values)


@pytest.mark.parametrize("seed", range(12))
def test_own_times_add_up_to_the_raw_total(seed: int) -> None:
    tree = random_tree(400, seed)
    columns, _, left_out = page_tree(tree)
    assert sum(columns["own"]) == pytest.approx(tree["total_ms"][0], abs=0.001)
    assert left_out == {"nodes": 0, "ms": 0}


@pytest.mark.parametrize("seed", range(12))
def test_a_pruned_tree_keeps_its_total_and_says_what_is_missing(seed: int) -> None:
    tree = random_tree(900, seed)
    columns, new, left_out = page_tree(tree, bound=100, limit=150)
    assert columns["total"][0] == pytest.approx(tree["total_ms"][0], abs=0.001)
    assert sum(columns["own"]) + left_out["ms"] == pytest.approx(columns["total"][0], abs=0.001)
    assert left_out["nodes"] == 900 - len(columns["parent"]) == new.count(-1)
    dropped = sum(own for own, place in zip(tree["own_ms"], new, strict=True) if place < 0)
    assert left_out["ms"] == pytest.approx(dropped, abs=0.2)


@pytest.mark.parametrize("seed", range(12))
def test_no_child_reaches_beyond_its_parent(seed: int) -> None:
    columns, _, _ = page_tree(random_tree(500, seed), bound=50)
    inside = list(columns["own"])
    for node, parent in enumerate(columns["parent"]):
        assert parent < node
        if parent >= 0:
            inside[parent] += columns["total"][node]
    for node, total in enumerate(columns["total"]):
        assert inside[node] <= total + 1e-9


def test_figures_whose_sum_is_a_little_more_than_the_whole_stay_inside() -> None:
    tree = {
        "parent": [-1, 0, 0],
        "frame": [-1, 0, 1],
        "calls": [0, 1, 1],
        "own_ms": [0.0, 1.0001, 1.0],
        "total_ms": [2.0, 1.0001, 1.0],
    }
    columns, _, _ = page_tree(tree)
    assert sum(columns["own"]) == pytest.approx(2.0)


def test_the_largest_nodes_are_kept_with_their_parents() -> None:
    tree = random_tree(900, 5)
    _columns, new, _ = page_tree(tree, bound=100, limit=150)
    kept = [node for node, place in enumerate(new) if place >= 0]
    assert len(kept) <= 150
    assert min(tree["total_ms"][node] for node in kept) >= max(
        tree["total_ms"][node] for node, place in enumerate(new) if place < 0
    )
    assert all(new[tree["parent"][node]] >= 0 for node in kept[1:])


def test_a_thousand_short_calls_do_not_all_become_nothing() -> None:
    tree = {
        "parent": [-1] + [0] * 1000,
        "frame": [-1] + [0] * 1000,
        "calls": [1] * 1001,
        "own_ms": [0.0] + [0.0004] * 1000,
        "total_ms": [0.4] + [0.0004] * 1000,
    }
    columns, _, _ = page_tree(tree)
    assert sum(columns["own"][1:]) == pytest.approx(0.4)


def test_the_view_names_frames_files_layers_and_kinds() -> None:
    calls = samples.calls(
        samples.function("view"),
        samples.function("SELECT 1", kind="sql", file="", line=0, package=""),
        engine="native",
        tree={
            "parent": [-1, 0, 1],
            "frame": [-1, 0, 1],
            "calls": [0, 1, 3],
            "own_ms": [0.0, 1.0, 2.0],
            "total_ms": [3.0, 3.0, 2.0],
            "wait_ms": [0.0, 5.0, 0.0],
            "omitted": 0,
        },
    )
    view = flame_view(samples.capture(instruments={"calls": calls}))
    assert view is not None
    data = view.data
    assert data["frames"]["name"] == ["view", "SELECT 1"]
    assert data["frames"]["file"] == [0, -1]
    assert data["frames"]["row"] == [0, 1]
    assert [data["kinds"][kind] for kind in data["frames"]["kind"]] == ["project", "sql"]
    assert [data["layers"][key]["key"] for key in data["frames"]["layer"]] == [
        "project",
        "database",
    ]
    assert data["waits"] == [[1, 5.0]]
    assert data["total"] == 3
    assert not data["approximate"]
    assert "SELECT 1 2.0 ms" in view.summary


def test_no_functions_no_flame_graph() -> None:
    assert flame_view(samples.capture(instruments={"queries": samples.queries()})) is None


def test_cprofile_is_called_approximate_and_comes_after_samples() -> None:
    tree = random_tree(20, 1, frames=1)
    sampled = {"engine": "thread", "mode": "wall", "functions": [samples.function()], "tree": tree}
    guessed = samples.calls(samples.function("a"), samples.function("b"))
    view = flame_view(samples.capture(instruments={"calls": guessed, "samples": sampled}))
    assert view is not None
    assert [source["key"] for source in view.data["sources"]] == ["samples", "edges"]
    assert view.data["approximate"] is False
    assert view.data["sources"][1]["approximate"] is True
    assert "does not know stacks" in view.data["sources"][1]["note"]


def test_a_function_that_both_engines_saw_is_one_frame() -> None:
    tree = random_tree(20, 1, frames=1)
    sampled: dict[str, Any] = {
        "engine": "thread",
        "mode": "cpu",
        "functions": [samples.function("f0")],
    }
    calls = calls_with(tree, 1)
    calls["functions"][0]["line"] = 1
    sampled["tree"] = tree
    view = flame_view(samples.capture(instruments={"calls": calls, "samples": sampled}))
    assert view is not None
    assert view.data["frames"]["name"] == ["f0"]
    assert "processor time" in view.data["sources"][1]["label"]


def test_hostile_names_are_plain_json() -> None:
    tree = random_tree(3, 1, frames=1)
    calls = samples.calls(samples.function(samples.HOSTILE), engine="native", tree=tree)
    view = flame_view(samples.capture(instruments={"calls": calls}))
    assert view is not None
    assert json.loads(json.dumps(view.data))["frames"]["name"] == [samples.HOSTILE]


def test_spans_become_bars_by_lane_and_start() -> None:
    spans = {
        "node": [1, 2, 1],
        "start_ms": [0.0, 1.0, 0.5],
        "duration_ms": [5.0, 2.0, 1.0],
        "lane": [0, 0, 1],
        "least_ms": 0.05,
        "omitted": 7,
    }
    assert call_bars(spans, [-1, 4, 6]) == {
        "start": [0.0, 1.0, 0.5],
        "end": [5.0, 3.0, 1.5],
        "frame": [4, 6, 4],
        "lane": [0, 0, 1],
        "least": 0.05,
        "omitted": 7,
    }


def test_of_two_bars_that_begin_together_the_longer_is_the_outer_one() -> None:
    spans = {
        "node": [1, 0],
        "start_ms": [1.0, 1.0],
        "duration_ms": [2.0, 5.0],
        "lane": [0, 0],
        "least_ms": 0.0,
        "omitted": 0,
    }
    bars = call_bars(spans, [8, 9])
    assert bars is not None
    assert bars["frame"] == [8, 9]


def test_too_many_spans_lose_the_shortest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django_hotpath.report.viewmodels.flame_order.BOUND", 2)
    spans = {
        "node": [0, 0, 0],
        "start_ms": [0.0, 2.0, 9.0],
        "duration_ms": [1.0, 5.0, 3.0],
        "lane": [0, 0, 0],
        "least_ms": 0.1,
        "omitted": 4,
    }
    bars = call_bars(spans, [1])
    assert bars is not None
    assert bars["start"] == [2.0, 9.0]
    assert (bars["omitted"], bars["least"]) == (5, 1.0)


def test_neighbouring_samples_in_a_call_make_one_bar() -> None:
    # 0 root, 1 view, 2 and 3 called by it, 4 beside the view.
    parents, frames = [-1, 0, 1, 1, 0], [-1, 10, 20, 30, 40]
    order = {"node": [2, 2, 3, 1, 4], "ms": [1.0, 2.0, 4.0, 1.0, 3.0]}
    bars = sample_bars(order, parents, frames)
    assert bars is not None
    assert list(zip(bars["frame"], bars["start"], bars["end"], strict=True)) == [
        (10, 0.0, 8.0),
        (20, 0.0, 3.0),
        (30, 3.0, 7.0),
        (40, 8.0, 11.0),
    ]


@pytest.mark.parametrize("seed", range(8))
def test_bars_of_samples_hold_each_sample_at_its_leaf(seed: int) -> None:
    tree = random_tree(60, seed, frames=1000)
    frames = list(range(60))
    dice = random.Random(seed)
    order: dict[str, list[Any]] = {
        "node": [dice.randrange(1, 60) for _ in range(80)],
        "ms": [1.0] * 80,
    }
    bars = sample_bars(order, tree["parent"], frames)
    assert bars is not None
    spans = list(zip(bars["start"], bars["end"], bars["frame"], strict=True))
    for number, leaf in enumerate(order["node"]):
        open_then = {frame for start, end, frame in spans if start <= number < end}
        path = set()
        while leaf >= 0:
            path.add(leaf)
            leaf = tree["parent"][leaf]
        assert open_then == path


def test_edges_spread_a_function_over_its_callers() -> None:
    rows = [
        samples.function("top", calls=1, own_ms=1.0, cumulative_ms=10.0),
        samples.function("left", calls=1, own_ms=0.0, cumulative_ms=6.0),
        samples.function("right", calls=1, own_ms=0.0, cumulative_ms=3.0),
        samples.function("shared", calls=2, own_ms=9.0, cumulative_ms=9.0),
    ]
    edges = [
        [0, 1, 1, 1, 0.0, 6.0],
        [0, 2, 1, 1, 0.0, 3.0],
        [1, 3, 1, 1, 6.0, 6.0],
        [2, 3, 1, 1, 3.0, 3.0],
    ]
    tree = approximate_tree(samples.calls(*rows, edges=edges, total_ms=10.0))
    found = sorted(zip(tree["frame"], tree["total_ms"], strict=True))
    assert found == [(-1, 10.0), (0, 10.0), (1, 6.0), (2, 3.0), (3, 3.0), (3, 6.0)]


@pytest.mark.parametrize("seed", range(12))
def test_a_guessed_tree_ends_and_never_exceeds_what_was_measured(seed: int) -> None:
    dice = random.Random(seed)
    rows = [
        samples.function(
            f"f{number}", calls=9, own_ms=dice.random(), cumulative_ms=5 * dice.random() + 1
        )
        for number in range(14)
    ]
    edges = [
        [dice.randrange(14), dice.randrange(14), dice.randrange(1, 5), 1, 0.1, dice.random() * 4]
        for _ in range(40)
    ]
    tree = approximate_tree(samples.calls(*rows, edges=edges))
    inside = list(tree["own_ms"])
    for node, parent in enumerate(tree["parent"]):
        if parent >= 0:
            inside[parent] += tree["total_ms"][node]
    for node, total in enumerate(tree["total_ms"]):
        assert inside[node] <= total + 1e-9
