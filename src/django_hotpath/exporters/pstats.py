"""The function table as ``pstats`` reads it: a marshalled dict, for snakeviz, tuna, gprof2dot."""

from __future__ import annotations

import marshal
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from django_hotpath.exporters._names import NAMED_KINDS, frame_of

CONTENT_TYPE = "application/octet-stream"
SUFFIX = "pstats"
LABEL = "pstats"
HINT = "Python's pstats, snakeviz, tuna, gprof2dot"

_Function = tuple[str, int, str]
_Figures = tuple[int, int, float, float]
_Row = tuple[int, int, float, float, dict[_Function, _Figures]]


def refusal(capture: Capture) -> str | None:
    if capture.instruments.get("calls"):
        return None
    return "this capture has no calls: take one with ?profile=calls"


def export(capture: Capture) -> bytes:
    """Times in seconds. Raises ``ExportError`` for a capture without ``calls``."""
    reason = refusal(capture)
    if reason is not None:
        raise ExportError(reason)
    calls = capture.instruments["calls"]
    keys = _keys(calls["functions"])
    stats: dict[_Function, _Row] = {}
    for key, function in zip(keys, calls["functions"], strict=True):
        figures = (
            function["primitive_calls"],
            function["calls"],
            function["own_ms"] / 1000,
            function["cumulative_ms"] / 1000,
        )
        known = stats.get(key)
        total = _sum(figures, known[:4]) if known else figures
        stats[key] = (*total, known[4] if known else {})
    for caller, callee, count, primitive, own, cumulative in calls["edges"]:
        callers = stats[keys[callee]][4]
        figures = (count, primitive, own / 1000, cumulative / 1000)
        known_edge = callers.get(keys[caller])
        callers[keys[caller]] = _sum(figures, known_edge) if known_edge else figures
    return marshal.dumps(stats)


def _sum(one: _Figures, other: _Figures) -> _Figures:
    """Of two rows that pstats cannot tell apart."""
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _keys(functions: list[dict[str, Any]]) -> list[_Function]:
    """pstats writes built-in functions as ("~", 0, name); ours is ("<sql>", 0, "SELECT ...")."""
    keys = []
    for function in functions:
        name, file, line, kind = frame_of(function)
        keys.append((file or (f"<{kind}>" if kind in NAMED_KINDS else "~"), line, name))
    return keys
