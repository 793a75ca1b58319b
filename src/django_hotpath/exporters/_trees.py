"""The trees of a capture for the formats of stacks: whole numbers, in sum those of the capture.

Times are nanoseconds, memory is bytes. The root is a frame too, named as the capture, so that
each stack has one and the time outside any function has a place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from django_hotpath.exporters._names import Frame, cut, frame_of, valid

MAX_NODES = 200_000
"""Nodes of a file: readers load it whole."""

LEFT_OUT = Frame("(left out: the smallest)", "", 0, "rest")
OTHER_ALLOCATIONS = Frame("(other allocations)", "", 0, "rest")

# Half a unit of the last digit that a capture keeps of milliseconds, in nanoseconds.
_ROUNDING = 50


class Frames:
    """The frames of an export, each once."""

    def __init__(self) -> None:
        self.rows: list[Frame] = []
        self._known: dict[Frame, int] = {}

    def add(self, frame: Frame) -> int:
        index = self._known.get(frame)
        if index is None:
            index = self._known[frame] = len(self.rows)
            self.rows.append(frame)
        return index


@dataclass
class Tree:
    """Parallel lists, one entry a node; node 0 is the root, a parent comes before its children.

    ``frame`` indexes the ``Frames`` that it was made with; ``own`` is without the children.
    ``left_out`` is how many nodes are not in it; their time is in frames that say so.
    """

    title: str
    unit: str
    """``"nanoseconds"`` or ``"bytes"``."""
    count_unit: str
    parent: list[int]
    frame: list[int]
    count: list[int]
    own: list[int]
    left_out: int = 0

    @property
    def total(self) -> int:
        return sum(self.own)

    @property
    def notes(self) -> list[str]:
        if not self.left_out:
            return []
        return [f"{self.title}: the {self.left_out:,} smallest frames are left out"]

    def totals(self) -> list[int]:
        totals = list(self.own)
        for node in range(len(totals) - 1, 0, -1):
            totals[self.parent[node]] += totals[node]
        return totals

    def walk(self) -> Iterator[tuple[int, bool]]:
        """(node, whether it is entered or left), depth first."""
        first, following = [0] * len(self.parent), [0] * len(self.parent)
        for node in range(len(self.parent) - 1, 0, -1):
            above = self.parent[node]
            following[node], first[above] = first[above], node
        node = 0
        while True:
            yield node, True
            if first[node]:
                node = first[node]
                continue
            yield node, False
            while not following[node]:
                if node == 0:
                    return
                node = self.parent[node]
                yield node, False
                if node == 0:
                    return
            node = following[node]


def has_times(capture: Capture) -> bool:
    """Whether there is a tree of time, not of memory alone."""
    calls = capture.instruments.get("calls")
    return bool((calls and calls.get("tree")) or _sampled(capture))


def refusal(capture: Capture) -> str | None:
    """Why there are no stacks; None when there are."""
    if has_times(capture) or _traced(capture):
        return None
    if capture.instruments.get("calls"):
        return (
            "cProfile knows callers and callees but no stacks: this format would show false ones. "
            "Take a capture with ?profile=native or ?profile=samples, or use callgrind or pstats"
        )
    return "this capture has no stacks: take one with ?profile=calls or ?profile=samples"


def trees(capture: Capture, frames: Frames) -> list[Tree]:
    """All that the capture has, the exact one first. Raises ``ExportError`` when there is none."""
    reason = refusal(capture)
    if reason is not None:
        raise ExportError(reason)
    found = []
    calls = capture.instruments.get("calls")
    if calls and calls.get("tree"):
        found.append(_tree(capture, calls, frames, "Calls", "calls"))
    if samples := _sampled(capture):
        mode = "CPU time" if samples.get("mode") == "cpu" else "wall time"
        found.append(_tree(capture, samples, frames, f"Samples, {mode}", "samples"))
    if traced := _traced(capture):
        found.append(_memory(capture, traced, frames))
    return [pruned(tree, frames, MAX_NODES) for tree in found]


def root_frame(capture: Capture) -> Frame:
    return Frame(cut(valid(capture.label)) or "(capture)", "", 0, "rest")


def pruned(tree: Tree, frames: Frames, limit: int) -> Tree:
    """With the ``limit`` largest nodes; what the others took is in frames ``LEFT_OUT``."""
    if len(tree.parent) <= limit:
        return tree
    totals = tree.totals()
    # A parent is never smaller than its child, and comes before it.
    largest = sorted(range(1, len(totals)), key=lambda node: -totals[node])[: limit - 1]
    return kept(tree, frames, totals, largest)


def kept(tree: Tree, frames: Frames, totals: Sequence[int], nodes: Sequence[int]) -> Tree:
    """With these nodes and the root; with a node comes its parent."""
    order = [0, *sorted(nodes)]
    place = {node: index for index, node in enumerate(order)}
    found = Tree(
        title=tree.title,
        unit=tree.unit,
        count_unit=tree.count_unit,
        parent=[-1, *(place[tree.parent[node]] for node in order[1:])],
        frame=[tree.frame[node] for node in order],
        count=[tree.count[node] for node in order],
        own=[tree.own[node] for node in order],
        left_out=tree.left_out + len(tree.parent) - len(order),
    )
    lost: dict[int, int] = {}
    for node in range(1, len(tree.parent)):
        above = place.get(tree.parent[node])
        if above is not None and node not in place and totals[node]:
            lost[above] = lost.get(above, 0) + totals[node]
    _add_left_out(found, frames, lost)
    return found


def _sampled(capture: Capture) -> Mapping[str, Any] | None:
    samples = capture.instruments.get("samples")
    return samples if samples and samples.get("tree") and samples.get("samples") else None


def _traced(capture: Capture) -> Mapping[str, Any] | None:
    traced = capture.instruments.get("allocations")
    return traced if traced and (traced.get("by_traceback") or traced.get("by_line")) else None


def _tree(
    capture: Capture, data: Mapping[str, Any], frames: Frames, title: str, count_unit: str
) -> Tree:
    plain = data["tree"]
    rows = [frames.add(frame_of(function)) for function in data["functions"]]
    root = frames.add(root_frame(capture))
    tree = Tree(
        title=title,
        unit="nanoseconds",
        count_unit=count_unit,
        parent=list(plain["parent"]),
        frame=[rows[row] if row >= 0 else root for row in plain["frame"]],
        count=list(plain["calls"]),
        own=[max(nanoseconds(own), 0) for own in plain["own_ms"]],
        left_out=plain.get("omitted") or 0,
    )
    if tree.left_out:
        _add_left_out(tree, frames, _missing(plain))
    return tree


def _missing(plain: Mapping[str, Any]) -> dict[int, int]:
    """What of a node's time is neither its own nor that of a child: of those left out."""
    totals = [nanoseconds(total) for total in plain["total_ms"]]
    rest = [total - nanoseconds(own) for total, own in zip(totals, plain["own_ms"], strict=True)]
    rounding = [2 * _ROUNDING] * len(rest)
    for node, above in enumerate(plain["parent"]):
        if above >= 0:
            rest[above] -= totals[node]
            rounding[above] += _ROUNDING
    return {node: left for node, left in enumerate(rest) if left > rounding[node]}


