"""A calling-context tree as plain data, with the function table that follows from it.

The native tracer and the samplers hand over parallel arrays, one entry a node; everything that
a report or an exporter shows of calls comes from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any, NamedTuple

from django_hotpath.instruments.calls import TOOLS_KEY, Key, describe, key_of

# Enough for every function of a large page; what is left out is the least of the tree, and said.
MAX_NODES = 50_000

_ROOT = -1


class Folded(NamedTuple):
    """The plain tree, and what became of each node that was handed over.

    ``place``: the index in the tree that its time went to, or of the nearest one above when the
    tree had no room for that. ``stands``: whether the node is that one, with all of its calls;
    false for frames of tools and for what had no room.
    """

    plain: dict[str, Any]
    place: list[int]
    stands: list[bool]


def plain_tree(
    codes: Sequence[CodeType | str],
    parent: Sequence[int],
    frame: Sequence[int],
    calls: Sequence[int],
    own_ns: Sequence[int],
    wait_ns: Sequence[int] | None = None,
) -> dict[str, Any]:
    """``functions``, ``edges`` and ``tree`` as in ``docs/reference/capture.md``."""
    return folded(codes, parent, frame, calls, own_ns, wait_ns).plain


def folded(
    codes: Sequence[CodeType | str],
    parent: Sequence[int],
    frame: Sequence[int],
    calls: Sequence[int],
    own_ns: Sequence[int],
    wait_ns: Sequence[int] | None = None,
) -> Folded:
    """As ``plain_tree``, with where each node went.

    Node 0 is the root (``parent[0] == frame[0] == -1``); a node's parent comes before it.
    ``frame`` indexes ``codes``; ``own_ns`` are nanoseconds in the node itself, ``wait_ns``
    nanoseconds for which a coroutine was suspended, with all that it awaited.

    Frames of profiling tools, ours included, become one leaf of the frame that called them, and
    what they called becomes that frame's: a tool is never between two of the user's functions.
    """
    table = _Frames(codes)
    nodes = _Nodes()
    # Where what a node calls hangs, and where the node's own time goes.
    mapped, spent = [0] * len(parent), [0] * len(parent)
    in_tool = [False] * len(parent)
    waits = wait_ns if wait_ns is not None else [0] * len(parent)
    nodes.own[0], nodes.wait[0] = own_ns[0], waits[0]
    for index in range(1, len(parent)):
        above = mapped[parent[index]]
        row = table.row_of[frame[index]]
        # What a tool uses of the standard library is the tool's work too.
        if row == table.tools or (in_tool[parent[index]] and table.is_plumbing[row]):
            in_tool[index] = True
            mapped[index] = above
            node = nodes.child(above, table.tools)
        else:
            node = mapped[index] = nodes.child(above, row)
            nodes.wait[node] += waits[index]
        spent[index] = node
        nodes.calls[node] += calls[index]
        nodes.own[node] += own_ns[index]
    totals = nodes.totals()
    order, functions, edges = _function_table(table, nodes, totals)
    kept = _largest(totals)
    plain = {
        "total_ms": _ms(totals[0]),
        "calls": sum(nodes.calls),
        "primitive_calls": sum(row["primitive_calls"] for row in functions),
        "functions": functions,
        "edges": edges,
        "tree": nodes.plain(totals, order, kept, with_wait=wait_ns is not None),
        "truncated": 0,
    }
    there = {node: index for index, node in enumerate(kept)}
    nearest: list[int] = []
    for node, above in enumerate(nodes.parent):
        nearest.append(there.get(node, nearest[above] if node else 0))
    stands = [node in there and not tool for node, tool in zip(spent, in_tool, strict=True)]
    return Folded(plain, [nearest[node] for node in spent], stands)


class _Frames:
    """Code objects as rows of the function table: those alike in file, line and name are one."""

    def __init__(self, codes: Sequence[CodeType | str]) -> None:
        rows: dict[Key, int] = {}
        self.described: list[dict[str, Any]] = []
        self.row_of: list[int] = []
        for code in codes:
            key = key_of(code)
            row = rows.get(key)
            if row is None:
                row = rows[key] = len(rows)
                self.described.append(describe(code, key))
            self.row_of.append(row)
        # -1 is never looked up: without a frame of a tool there is nothing to fold.
        self.tools = rows.get(TOOLS_KEY, -1)
        self.is_plumbing = [row["kind"] in {"stdlib", "builtin"} for row in self.described]


class _Nodes:
    """The tree after folding; the same parallel arrays."""

    def __init__(self) -> None:
        self.parent = [_ROOT]
        self.row = [_ROOT]
        self.calls = [0]
        self.own = [0]
        self.wait = [0]
        self._known: dict[tuple[int, int], int] = {}

    def child(self, parent: int, row: int) -> int:
        node = self._known.get((parent, row))
        if node is None:
            node = self._known[parent, row] = len(self.parent)
            self.parent.append(parent)
            self.row.append(row)
            self.calls.append(0)
            self.own.append(0)
            self.wait.append(0)
        return node

    def totals(self) -> list[int]:
        totals = list(self.own)
        for node in range(len(totals) - 1, 0, -1):
            totals[self.parent[node]] += totals[node]
        return totals

    def walk(self) -> Iterator[tuple[int, bool]]:
        """(node, whether it is entered or left), depth first, without the root."""
        first = [0] * len(self.parent)
        following = [0] * len(self.parent)
        for node in range(len(self.parent) - 1, 0, -1):
            parent = self.parent[node]
            following[node] = first[parent]
            first[parent] = node
        node = first[0]
        while node > 0:
            yield node, True
            if first[node]:
                node = first[node]
                continue
            while node > 0:
                yield node, False
                if following[node]:
                    node = following[node]
                    break
                node = self.parent[node]

    def plain(
        self, totals: list[int], order: list[int], kept: Sequence[int], *, with_wait: bool
    ) -> dict[str, Any]:
        place = {node: index for index, node in enumerate(kept)}
        tree: dict[str, Any] = {
            "parent": [_ROOT, *(place[self.parent[node]] for node in kept[1:])],
            "frame": [_ROOT, *(order[self.row[node]] for node in kept[1:])],
            "calls": [self.calls[node] for node in kept],
            "own_ms": [_ms(self.own[node]) for node in kept],
            "total_ms": [_ms(totals[node]) for node in kept],
        }
        tree["omitted"] = len(totals) - len(kept)
        if with_wait:
            tree["wait_ms"] = [_ms(self.wait[node]) for node in kept]
        return tree


def _largest(totals: list[int]) -> Sequence[int]:
    """The nodes to keep, in their order. A parent is never smaller than its child."""
    if len(totals) <= MAX_NODES:
        return range(len(totals))
    return sorted(sorted(range(len(totals)), key=lambda node: (-totals[node], node))[:MAX_NODES])


class _Sum:
    __slots__ = ("active", "calls", "cumulative", "own", "primitive", "wait")

    def __init__(self) -> None:
        self.active = self.calls = self.primitive = 0
        self.own = self.cumulative = self.wait = 0


def _function_table(
    table: _Frames, nodes: _Nodes, totals: list[int]
) -> tuple[list[int], list[dict[str, Any]], list[list[Any]]]:
    """Place of each row in the table, the table (largest cumulative time first), the edges.

    Time and primitive calls of a recursion count once: where it was entered.
    """
    sums = [_Sum() for _ in table.described]
    edges: dict[tuple[int, int], _Sum] = {}
    for node, entered in nodes.walk():
        row = nodes.row[node]
        caller = nodes.row[nodes.parent[node]]
        found = [sums[row]]
        if caller != _ROOT:
            edge = edges.get((caller, row))
            if edge is None:
                edge = edges[caller, row] = _Sum()
            found.append(edge)
        for each in found:
            if not entered:
                each.active -= 1
                continue
            if not each.active:
                each.cumulative += totals[node]
                each.wait += nodes.wait[node]
                each.primitive += nodes.calls[node]
            each.active += 1
            each.calls += nodes.calls[node]
            each.own += nodes.own[node]
    ranked = sorted(range(len(sums)), key=lambda row: -sums[row].cumulative)
    # A frame that was only folded away, or never entered, is no row.
    ranked = [row for row in ranked if sums[row].calls or sums[row].own or sums[row].cumulative]
    order = [_ROOT] * len(sums)
    functions = []
    for place, row in enumerate(ranked):
        order[row] = place
        found_sum = sums[row]
        described = {
            **table.described[row],
            "calls": found_sum.calls,
            "primitive_calls": found_sum.primitive,
            "own_ms": _ms(found_sum.own),
            "cumulative_ms": _ms(found_sum.cumulative),
        }
        if found_sum.wait:
            described["wait_ms"] = _ms(found_sum.wait)
        functions.append(described)
    plain_edges = [
        [order[caller], order[row], each.calls, each.primitive, _ms(each.own), _ms(each.cumulative)]
        for (caller, row), each in edges.items()
        if order[caller] != _ROOT and order[row] != _ROOT
    ]
    return order, functions, plain_edges


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1_000_000, 4)
