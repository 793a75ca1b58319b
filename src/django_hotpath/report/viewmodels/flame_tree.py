"""A call tree as the page keeps it: pruned, and rounded so that the parts still add up.

A tree is columns of one length: ``parent`` (-1 for the root, which is node 0; a parent comes
before its children), ``frame`` (-1: none), ``calls``, ``own_ms`` and ``total_ms``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BOUND = 20_000
"""Up to so many nodes nothing is left out."""
LIMIT = 100_000
"""More than this are never kept."""
LEAST_SHARE = 0.0001
"""Of more than ``BOUND`` nodes, those with a smaller share of the total are left out."""

Tree = Mapping[str, Any]


def page_tree(
    tree: Tree, *, bound: int = BOUND, limit: int = LIMIT
) -> tuple[dict[str, list[Any]], list[int], dict[str, Any]]:
    """The columns of the page, which node became which (-1: left out), what was left out.

    What a node has beyond its own time and its children's is time of nodes that were left out.
    """
    totals = [max(time, 0.0) for time in tree["total_ms"]]
    kept = _kept(tree["parent"], totals, bound, limit)
    new = [-1] * len(totals)
    for number, node in enumerate(kept):
        new[node] = number
    hidden = len(totals) - len(kept) + (tree.get("omitted") or 0)
    own, total = _rounded(tree, totals, kept, whole=not hidden)
    columns = {
        "parent": [new[tree["parent"][node]] if node else -1 for node in kept],
        "frame": [tree["frame"][node] for node in kept],
        "calls": [tree["calls"][node] for node in kept],
        "own": [_ms(own[node]) for node in kept],
        "total": [_ms(total[node]) for node in kept],
    }
    missing = round(sum(columns["total"][:1]) - sum(columns["own"]), 3)
    return columns, new, {"nodes": hidden, "ms": max(missing, 0.0)}


def _kept(parents: Sequence[int], totals: Sequence[float], bound: int, limit: int) -> list[int]:
    """In their order; whoever is kept has its parent with it."""
    if len(totals) <= bound:
        return list(range(len(totals)))
    least = totals[0] * LEAST_SHARE
    found = [node for node, total in enumerate(totals) if total >= least or not node]
    if len(found) > limit:
        # A parent has at least as much as its child, and comes first among equals.
        found = sorted(sorted(found, key=lambda node: -totals[node])[:limit])
    return found


def _rounded(
    tree: Tree, totals: Sequence[float], kept: Sequence[int], *, whole: bool
) -> tuple[dict[int, int], dict[int, int]]:
    """Own and total microseconds; ``whole``: no node is missing.

    The places where bars begin and end are rounded, not the lengths: so parts add up to the whole,
    and of a thousand calls of 0.4 µs not all become nothing.
    """
    children: dict[int, list[int]] = {node: [] for node in kept}
    for node in kept[1:]:
        children[tree["parent"][node]].append(node)
    places = {0: (0.0, totals[0] * 1000)} if totals else {}
    own: dict[int, int] = {}
    total: dict[int, int] = {}
    for node in kept:
        at, end = places[node]
        total[node] = round(end) - round(at)
        mine = max(tree["own_ms"][node], 0.0) * 1000
        inside = mine + sum(totals[child] for child in children[node]) * 1000
        # Figures of a capture are rounded: a sum may be a little more than its whole.
        fit = min((end - at) / inside, 1.0) if inside > 0 else 1.0
        for child in children[node]:
            stop = min(at + totals[child] * 1000 * fit, end)
            places[child] = at, stop
            at = stop
        last = end if whole else min(at + mine * fit, end)
        own[node] = round(last) - round(at)
    return own, total


def _ms(microseconds: int) -> float:
    return microseconds / 1000 if microseconds % 1000 else microseconds // 1000
