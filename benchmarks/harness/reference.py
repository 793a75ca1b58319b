"""The exact tree in pure Python: slow, independent of the package, and simple enough to be seen
right."""

from __future__ import annotations

import dis
import sys
from time import perf_counter_ns
from types import CodeType, FrameType
from typing import Any

from harness.trees import Path, Tree, key_of

_BEGINS = 0
_OUTSIDE = -1


class Reference:
    """A profile function that keeps the stack by itself, from the first call of ``entry`` on.

    A generator counts as called when it begins, not when it is resumed. The tracer's own time is
    left out as far as it can tell.
    """

    def __init__(self, entry: CodeType) -> None:
        self._entry = entry
        # Nodes: the stack as indexes; parent and code of each, its calls, nanoseconds of its own.
        self._stack: list[int] = []
        self._nodes: list[tuple[int, CodeType]] = []
        self._calls: list[int] = []
        self._own: list[int] = []
        self._known: dict[tuple[int, int], int] = {}
        self._begin: dict[int, frozenset[int]] = {}
        self._since = 0

    def __enter__(self) -> Reference:
        sys.setprofile(self._event)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def tree(self) -> Tree:
        tree = Tree()
        paths: list[Path] = []
        for (parent, code), calls, own in zip(self._nodes, self._calls, self._own, strict=True):
            above = paths[parent] if parent != _OUTSIDE else ()
            path = (*above, key_of(code))
            paths.append(path)
            # Two code objects may be alike in all that a tool knows of them.
            tree.calls[path] = tree.calls.get(path, 0) + calls
            tree.own[path] = tree.own.get(path, 0) + own
        return tree

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        now = perf_counter_ns()
        if self._stack:
            self._own[self._stack[-1]] += now - self._since
        if event == "call":
            self._enter(frame)
        elif event == "return" and self._stack:
            self._stack.pop()
        self._since = perf_counter_ns()

    def _enter(self, frame: FrameType) -> None:
        code = frame.f_code
        if not self._stack and code is not self._entry:
            return
        parent = self._stack[-1] if self._stack else _OUTSIDE
        node = self._known.get((parent, id(code)))
        if node is None:
            node = self._known[parent, id(code)] = len(self._nodes)
            self._nodes.append((parent, code))
            self._calls.append(0)
            self._own.append(0)
            if id(code) not in self._begin:
                self._begin[id(code)] = _beginnings(code)
        self._stack.append(node)
        if frame.f_lasti in self._begin[id(code)]:
            self._calls[node] += 1


def _beginnings(code: CodeType) -> frozenset[int]:
    """Where an instruction stands that begins the function, and does not resume it."""
    return frozenset(
        found.offset
        for found in dis.get_instructions(code)
        if found.opname == "RESUME" and (found.arg or 0) & 3 == _BEGINS
    )
