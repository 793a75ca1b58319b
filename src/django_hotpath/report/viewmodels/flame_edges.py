"""A tree guessed from callers and callees, for engines that know no stacks.

A function's time is spread over its callers as the edges say, and in each of them the function is
taken to do what it does on average. That is the best guess there is, and often wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LEAST_SHARE = 0.001
BOUND = 20_000
DEPTH = 200

Path = frozenset[int]


def approximate_tree(calls: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Columns as of a real tree; calls of less than 0.1 % stay own time of their callers."""
    return _Guess(calls).tree


class _Guess:
    def __init__(self, calls: Mapping[str, Any]) -> None:
        self.functions: Sequence[Mapping[str, Any]] = calls["functions"]
        self.tree: dict[str, list[Any]] = {
            name: [] for name in ("parent", "frame", "calls", "own_ms", "total_ms")
        }
        self.callees: dict[int, dict[int, tuple[int, float]]] = {}
        explained: dict[int, int] = {}
        for caller, callee, count, _, _, cumulative in calls.get("edges", ()):
            explained[callee] = explained.get(callee, 0) + count
            if caller != callee and cumulative > 0:
                self.callees.setdefault(caller, {})[callee] = count, cumulative
        tops = {
            key: (count, time)
            for key, row in enumerate(self.functions)
            if (count := row["calls"] - explained.get(key, 0)) > 0
            and (time := row["cumulative_ms"] * count / max(row["primitive_calls"], count)) > 0
        }
        total = max(float(calls.get("total_ms") or 0.0), sum(time for _, time in tops.values()))
        self.least = total * LEAST_SHARE
        self.grow(tops, total)

    def node(self, parent: int, frame: int, count: float, total: float) -> int:
        values = (parent, frame, round(count), 0.0, total)
        for column, value in zip(self.tree.values(), values, strict=True):
            column.append(value)
        return len(self.tree["parent"]) - 1

    def grow(self, tops: Mapping[int, tuple[float, float]], total: float) -> None:
        """Breadth first, so that where there are too many the deepest are missing."""
        root = self.node(-1, -1, 0, total)
        self.tree["own_ms"][root] = max(total - sum(time for _, time in tops.values()), 0.0)
        none: Path = frozenset()
        queue = self.below(root, tops, 1.0, none)
        for node, path in queue:
            frame, time = self.tree["frame"][node], self.tree["total_ms"][node]
            whole = self.inside(frame, path)
            part = min(time / whole, 1.0) if whole > 0 else 0.0
            self.tree["own_ms"][node] = min(self.functions[frame]["own_ms"] * part, time)
            if len(path) < DEPTH and len(self.tree["parent"]) < BOUND:
                queue += self.below(node, self.callees.get(frame, {}), part, path)

    def inside(self, frame: int, path: Path) -> float:
        """A function's time without that of the frames it is inside of, when it calls them again:
        their time was counted already."""
        again = sum(
            time
            for key, (_, time) in self.callees.get(frame, {}).items()
            if key in path and key != frame
        )
        row = self.functions[frame]
        return max(float(row["cumulative_ms"]) - again, float(row["own_ms"]))

    def below(
        self, parent: int, found: Mapping[int, tuple[float, float]], part: float, path: Path
    ) -> list[tuple[int, Path]]:
        """Adds what a node calls, never a frame that it is inside of."""
        wanted, small = [], 0.0
        for key, (count, time) in found.items():
            whole = self.functions[key]["cumulative_ms"]
            if key in path or whole <= 0:
                continue
            time = time * part * min(self.inside(key, path) / whole, 1.0)
            if time >= self.least:
                wanted.append((key, count * part, time))
            else:
                small += time
        room = self.tree["total_ms"][parent] - self.tree["own_ms"][parent]
        asked = sum(time for *_, time in wanted) + small
        fit = room / asked if asked > 0 else 0.0
        return [
            (self.node(parent, key, count, time * fit), path | {key})
            for key, count, time in wanted
            if time * fit > 0
        ]
