"""What the flame graph draws: trees as columns, over one table of frames.

``data``, which other pages may make as well::

    {"unit": "ms", "total": float,
     "frames": {"name": [str], "file": [index into files, -1: none], "line": [int],
                "layer": [index into layers], "kind": [index into kinds], "row": [int]},
     "files": [str], "kinds": [str], "layers": [{"key", "label", "tone"}],
     "nodes": {"parent", "frame", "own", "total", "calls"},
     "spans": {"start", "end", "frame", "lane", "least", "omitted"} | null,
     "approximate": bool, "omitted": {"nodes": int, "ms": float},
     "waits": [[node, suspended ms]],
     "sources": [{"key", "label", "note"},
                 {…, "nodes", "waits", "spans", "total", "approximate", "omitted"}]}

The first source is what stands at the top; others bring their own. ``row`` is the number by which
the source of a function is asked for (see ``function_rows``). A parent comes before its children;
what a node has beyond its own time and its children's was left out of the page. In a comparison
nodes have ``own0`` and ``total0`` (before) too, and ``data`` has ``"diff": true``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.layers import layer, layer_of
from django_hotpath.capture import Capture
from django_hotpath.report.viewmodels.flame_edges import approximate_tree
from django_hotpath.report.viewmodels.flame_order import call_bars, sample_bars
from django_hotpath.report.viewmodels.flame_tree import page_tree

MAX_NAME = 2_000

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class FlameView:
    data: dict[str, Any]
    approximate: bool
    summary: str
    """What is drawn, in a sentence, for those who do not see it."""


class FrameTable:
    """Functions as columns; one that several sources saw is there once."""

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {
            name: [] for name in ("name", "file", "line", "layer", "kind", "row")
        }
        self.files: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.layers: dict[str, int] = {}
        self._known: dict[tuple[Any, ...], int] = {}

    def add(self, function: Mapping[str, Any], row: int = -1) -> int:
        """The number of the function's frame; ``row`` as in ``function_rows``."""
        name, file = str(function["function"])[:MAX_NAME], str(function.get("file") or "")
        line, kind = int(function.get("line") or 0), str(function["kind"])
        key = (name, file, line, kind)
        if key in self._known:
            return self._known[key]
        values = (
            name,
            self.files.setdefault(file, len(self.files)) if file else -1,
            line,
            self.layers.setdefault(layer_of(function), len(self.layers)),
            self.kinds.setdefault(kind, len(self.kinds)),
            row,
        )
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)
        self._known[key] = len(self._known)
        return self._known[key]

    def data(self) -> dict[str, Any]:
        """The parts of the page's data that describe frames."""
        described = [
            {"key": key, "label": layer(key).label, "tone": layer(key).tone} for key in self.layers
        ]
        return {
            "frames": self.columns,
            "files": list(self.files),
            "kinds": list(self.kinds),
            "layers": described,
        }


def function_rows(capture: Capture) -> Iterator[Mapping[str, Any]]:
    """All functions of a capture, in the order of ``row``: of calls, then of samples."""
    for name in ("calls", "samples"):
        yield from capture.instruments.get(name, {}).get("functions", ())


def flame_view(capture: Capture, only: str | None = None) -> FlameView | None:
    """None where no functions were measured; ``only`` the source of that key."""
    table = FrameTable()
    sources = []
    calls = capture.instruments.get("calls")
    samples = capture.instruments.get("samples")
    if calls and calls.get("tree"):
        label = f"All calls ({calls.get('engine', 'native')})"
        sources.append(_source("calls", label, "", calls, table, 0))
    elif calls and calls.get("functions"):
        note = (
            "Approximate: cProfile does not know stacks. The picture is put together from who "
            "called whom, so time may stand below the wrong caller."
        )
        guessed = {**calls, "tree": approximate_tree(calls)}
        label = f"Callers and callees ({calls.get('engine', 'cprofile')}), approximate"
        sources.append({**_source("edges", label, note, guessed, table, 0), "approximate": True})
    if samples and samples.get("tree"):
        before = len(calls["functions"]) if calls else 0
        label = f"Samples ({samples.get('engine', 'sampler')})"
        if samples.get("mode") == "cpu":
            label += ", processor time"
        sources.append(_source("samples", label, "", samples, table, before))
    # What was measured exactly comes first, a guess last.
    sources = sorted(
        (found for found in sources if found["total"] > 0 and only in (None, found["key"])),
        key=lambda source: source["approximate"],
    )
    if not sources:
        return None
    first = sources[0]
    named = ("key", "label", "note")
    data = {
        "unit": "ms",
        **{name: value for name, value in first.items() if name not in named},
        **table.data(),
        "sources": [{name: first[name] for name in named}, *sources[1:]],
    }
    return FlameView(
        data=data, approximate=first["approximate"], summary=_summary(first, table.columns["name"])
    )


def _source(
    key: str, label: str, note: str, measured: Mapping[str, Any], table: FrameTable, before: int
) -> dict[str, Any]:
    frames = [
        table.add(function, before + row) for row, function in enumerate(measured["functions"])
    ]
    tree = measured["tree"]
    of_node = [frames[frame] if frame >= 0 else -1 for frame in tree["frame"]]
    nodes, new, omitted = page_tree({**tree, "frame": of_node})
    waits = [
        [new[node], round(wait, 3)]
        for node, wait in enumerate(tree.get("wait_ms") or ())
        if wait > 0 and new[node] >= 0
    ]
    spans = None
    if measured.get("spans"):
        spans = call_bars(measured["spans"], of_node)
    elif measured.get("order"):
        spans = sample_bars(measured["order"], tree["parent"], of_node)
    return {
        "key": key,
        "label": label,
        "note": note,
        "total": nodes["total"][0] if nodes["total"] else 0,
        "nodes": nodes,
        "waits": waits,
        "spans": spans,
        "approximate": False,
        "omitted": omitted,
    }


def _summary(source: Mapping[str, Any], names: Sequence[str]) -> str:
    nodes = source["nodes"]
    spent: dict[int, float] = {}
    for frame, own in zip(nodes["frame"], nodes["own"], strict=True):
        if frame >= 0:
            spent[frame] = spent.get(frame, 0.0) + own
    worst = sorted(spent, key=lambda frame: -spent[frame])[:3]
    text = ", ".join(f"{names[frame][:80]} {spent[frame]:.1f} ms" for frame in worst)
    return (
        f"{len(nodes['parent']):,} frames, {source['total']:.1f} ms in all. Most own time: {text}."
    )
