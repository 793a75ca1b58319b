"""Sums of a tree of differences equal those of the trees it is made of."""

from __future__ import annotations

from random import Random
from statistics import mean
from typing import Any

import pytest

from django_hotpath.analysis.difftree import DiffTree, difference_tree
from django_hotpath.capture import Capture
from tests.factories import capture, function

SEEDS = pytest.mark.parametrize("seed", range(25))


def tree_capture(random: Random, names: str = "abcdefgh", size: int = 60) -> Capture:
    """A random tree; functions lie on other lines each time, some share their name."""
    functions = [
        function(name, line=random.randint(1, 500), kind=random.choice(("project", "sql")))
        for name in random.choices(names, k=len(names))
    ]
    parent, frame, own = [-1], [-1], [random.random()]
    for node in range(1, random.randint(2, size)):
        parent.append(random.randrange(node))
        frame.append(random.randrange(len(functions)))
        own.append(random.choice((0.0, random.random() * 10)))
    return with_tree(functions, parent, frame, own)


def with_tree(
    functions: list[dict[str, Any]], parent: list[int], frame: list[int], own: list[float]
) -> Capture:
    total = list(own)
    for node in range(len(parent) - 1, 0, -1):
        total[parent[node]] += total[node]
    tree = {
        "parent": parent,
        "frame": frame,
        "calls": [1] * len(parent),
        "own_ms": own,
        "total_ms": total,
        "omitted": 0,
    }
    calls = {"engine": "native", "total_ms": total[0], "functions": functions, "tree": tree}
    return capture(instruments={"calls": calls})


def random_sets(seed: int) -> tuple[list[Capture], list[Capture]]:
    random = Random(seed)
    return (
        [tree_capture(random) for _ in range(random.randint(1, 4))],
        [tree_capture(random, "defghijk") for _ in range(random.randint(1, 4))],
    )


def built(a: list[Capture], b: list[Capture], most: int = 20_000) -> DiffTree:
    made = difference_tree(a, b, most)
    assert made is not None
    return made


def tree_of(found: Capture) -> dict[str, Any]:
    tree: dict[str, Any] = found.instruments["calls"]["tree"]
    return tree


@SEEDS
def test_own_times_add_up_to_the_mean_of_the_sets(seed: int) -> None:
    a, b = random_sets(seed)
    made = built(a, b)
    assert sum(made.own0) == pytest.approx(mean(sum(tree_of(c)["own_ms"]) for c in a))
    assert sum(made.own) == pytest.approx(mean(sum(tree_of(c)["own_ms"]) for c in b))


@SEEDS
def test_calls_add_up_to_the_mean_of_the_sets(seed: int) -> None:
    a, b = random_sets(seed)
    made = built(a, b)
    assert sum(made.calls0) == pytest.approx(mean(sum(tree_of(c)["calls"]) for c in a))
    assert sum(made.calls) == pytest.approx(mean(sum(tree_of(c)["calls"]) for c in b))


@SEEDS
def test_a_total_is_the_own_time_and_the_totals_of_the_children(seed: int) -> None:
    made = built(*random_sets(seed))
    for own, total in ((made.own0, made.total0), (made.own, made.total)):
        inside = list(own)
        for node in range(len(made.parent) - 1, 0, -1):
            inside[made.parent[node]] += total[node]
        assert inside == pytest.approx(total)


@SEEDS
def test_the_time_of_each_function_is_that_of_the_sets(seed: int) -> None:
    a, b = random_sets(seed)
    made = built(a, b)
    for captures, own in ((a, made.own0), (b, made.own)):
        wanted: dict[str, float] = {}
        for one in captures:
            rows = one.instruments["calls"]["functions"]
            for name, ms in by_name(rows, tree_of(one)["frame"], tree_of(one)["own_ms"]).items():
                wanted[name] = wanted.get(name, 0.0) + ms / len(captures)
        found = by_name(made.functions, made.frame, own)
        assert {name: ms for name, ms in found.items() if ms} == pytest.approx(
            {name: ms for name, ms in wanted.items() if ms}
        )


def by_name(functions: Any, frames: list[int], own: list[float]) -> dict[str, float]:
    found: dict[str, float] = {}
    for frame, ms in zip(frames, own, strict=True):
        if frame >= 0:
            key = f"{functions[frame]['kind']} {functions[frame]['function']}"
            found[key] = found.get(key, 0.0) + ms
    return found


@SEEDS
def test_no_two_children_of_a_node_are_the_same_function(seed: int) -> None:
    made = built(*random_sets(seed))
    keys = list(zip(made.parent, made.frame, strict=True))
    assert len(set(keys)) == len(keys)


@SEEDS
def test_swapped_sets_swap_the_figures(seed: int) -> None:
    a, b = random_sets(seed)
    there, back = built(a, b), built(b, a)
    forth = zip(there.own0, there.own, strict=True)
    assert sorted(forth) == sorted(zip(back.own, back.own0, strict=True))


@SEEDS
def test_what_is_pruned_stays_in_the_totals(seed: int) -> None:
    a, b = random_sets(seed)
    whole, pruned = built(a, b), built(a, b, most=12)
    assert len(pruned.parent) == min(12, len(whole.parent))
    assert pruned.omitted == len(whole.parent) - len(pruned.parent)
    assert (pruned.total0[0], pruned.total[0]) == (whole.total0[0], whole.total[0])
    assert all(parent < node for node, parent in enumerate(pruned.parent))
    assert sum(pruned.own) <= sum(whole.own) + 1e-9


def test_a_tree_with_itself_has_no_difference() -> None:
    one = tree_capture(Random(1))
    made = built([one], [one])
    assert made.own == made.own0
    assert made.total == made.total0


def test_a_function_that_moved_within_its_file_is_the_same_on_its_new_line() -> None:
    a = with_tree([function("f", line=3)], [-1, 0], [-1, 0], [0.0, 5.0])
    b = with_tree([function("f", line=90)], [-1, 0], [-1, 0], [0.0, 2.0])
    made = built([a], [b])
    assert (made.own0, made.own) == ([0.0, 5.0], [0.0, 2.0])
    assert made.functions[made.frame[1]]["line"] == 90


def test_a_function_of_another_file_is_another() -> None:
    a = with_tree([function("f", file="a.py")], [-1, 0], [-1, 0], [0.0, 5.0])
    b = with_tree([function("f", file="b.py")], [-1, 0], [-1, 0], [0.0, 2.0])
    assert built([a], [b]).own0 == [0.0, 5.0, 0.0]


def test_named_frames_are_told_by_their_text() -> None:
    def made(text: str) -> Capture:
        named = function(text, kind="sql", file="", line=0)
        return with_tree([named], [-1, 0], [-1, 0], [0.0, 1.0])

    assert len(built([made("SELECT 1")], [made("SELECT 1")]).parent) == 2
    assert len(built([made("SELECT 1")], [made("SELECT 2")]).parent) == 3


def test_without_exact_trees_there_is_none() -> None:
    one = tree_capture(Random(1))
    assert difference_tree([one], [capture()]) is None
    assert difference_tree([], [one]) is None
