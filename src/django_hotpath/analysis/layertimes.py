"""Milliseconds by layer: of an exact tree, and as near as can be told from callers and callees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django_hotpath.analysis.layers import ENCLOSING, layer_of, node_layers

# Recursion and cycles settle long before; what has not then moves no figure one can read.
_PASSES = 50
_SETTLED = 1e-4


def tree_times(tree: Mapping[str, Any], functions: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Own time of the nodes by layer, the root's left out: it is no function's."""
    times: defaultdict[str, float] = defaultdict(float)
    layers = node_layers(tree, functions)
    for key, own in zip(layers[1:], tree["own_ms"][1:], strict=True):
        times[key] += max(own, 0.0)
    return dict(times)


def table_times(
    functions: Sequence[Mapping[str, Any]], edges: Sequence[Sequence[Any]]
) -> dict[str, float]:
    """Own time of the functions by layer, where only callers and callees are known.

    What runs below a statement, an operation of a cache or a call of another service is counted
    as that: of a function that others call too, the share of its cumulative time that its callers
    below such a frame have. That share is exact for what these frames call themselves, a guess
    for what lies deeper. Each own time is divided, so nothing counts twice.
    """
    below = _below(functions, edges)
    times: defaultdict[str, float] = defaultdict(float)
    for row, function in enumerate(functions):
        own, key = max(function["own_ms"], 0.0), layer_of(function)
        # Our own time is nobody else's, wherever it is spent.
        if key != "tools" and str(function["kind"]) not in ENCLOSING:
            for around, share in below.get(row, {}).items():
                times[around] += own * share
            own *= 1 - sum(below.get(row, {}).values())
        times[key] += own
    return dict(times)


def _below(
    functions: Sequence[Mapping[str, Any]], edges: Sequence[Sequence[Any]]
) -> dict[int, dict[str, float]]:
    """For each function, which share of it (0 to 1) ran below which kind of named frame."""
    encloses = {
        row: ENCLOSING[str(function["kind"])]
        for row, function in enumerate(functions)
        if str(function["kind"]) in ENCLOSING
    }
    if not encloses:
        return {}
    callers: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for edge in edges:
        caller, callee, spent = edge[0], edge[1], float(edge[5])
        if caller != callee and spent > 0:
            callers[callee].append((caller, spent))
    wholes = {row: sum(spent for _, spent in found) for row, found in callers.items()}
    shares: dict[int, dict[str, float]] = {row: {key: 1.0} for row, key in encloses.items()}
    for _ in range(_PASSES):
        moved = 0.0
        for row, found in callers.items():
            if row in encloses:
                continue
            whole = max(wholes[row], float(functions[row]["cumulative_ms"]))
            fresh: defaultdict[str, float] = defaultdict(float)
            for caller, spent in found:
                for key, share in shares.get(caller, {}).items():
                    fresh[key] += share * spent / whole
            if fresh:
                known = shares.get(row, {})
                moved = max(moved, *(abs(fresh[key] - known.get(key, 0.0)) for key in fresh))
                shares[row] = dict(fresh)
        if moved < _SETTLED:
            break
    return {row: found for row, found in shares.items() if row not in encloses}
