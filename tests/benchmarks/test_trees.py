"""How the wrong share of a tree is reckoned."""

from __future__ import annotations

import importlib
from types import ModuleType

import pytest

from tests.benchmarks.running import BENCHMARKS

A, B, C = (("x.py", number, name) for number, name in enumerate("abc"))


@pytest.fixture
def trees(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("harness.trees")


def test_the_same_tree_has_nothing_on_a_wrong_path(trees: ModuleType) -> None:
    tree = {(A,): 1.0, (A, B): 3.0, (A, C, B): 5.0}
    assert trees.wrong_share(tree, tree) == 0


def test_half_and_half_of_what_is_on_one_path_is_half_wrong(trees: ModuleType) -> None:
    truth = {(A, B): 0.0, (A, C, B): 10.0}
    assert trees.wrong_share({(A, B): 5.0, (A, C, B): 5.0}, truth) == 0.5


def test_how_much_a_tool_measures_for_a_function_does_not_matter(trees: ModuleType) -> None:
    truth = {(A, B): 1.0, (A, C, B): 3.0, (A,): 6.0}
    assert trees.wrong_share({(A, B): 20.0, (A, C, B): 60.0, (A,): 1.0}, truth) == 0


def test_what_is_shown_twice_is_wrong_once(trees: ModuleType) -> None:
    truth = {(A, B): 2.0, (A, C, B): 2.0}
    shown = {(A, B): 4.0, (A, C, B): 4.0}
    assert trees.wrong_share(shown, truth, {B: 4.0}) == 0.5
    assert trees.shown_share(shown, truth, {B: 4.0}) == 2


def test_a_recursion_is_folded_to_where_it_was_entered(trees: ModuleType) -> None:
    assert trees.fold((A, B, C, B, C)) == (A, B, C)
    assert trees.fold((A, B, A, C)) == (A, C)


def test_the_typical_run_is_the_median_of_each_path(trees: ModuleType) -> None:
    runs = [trees.Tree({(A,): 1}, {(A,): own}) for own in (2.0, 90.0, 3.0)]
    assert trees.typical(runs).own == {(A,): 3.0}


def test_paths_that_one_of_two_lacks_differ(trees: ModuleType) -> None:
    assert trees.differing({(A,): 1, (A, B): 2}, {(A,): 1, (A, C): 2}) == 2
