"""The function table, with callers and callees for the browser to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels.shares import part_of

ROWS = 20


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
        return f"{short_path(self.file)}:{self.line}" if self.file else self.package

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
    kinds: tuple[str, ...]
    data: dict[str, Any]
    """What ``calls.js`` reads: functions and edges as arrays, in the capture's order; a function
    points to its file, which has a path and a tone."""


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
        kinds=tuple(kinds),
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
        tone=part_of(function)[1],
        calls=function["calls"],
        primitive_calls=function["primitive_calls"],
        own_ms=function["own_ms"],
        cumulative_ms=function["cumulative_ms"],
        own_share=share(function["own_ms"], total),
        cumulative_share=share(function["cumulative_ms"], total),
    )


def _data(calls: Mapping[str, Any], total: float) -> dict[str, Any]:
    files: dict[tuple[str, str], int] = {}
    rows = [
        [
            function["function"],
            files.setdefault((str(function["file"] or ""), part_of(function)[1]), len(files)),
            function["line"] or 0,
            function["kind"],
            function.get("package") or "",
            function["calls"],
            function["primitive_calls"],
            round(function["own_ms"], 4),
            round(function["cumulative_ms"], 4),
        ]
        for function in calls["functions"]
    ]
    edges = [
        [caller, callee, count, primitive, round(own, 3), round(cumulative, 3)]
        for caller, callee, count, primitive, own, cumulative in calls.get("edges", ())
    ]
    return {"total": round(total, 4), "files": list(files), "functions": rows, "edges": edges}
