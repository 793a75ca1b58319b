"""The plain tree and what follows from it: functions, callers, totals."""

from __future__ import annotations

import asyncio
from types import CodeType
from typing import Any

import pytest

from django_hotpath import api, steps
from django_hotpath.instruments import tree
from django_hotpath.instruments.calls import TOOLS

MS = 1_000_000


def one() -> None: ...


def two() -> None: ...


def three() -> None: ...


ONE, TWO, THREE = one.__code__, two.__code__, three.__code__
OURS = api.profile.__enter__.__code__
OURS_TOO = steps.Steps.steps.__code__
STDLIB = asyncio.run.__code__


def plain(*nodes: tuple[int, CodeType | str, int, int], root: int = 0, waits: Any = None) -> Any:
    """Nodes are (parent, code, calls, own milliseconds), the first of them node 1."""
    codes = list(dict.fromkeys(code for _parent, code, _calls, _own in nodes))
    return tree.plain_tree(
        codes,
        [-1, *(parent for parent, *_ in nodes)],
        [-1, *(codes.index(code) for _parent, code, *_ in nodes)],
        [0, *(calls for *_, calls, _own in nodes)],
        [root * MS, *(own * MS for *_, own in nodes)],
        waits,
    )


def rows(found: Any) -> dict[str, tuple[int, int, float, float]]:
    return {
        row["function"]: (
            row["calls"],
            row["primitive_calls"],
            row["own_ms"],
            row["cumulative_ms"],
        )
        for row in found["functions"]
    }


def edges(found: Any) -> dict[tuple[str, str], tuple[int, int, float, float]]:
    names = [row["function"] for row in found["functions"]]
    return {(names[a], names[b]): tuple(figures) for a, b, *figures in found["edges"]}


def nodes(found: Any) -> list[tuple[int, str, int, float, float]]:
    names = [row["function"] for row in found["functions"]]
    data = found["tree"]
    return [
        (
            data["parent"][node],
            names[data["frame"][node]],
            data["calls"][node],
            data["own_ms"][node],
            data["total_ms"][node],
        )
        for node in range(1, len(data["parent"]))
    ]


def test_a_total_is_the_own_time_with_all_below() -> None:
    found = plain((0, ONE, 1, 1), (1, TWO, 2, 3), (2, THREE, 4, 5), root=7)
    assert found["tree"]["total_ms"] == [16, 9, 8, 5]
    assert found["total_ms"] == 16


def test_a_function_below_two_callers_is_two_nodes_and_one_row() -> None:
    found = plain((0, ONE, 1, 1), (0, TWO, 1, 1), (1, THREE, 2, 10), (2, THREE, 3, 1))
    assert rows(found)["three"] == (5, 5, 11, 11)
    assert edges(found)[("one", "three")] == (2, 2, 10, 10)
    assert edges(found)[("two", "three")] == (3, 3, 1, 1)
    assert len(nodes(found)) == 4


def test_a_recursion_is_counted_once_in_cumulative_time() -> None:
    found = plain((0, ONE, 1, 1), (1, ONE, 2, 2), (2, ONE, 4, 4))
    assert rows(found)["one"] == (7, 1, 7, 7)
    assert edges(found)[("one", "one")] == (6, 2, 6, 6)


def test_a_recursion_through_another_function_is_counted_once() -> None:
    found = plain((0, ONE, 1, 1), (1, TWO, 1, 2), (2, ONE, 1, 4), (3, TWO, 1, 8))
    assert rows(found)["one"] == (2, 1, 5, 15)
    assert rows(found)["two"] == (2, 1, 10, 14)


def test_the_largest_function_comes_first() -> None:
    found = plain((0, ONE, 1, 1), (0, TWO, 1, 5))
    assert [row["function"] for row in found["functions"]] == ["two", "one"]


def test_code_alike_in_place_and_name_is_one_row() -> None:
    again = ONE.replace(co_consts=(None, 1))
    assert again != ONE
    found = plain((0, ONE, 1, 1), (0, again, 1, 2))
    assert nodes(found) == [(0, "one", 2, 3, 3)]


