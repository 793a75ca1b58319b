"""Call trees of two sets of captures as one, with the time of each node before and after.

Nodes are the same where the functions on the way to them are (kind, file and qualified name, or
the text of a named frame): line numbers move when code is edited. Figures are means of the runs,
so that the sums over the tree are the mean sums of the trees it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django_hotpath.analysis.compare.functions import identity
from django_hotpath.analysis.layers import node_layers
from django_hotpath.capture import Capture

Key = tuple[str, str, str]

# More than a screen has pixels for.
MAX_NODES = 20_000


@dataclass
class DiffTree:
    """Parallel lists, one entry a node; node 0 is the root, a parent comes before its children.

    ``frame`` is an index into ``functions`` (rows as in a capture, with the line after where there
    is one), -1 for the root. ``own0``, ``total0`` and ``calls0`` are before, the others after.
    Times are milliseconds. ``omitted`` nodes were left out, the smallest; what they took is in the
    totals of their parents.
    """

    functions: list[Mapping[str, Any]] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    frame: list[int] = field(default_factory=list)
    layer: list[str] = field(default_factory=list)
    own0: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    total0: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    calls0: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    omitted: int = 0


def difference_tree(
    a: Sequence[Capture], b: Sequence[Capture], most: int = MAX_NODES
) -> DiffTree | None:
    """None unless each capture has an exact tree of calls."""
    if not (a and b and all(_tree(capture) for capture in [*a, *b])):
        return None
    made = DiffTree()
    building = _Building(made)
    for capture in a:
        building.add(capture.instruments["calls"], len(a), before=True)
    for capture in b:
        building.add(capture.instruments["calls"], len(b), before=False)
    return _pruned(made, most)


def _tree(capture: Capture) -> bool:
    calls = capture.instruments.get("calls")
    return isinstance(calls, dict) and bool(calls.get("tree") and calls["tree"]["parent"])


class _Building:
    def __init__(self, made: DiffTree) -> None:
        self.made = made
        self.children: dict[tuple[int, int], int] = {}
        self.frames: dict[Key, int] = {}

    def add(self, calls: Mapping[str, Any], runs: int, *, before: bool) -> None:
        made, tree, functions = self.made, calls["tree"], calls["functions"]
        frames = [self._frame(row) for row in functions]
        layers = node_layers(tree, functions)
        own_of, total_of, calls_of = (
            (made.own0, made.total0, made.calls0) if before else (made.own, made.total, made.calls)
        )
        mapped: list[int] = []
        rows = zip(
            tree["parent"],
            tree["frame"],
            tree["calls"],
            tree["own_ms"],
            tree["total_ms"],
            layers,
            strict=True,
        )
        for parent, frame, count, own, total, layer in rows:
            above = mapped[parent] if parent >= 0 else -1
            place = frames[frame] if frame >= 0 else -1
            node = self.children.get((above, place))
            if node is None:
                node = self._node(above, place, layer)
            mapped.append(node)
            own_of[node] += own / runs
            total_of[node] += total / runs
            calls_of[node] += count / runs

    def _frame(self, row: Mapping[str, Any]) -> int:
        key = identity(row)
        index = self.frames.get(key)
        if index is None:
            index = self.frames[key] = len(self.made.functions)
            self.made.functions.append(row)
        else:
            # A later row has the line where the code is now.
            self.made.functions[index] = row
        return index

    def _node(self, parent: int, frame: int, layer: str) -> int:
        made = self.made
        node = self.children[parent, frame] = len(made.parent)
        made.parent.append(parent)
        made.frame.append(frame)
        made.layer.append(layer)
        for figures in (made.own0, made.own, made.total0, made.total, made.calls0, made.calls):
            figures.append(0.0)
        return node


def _pruned(made: DiffTree, most: int) -> DiffTree:
    """The largest nodes, before or after; no node is larger than its parent."""
    if len(made.parent) <= most:
        return made
    by_size = sorted(
        range(len(made.parent)), key=lambda node: (-max(made.total0[node], made.total[node]), node)
    )
    wanted = set(by_size[:most])
    renumbered: dict[int, int] = {-1: -1}
    kept: list[int] = []
    for node, parent in enumerate(made.parent):
        # Rounded figures may make a child a trifle larger: without its parent it has no place.
        if node in wanted and parent in renumbered:
            renumbered[node] = len(kept)
            kept.append(node)
    return DiffTree(
        functions=made.functions,
        parent=[renumbered[made.parent[node]] for node in kept],
        frame=[made.frame[node] for node in kept],
        layer=[made.layer[node] for node in kept],
        own0=[made.own0[node] for node in kept],
        own=[made.own[node] for node in kept],
        total0=[made.total0[node] for node in kept],
        total=[made.total[node] for node in kept],
        calls0=[made.calls0[node] for node in kept],
        calls=[made.calls[node] for node in kept],
        omitted=len(made.parent) - len(kept),
    )
