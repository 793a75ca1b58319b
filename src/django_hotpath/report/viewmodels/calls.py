"""The function table, with callers and callees for the browser to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.layers import layer, layer_of, node_layers
from django_hotpath.analysis.paths import short_path
from django_hotpath.report.formats import share

ROWS = 20
NAMED = {
    "sql": "SQL statement",
    "cache": "cache operation",
    "template": "template",
    "http": "HTTP request",
    "middleware": "middleware",
}
"""Frames that stand for an operation instead of a function of a file."""

KIND_LABELS = {
    "project": "your code",
    "hotpath": "profiling tools",
    "stdlib": "standard library",
    "builtin": "built-in functions",
    "library": "other packages",
    "django": "Django",
    "sql": "SQL statements",
    "cache": "cache operations",
    "template": "templates",
    "http": "HTTP requests",
}


@dataclass(frozen=True, kw_only=True)
class FunctionRow:
    key: int
    function: str
    file: str
    line: int
    kind: str
    package: str
    tone: str
    calls: int
    primitive_calls: int
    own_ms: float
    cumulative_ms: float
    own_share: float
    cumulative_share: float

    @property
    def place(self) -> str:
        if self.file:
            return f"{short_path(self.file)}:{self.line}"
        return NAMED.get(self.kind, self.package)

    @property
    def own_per_call_ms(self) -> float:
        return self.own_ms / self.calls if self.calls else 0.0

    @property
    def recursive(self) -> bool:
        return self.calls != self.primitive_calls


@dataclass(frozen=True, kw_only=True)
class CallsView:
    engine: str
    builtins: bool
    total_ms: float
    calls: int
    primitive_calls: int
    truncated: int
    lost: int
    """Calls that had no room in the tree."""
    waited_ms: float
    """How long the work was suspended; 0 where the engine does not tell."""
    count: int
    rows: tuple[FunctionRow, ...]
    kinds: tuple[tuple[str, str], ...]
    """Of the functions, each with what it is called."""
    data: dict[str, Any]
    """What ``calls.js`` reads: functions and edges as columns, in the capture's order, times in
    microseconds; a function points to its file, which has a path and a layer."""


def calls_view(calls: Mapping[str, Any]) -> CallsView:
    """``rows`` holds the first 20 by own time; ``data`` all of them."""
    functions = calls["functions"]
    total = calls.get("total_ms") or sum(row["own_ms"] for row in functions)
    heaviest = sorted(range(len(functions)), key=lambda i: -functions[i]["own_ms"])[:ROWS]
    kinds = sorted({str(row["kind"]) for row in functions})
    return CallsView(
        engine=calls.get("engine", ""),
        builtins=bool(calls.get("builtins")),
        total_ms=total,
        calls=calls.get("calls") or sum(row["calls"] for row in functions),
        primitive_calls=calls.get("primitive_calls")
        or sum(row["primitive_calls"] for row in functions),
        truncated=calls.get("truncated") or 0,
        lost=calls.get("lost") or 0,
        waited_ms=((calls.get("tree") or {}).get("wait_ms") or [0.0])[0],
        count=len(functions),
        rows=tuple(_row(i, functions[i], total) for i in heaviest),
        kinds=tuple((kind, KIND_LABELS.get(kind, kind)) for kind in kinds),
        data=_data(calls, total),
    )


def _row(key: int, function: Mapping[str, Any], total: float) -> FunctionRow:
    return FunctionRow(
        key=key,
        function=str(function["function"]),
        file=str(function["file"] or ""),
        line=function["line"] or 0,
        kind=str(function["kind"]),
        package=str(function.get("package") or ""),
        tone=layer(layer_of(function)).tone,
        calls=function["calls"],
        primitive_calls=function["primitive_calls"],
        own_ms=function["own_ms"],
        cumulative_ms=function["cumulative_ms"],
        own_share=share(function["own_ms"], total),
        cumulative_share=share(function["cumulative_ms"], total),
    )


def _data(calls: Mapping[str, Any], total: float) -> dict[str, Any]:
    functions = calls["functions"]
    layers: dict[str, int] = {}
    files: dict[tuple[str, int], int] = {}
    kinds: dict[str, int] = {}
    packages: dict[str, int] = {}
    columns: dict[str, list[Any]] = {
        name: [] for name in ("name", "file", "line", "kind", "package", "calls", "own", "all")
    }
    primitive: dict[int, int] = {}
    for key, function in enumerate(functions):
        of_layer = layers.setdefault(layer_of(function), len(layers))
        place = str(function["file"] or ""), of_layer
        columns["name"].append(function["function"])
        columns["file"].append(files.setdefault(place, len(files)))
        columns["line"].append(function["line"] or 0)
        columns["kind"].append(kinds.setdefault(str(function["kind"]), len(kinds)))
        package = str(function.get("package") or "")
        columns["package"].append(packages.setdefault(package, len(packages)))
        columns["calls"].append(function["calls"])
        columns["own"].append(_microseconds(function["own_ms"]))
        columns["all"].append(_microseconds(function["cumulative_ms"]))
        if function["primitive_calls"] != function["calls"]:
            primitive[key] = function["primitive_calls"]
    edges = calls.get("edges") or ()
    return {
        "total": round(total, 4),
        "layers": [[key, *layer(key)] for key in layers],
        "files": list(files),
        "kinds": list(kinds),
        "packages": list(packages),
        "functions": columns,
        "primitive": primitive,
        "within": _within(calls),
        "edges": {
            "caller": [edge[0] for edge in edges],
            "callee": [edge[1] for edge in edges],
            "calls": [edge[2] for edge in edges],
            "primitive": {i: edge[3] for i, edge in enumerate(edges) if edge[3] != edge[2]},
            "own": [_microseconds(edge[4]) for edge in edges],
            "all": [_microseconds(edge[5]) for edge in edges],
        },
    }


def _microseconds(ms: float) -> float:
    """To a tenth, without a point where there is none: it is written thousands of times."""
    value = round(ms * 1000, 1)
    return int(value) if value == int(value) else value


def _within(calls: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Layer → function → milliseconds that it spent itself as part of an operation of that layer.

    The driver below a statement is time of the database, whatever package it is of.
    """
    tree = calls.get("tree")
    if not tree:
        return {}
    functions = calls["functions"]
    found: dict[str, dict[int, float]] = {}
    of = [layer_of(function) for function in functions]
    for node, key in enumerate(node_layers(tree, functions)):
        frame = tree["frame"][node]
        if frame >= 0 and key != of[frame]:
            rows = found.setdefault(key, {})
            rows[frame] = round(rows.get(frame, 0.0) + tree["own_ms"][node], 4)
    return found