def test_a_tool_between_two_functions_is_a_leaf_beside_them() -> None:
    found = plain((0, ONE, 1, 1), (1, OURS, 1, 2), (2, TWO, 1, 4))
    assert set(nodes(found)) == {(0, "one", 1, 1, 7), (1, "two", 1, 4, 4), (1, TOOLS, 1, 2, 2)}


def test_what_a_tool_uses_of_the_standard_library_is_the_tools() -> None:
    found = plain((0, ONE, 1, 1), (1, OURS, 1, 2), (2, STDLIB, 1, 4), (3, TWO, 1, 8))
    assert set(nodes(found)) == {(0, "one", 1, 1, 15), (1, "two", 1, 8, 8), (1, TOOLS, 2, 6, 6)}


def test_the_standard_library_below_the_users_code_is_not() -> None:
    found = plain((0, OURS, 1, 1), (1, TWO, 1, 2), (2, STDLIB, 1, 4))
    assert ("two", "run") in edges(found)


def test_the_same_function_directly_and_through_a_tool_is_one_node() -> None:
    found = plain(
        (0, ONE, 1, 1), (1, TWO, 1, 2), (1, OURS, 1, 0), (3, OURS_TOO, 1, 0), (4, TWO, 3, 4)
    )
    assert (1, "two", 4, 6, 6) in nodes(found)


def test_a_built_in_function_has_its_name() -> None:
    found = plain((0, "<built-in method builtins.len>", 3, 1))
    assert found["functions"][0]["kind"] == "builtin"


def test_waiting_is_apart_from_own_time() -> None:
    found = plain((0, ONE, 1, 1), (1, TWO, 1, 2), waits=[9 * MS, 8 * MS, 7 * MS])
    assert found["tree"]["wait_ms"] == [9, 8, 7]
    assert {row["function"]: row["wait_ms"] for row in found["functions"]} == {"one": 8, "two": 7}
    assert found["total_ms"] == 3


def test_an_empty_tree_is_its_root() -> None:
    found = plain(root=5)
    assert (found["functions"], found["edges"], found["total_ms"]) == ([], [], 5)


def test_a_large_tree_loses_its_smallest_nodes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_NODES", 3)
    found = plain((0, ONE, 1, 1), (1, TWO, 1, 5), (1, THREE, 1, 2), root=1)
    assert [name for _parent, name, *_ in nodes(found)] == ["one", "two"]
    assert found["tree"]["omitted"] == 1
    assert found["tree"]["total_ms"] == [9, 8, 5]
    assert rows(found)["three"] == (1, 1, 2, 2)


def test_a_deep_tree_needs_no_deep_python() -> None:
    depth = 20_000
    codes = [ONE, TWO]
    found = tree.plain_tree(
        codes,
        list(range(-1, depth)),
        [-1, *(node % 2 for node in range(depth))],
        [1] * (depth + 1),
        [MS] * (depth + 1),
    )
    assert found["total_ms"] == depth + 1
    assert rows(found)["one"][1] == 1


def test_each_node_is_told_where_its_time_went() -> None:
    found = tree.folded(
        [ONE, OURS, TWO, STDLIB],
        [-1, 0, 1, 2, 2],
        [-1, 0, 1, 2, 3],
        [0, 1, 1, 1, 1],
        [0, MS, 2 * MS, 4 * MS, 8 * MS],
    )
    names = [row["function"] for row in found.plain["functions"]]
    frames = [found.plain["tree"]["frame"][place] for place in found.place]
    assert [names[frame] for frame in frames[1:]] == ["one", TOOLS, "two", TOOLS]
    assert found.stands == [True, True, False, True, False]


def test_what_had_no_room_went_to_the_nearest_above(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_NODES", 2)
    found = tree.folded([ONE, TWO, THREE], [-1, 0, 1, 2], [-1, 0, 1, 2], [0, 1, 1, 1], [0, 1, 1, 1])
    assert found.place == [0, 1, 1, 1]
    assert found.stands == [True, True, False, False]
