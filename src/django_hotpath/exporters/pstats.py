"""The function table as ``pstats`` reads it: a marshalled dict, for snakeviz, tuna, gprof2dot."""

from __future__ import annotations

import marshal
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError

CONTENT_TYPE = "application/octet-stream"
SUFFIX = "pstats"

# pstats writes built-in functions as ("~", 0, name).
_Function = tuple[str, int, str]


def export(capture: Capture) -> bytes:
    """Times in seconds. Raises ``ExportError`` for a capture without ``calls``."""
    calls = capture.instruments.get("calls")
    if not calls:
        raise ExportError("this capture has no calls: take one with ?profile=calls")
    keys = _keys(calls["functions"])
    callers: list[dict[_Function, tuple[int, int, float, float]]] = [{} for _ in keys]
    for caller, callee, count, primitive, own, cumulative in calls["edges"]:
        callers[callee][keys[caller]] = (count, primitive, own / 1000, cumulative / 1000)
    stats = {
        key: (
            function["primitive_calls"],
            function["calls"],
            function["own_ms"] / 1000,
            function["cumulative_ms"] / 1000,
            callers[index],
        )
        for index, (key, function) in enumerate(zip(keys, calls["functions"], strict=True))
    }
    return marshal.dumps(stats)


def _keys(functions: list[dict[str, Any]]) -> list[_Function]:
    return [
        (_text(function["file"]) or "~", function["line"], _text(function["function"]))
        for function in functions
    ]


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode("utf-8")
