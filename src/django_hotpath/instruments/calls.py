"""The function table: calls, own and cumulative time, callers and callees."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType
from typing import Any, Protocol

from django_hotpath.callsite import locate

MAX_FUNCTIONS = 3_000

TOOLS = "profiling tools"

# File, first line and qualified name.
Key = tuple[str, int, str]

TOOLS_KEY: Key = ("", 0, TOOLS)


class _Edge(Protocol):
    @property
    def code(self) -> CodeType | str: ...
    @property
    def callcount(self) -> int: ...
    @property
    def reccallcount(self) -> int: ...
    @property
    def totaltime(self) -> float: ...
    @property
    def inlinetime(self) -> float: ...


class Entry(_Edge, Protocol):
    """A row of ``cProfile.Profile.getstats()``; times are seconds."""

    @property
    def calls(self) -> Iterable[_Edge] | None: ...


class _Row:
    __slots__ = ("calls", "cumulative", "data", "own", "primitive")

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.calls = self.primitive = 0
        self.own = self.cumulative = 0.0

    def add(self, edge: _Edge) -> None:
        self.calls += edge.callcount
        self.primitive += edge.callcount - edge.reccallcount
        self.own += edge.inlinetime
        self.cumulative += edge.totaltime

    def figures(self) -> tuple[int, int, float, float]:
        return self.calls, self.primitive, _ms(self.own), _ms(self.cumulative)


def function_table(entries: Iterable[Entry]) -> dict[str, Any]:
    """``functions`` and ``edges`` as in ``docs/reference/capture.md``, most expensive first.

    Functions of profiling tools, ours included, are folded into one row; code objects that share
    file, line and name (a function defined anew at each call) into one each.
    """
    rows: dict[Key, _Row] = {}
    edges: dict[tuple[Key, Key], _Row] = {}
    for entry in entries:
        caller = key_of(entry.code)
        row = rows.get(caller)
        if row is None:
            row = rows[caller] = _Row(describe(entry.code, caller))
        row.add(entry)
        for edge in entry.calls or ():
            callee = key_of(edge.code)
            if caller == callee == TOOLS_KEY:
                continue
            edges.setdefault((caller, callee), _Row({})).add(edge)
    if TOOLS_KEY in rows:
        # What passes through tools is the application's, and would be counted once a layer.
        rows[TOOLS_KEY].cumulative = rows[TOOLS_KEY].own
    return _plain(rows, edges)


def key_of(code: CodeType | str) -> Key:
    if isinstance(code, str):
        return "", 0, code
    if locate(code.co_filename).kind == "hotpath":
        return TOOLS_KEY
    return code.co_filename, code.co_firstlineno, code.co_qualname


def describe(code: CodeType | str, key: Key) -> dict[str, Any]:
    if key == TOOLS_KEY:
        return {"file": "", "line": 0, "function": TOOLS, "kind": "hotpath", "package": TOOLS}
    if isinstance(code, str):
        return {"file": "", "line": 0, "function": code, "kind": "builtin", "package": "builtins"}
    where = locate(code.co_filename)
    return {
        "file": where.file,
        "line": code.co_firstlineno if where.file else 0,
        "function": code.co_qualname,
        "kind": where.kind,
        "package": where.package,
    }


def _plain(
    rows: dict[Key, _Row],
    edges: dict[tuple[Key, Key], _Row],
) -> dict[str, Any]:
    ranked = sorted(rows.items(), key=lambda item: -item[1].cumulative)
    kept = ranked[:MAX_FUNCTIONS]
    index = {key: position for position, (key, _row) in enumerate(kept)}
    functions = []
    for _, row in kept:
        calls, primitive, own, cumulative = row.figures()
        functions.append(
            {
                **row.data,
                "calls": calls,
                "primitive_calls": primitive,
                "own_ms": own,
                "cumulative_ms": cumulative,
            }
        )
    return {
        "total_ms": _ms(sum(row.own for row in rows.values())),
        "calls": sum(row.calls for row in rows.values()),
        "primitive_calls": sum(row.primitive for row in rows.values()),
        "functions": functions,
        "edges": [
            [index[caller], index[callee], *row.figures()]
            for (caller, callee), row in edges.items()
            if caller in index and callee in index
        ],
        "truncated": len(ranked) - len(kept),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 4)
