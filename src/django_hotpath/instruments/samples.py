"""What the engines of ``samples`` share: the tree of sampled stacks and its plain form."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from types import CodeType
from typing import Any, ClassVar

from django_hotpath.callsite import locate
from django_hotpath.instruments.base import Instrument, to_ms
from django_hotpath.instruments.tree import folded

# Milliseconds between two samples, as asked for; what came of it is in the result.
PERIOD_MS = 1.0

# Distinct stacks beyond this end at their nearest known frame, and the report says so.
MAX_NODES = 200_000

# Samples of which it is known when they were taken: at one a millisecond the first 100 seconds.
MAX_ORDER = 100_000

# Less often than this times the period is worth a warning.
_TOO_SELDOM = 2.0
_TOO_SHORT_MS = 10.0

_ROOT = -1
_NO_TOOL = ""
_PLUMBING = frozenset({"stdlib", "builtin"})


class StackTree:
    """Stacks, outermost frame first, each added with the nanoseconds it stands for.

    Nodes are kept by ``id(code)``, which is quick; the code objects are kept too, so that no id
    is given to another one meanwhile. Frames are never kept.
    """

    def __init__(self, max_nodes: int = MAX_NODES) -> None:
        self.samples = 0
        self.sampled_ns = 0
        # Samples whose innermost frames found no room.
        self.cut = 0
        self._max_nodes = max_nodes
        self._code: list[CodeType | str] = [""]
        self._parent = [_ROOT]
        self._count = [0]
        self._own = [0]
        self._child: dict[tuple[int, int], int] = {}
        # The node and the nanoseconds of each sample, in time order.
        self._nodes = array("L")
        self._weights = array("q")

    def add(self, stack: Sequence[CodeType | str], weight_ns: int) -> None:
        node = 0
        child = self._child
        for code in stack:
            key = (node, id(code))
            found = child.get(key)
            if found is None:
                if len(self._parent) >= self._max_nodes:
                    self.cut += 1
                    break
                found = child[key] = len(self._parent)
                self._code.append(code)
                self._parent.append(node)
                self._count.append(0)
                self._own.append(0)
            node = found
        self._count[node] += 1
        self._own[node] += weight_ns
        self.samples += 1
        self.sampled_ns += weight_ns
        if len(self._nodes) < MAX_ORDER:
            self._nodes.append(node)
            self._weights.append(weight_ns)

    def plain(self) -> dict[str, Any]:
        """The shape of ``plain_tree``, and ``order``: which node each sample was in.

        ``calls`` are samples whose innermost frame it was. Frames of profiling tools that only
        pass a call on leave no trace.
        """
        codes: list[CodeType | str] = []
        index: dict[int, int] = {}
        place: list[int] = [0]
        # The entry of a node itself, where it has one.
        entry: list[int] = [0]
        tools: list[CodeType | str] = [_NO_TOOL]
        parent, frame = [_ROOT], [_ROOT]
        count, own = [self._count[0]], [self._own[0]]
        for node in range(1, len(self._parent)):
            above, tool = place[self._parent[node]], tools[self._parent[node]]
            code = self._code[node]
            kind = _kind(code)
            # As in the tree: what a tool uses of the standard library is the tool's work too.
            if kind == "hotpath":
                tool = code
            elif kind not in _PLUMBING:
                tool = _NO_TOOL
            tools.append(tool)
            place.append(above if tool is not _NO_TOOL else len(parent))
            entry.append(len(parent))
            if tool is not _NO_TOOL:
                code = tool
                if not self._count[node]:
                    continue
            if id(code) not in index:
                index[id(code)] = len(codes)
                codes.append(code)
            parent.append(above)
            frame.append(index[id(code)])
            count.append(self._count[node])
            own.append(self._own[node])
        tree = folded(codes, parent, frame, count, own)
        order = {
            "node": [tree.place[entry[node]] for node in self._nodes],
            "ms": [to_ms(weight) for weight in self._weights],
            "omitted": self.samples - len(self._nodes),
        }
        return {**tree.plain, "order": order}


class Samples(Instrument):
    """A statistical profile: which stack the work was in, looked at again and again."""

    name = "samples"
    takes_target = True
    follows_task = True
    # What the time of a sample is: "wall" includes waiting, "cpu" does not.
    MODES: ClassVar[tuple[str, ...]] = ("wall",)

    def _result(self, tree: StackTree, mode: str) -> dict[str, Any]:
        plain = tree.plain()
        achieved = to_ms(tree.sampled_ns // tree.samples) if tree.samples else None
        sampled_ms = to_ms(tree.sampled_ns)
        self._warn(tree, achieved, sampled_ms)
        return {
            "engine": self.engine,
            "mode": mode,
            "wanted_period_ms": PERIOD_MS,
            "achieved_period_ms": achieved,
            "samples": tree.samples,
            "sampled_ms": sampled_ms,
            **plain,
        }

    def _warn(self, tree: StackTree, achieved: float | None, sampled_ms: float) -> None:
        late = achieved is not None and achieved > PERIOD_MS * _TOO_SELDOM
        if achieved is not None and late and sampled_ms >= _TOO_SHORT_MS:
            self.warnings.append(
                f"samples: asked for a stack every {PERIOD_MS:g} ms, got one every "
                f"{achieved:.1f} ms ({tree.samples} in {sampled_ms:,.0f} ms): shares are rougher"
            )
        if tree.cut:
            self.warnings.append(
                f"samples: the innermost frames of {tree.cut} samples were left out: there were "
                "too many different stacks"
            )


def _kind(code: CodeType | str) -> str:
    return "builtin" if isinstance(code, str) else locate(code.co_filename).kind