def _add_left_out(tree: Tree, frames: Frames, lost: Mapping[int, int]) -> None:
    frame = frames.add(LEFT_OUT) if lost else 0
    for above, own in lost.items():
        tree.parent.append(above)
        tree.frame.append(frame)
        tree.count.append(0)
        tree.own.append(own)


def _memory(capture: Capture, traced: Mapping[str, Any], frames: Frames) -> Tree:
    """What was allocated and still alive at the end, by where it was allocated."""
    tree = Tree(
        title="Memory still allocated at the end",
        unit="bytes",
        count_unit="blocks",
        parent=[-1],
        frame=[frames.add(root_frame(capture))],
        count=[0],
        own=[0],
    )
    known: dict[tuple[int, int], int] = {}
    stacks = traced.get("by_traceback") or [
        {"frames": [row], "size": row["size"], "count": row["count"]} for row in traced["by_line"]
    ]
    for stack in stacks:
        node = 0
        for line in stack["frames"]:
            file = cut(valid(str(line["file"])))
            name = f"{file.replace(chr(92), '/').rpartition('/')[2]}:{line['line']}"
            frame = frames.add(Frame(name, file, max(int(line["line"]), 0), str(line["kind"])))
            node = _child(tree, known, node, frame)
        tree.own[node] += max(int(stack["size"]), 0)
        tree.count[node] += max(int(stack["count"]), 0)
    rest = int(traced.get("total_size") or 0) - tree.total
    if rest > 0:
        node = _child(tree, known, 0, frames.add(OTHER_ALLOCATIONS))
        tree.own[node] += rest
    return tree


def _child(tree: Tree, known: dict[tuple[int, int], int], above: int, frame: int) -> int:
    node = known.get((above, frame))
    if node is None:
        node = known[above, frame] = len(tree.parent)
        tree.parent.append(above)
        tree.frame.append(frame)
        tree.count.append(0)
        tree.own.append(0)
    return node


def nanoseconds(milliseconds: float) -> int:
    return round(milliseconds * 1_000_000)
