"""Templates: the tree of what rendered what, and each template's sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django_hotpath.report.formats import share

ROWS = 200
TREE_ROWS = 300
# From there on rows are not indented any further.
DEPTH = 16
_INDENT = 18


@dataclass(frozen=True, kw_only=True)
class TreeRow:
    """All renderings of a template from the same place: by the same templates around it.

    ``own_share`` and ``total_share`` are of the time of all templates, from 0 to 1.
    """

    name: str
    engine: str
    depth: int
    count: int
    own_ms: float
    total_ms: float
    own_share: float
    total_share: float

    @property
    def indent(self) -> int:
        return min(self.depth, DEPTH) * _INDENT

    @property
    def hot(self) -> bool:
        return self.own_share >= 0.2

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.count


@dataclass(frozen=True, kw_only=True)
class TemplatesView:
    count: int
    total_ms: float
    truncated: int
    templates: Sequence[Mapping[str, Any]]
    """With ``own_share`` of the time of all templates."""
    hidden: int
    tree: Sequence[TreeRow]
    """A template stands before those that it includes or extends, the slowest first."""
    left_out: int
    """Rows of the tree beyond the bound."""


@dataclass(kw_only=True)
class _Node:
    name: str
    engine: str
    depth: int
    count: int = 0
    own_ms: float = 0.0
    total_ms: float = 0.0
    children: dict[tuple[str, str], _Node] = field(default_factory=dict)


def templates_view(templates: Mapping[str, Any]) -> TemplatesView:
    rows = templates.get("templates") or []
    total = sum(row["own_ms"] for row in rows)
    tree = list(_rows(_merged(templates.get("renders") or ()), total))
    return TemplatesView(
        count=templates["count"],
        total_ms=templates["total_ms"],
        truncated=templates.get("truncated") or 0,
        templates=[{**row, "own_share": share(row["own_ms"], total)} for row in rows[:ROWS]],
        hidden=max(len(rows) - ROWS, 0),
        tree=tree[:TREE_ROWS],
        left_out=max(len(tree) - TREE_ROWS, 0),
    )


def _merged(renders: Sequence[Mapping[str, Any]]) -> _Node:
    """Renderings of one template within the same renderings are one node; the root has no name."""
    root = _Node(name="", engine="", depth=-1)
    nodes: dict[int, _Node] = {}
    # The one around it began before it.
    for render in sorted(renders, key=lambda render: (render["start_ms"], render["index"])):
        parent = render.get("parent")
        above = root if parent is None else nodes.get(parent, root)
        key = str(render["name"]), str(render.get("engine") or "")
        node = above.children.get(key)
        if node is None:
            node = above.children[key] = _Node(name=key[0], engine=key[1], depth=above.depth + 1)
        node.count += 1
        node.own_ms += render["own_ms"]
        node.total_ms += render["duration_ms"]
        nodes[render["index"]] = node
    return root


def _rows(root: _Node, total: float) -> Iterator[TreeRow]:
    def slowest_last(node: _Node) -> list[_Node]:
        return sorted(node.children.values(), key=lambda child: child.total_ms)

    waiting = slowest_last(root)
    while waiting:
        node = waiting.pop()
        yield TreeRow(
            name=node.name,
            engine=node.engine,
            depth=node.depth,
            count=node.count,
            own_ms=node.own_ms,
            total_ms=node.total_ms,
            own_share=share(node.own_ms, total),
            total_share=share(node.total_ms, total),
        )
        waiting += slowest_last(node)
