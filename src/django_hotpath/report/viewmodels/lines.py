"""Source with what its lines cost: time, or memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels.shares import part_of

HOT = 0.1
COLD = 0.005
STEPS = (0.05, 0.15, 0.3, 0.6)
"""Shares from which on a line is a degree hotter."""


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """``hits`` is None for a line without code; the figures are None where nothing ran.

    ``cost`` is milliseconds or bytes, ``share`` its part of the function's, from 0 to 1.
    """

    line: int
    source: str
    hits: int | None
    cost: float | None
    per_hit: float | None
    share: float
    waited_ms: float | None
    peak: int | None
    gap: bool
    """Lines before this one were left out."""

    @property
    def hot(self) -> bool:
        return self.share >= HOT

    @property
    def heat(self) -> int:
        """How dark the line is, from 0 to 5: about as large a part of the function's cost."""
        if not self.hits or self.share < COLD:
            return 0
        return 1 + sum(self.share >= step for step in STEPS)


@dataclass(frozen=True, kw_only=True)
class FunctionLines:
    key: int
    """Its number, dearest first."""
    function: str
    place: str
    full: str
    kind: str
    tone: str
    calls: int | None
    cost: float
    share: float
    """Of what the capture took altogether, or of the largest function."""
    waited_ms: float
    peak: int | None
    rows: Sequence[LineRow]
    left_out: int
    open: bool

    @property
    def ran(self) -> bool:
        return any(row.hits for row in self.rows)


@dataclass(frozen=True, kw_only=True)
class LinesView:
    engine: str
    view: str
    unit: str
    before: int | None
    after: int | None
    functions: Sequence[FunctionLines]
    truncated: int
    not_run: int

    @property
    def count(self) -> int:
        return len(self.functions) + self.truncated

    @property
    def waits(self) -> bool:
        return any(function.waited_ms for function in self.functions)


def lines_view(lines: Mapping[str, Any], wall_ms: float) -> LinesView:
    return _view(lines, "total_ms", "ms", lambda function: share(function["total_ms"], wall_ms))


def line_memory_view(memory: Mapping[str, Any]) -> LinesView:
    largest = max((abs(found["increment"]) for found in memory["functions"]), default=0)

    def part(function: Mapping[str, Any]) -> float:
        return share(abs(function["increment"]), largest)

    return _view(memory, "increment", "increment", part)


def _view(
    data: Mapping[str, Any],
    total: str,
    cost: str,
    part: Callable[[Mapping[str, Any]], float],
) -> LinesView:
    functions = data["functions"]
    opened = _to_open(functions, total)
    return LinesView(
        engine=str(data.get("engine", "")),
        view=str(data.get("view") or ""),
        unit=str(data.get("unit") or ""),
        before=data.get("before"),
        after=data.get("after"),
        functions=[
            FunctionLines(
                key=index,
                function=str(function["function"]),
                place=f"{short_path(str(function['file']))}:{function['line']}",
                full=f"{function['file']}:{function['line']}",
                kind=str(function.get("kind") or ""),
                tone=part_of({"package": "", **function})[1],
                calls=function.get("calls"),
                cost=function[total],
                share=part(function),
                waited_ms=function.get("waited_ms") or 0.0,
                peak=function.get("peak"),
                rows=_rows(function["lines"], cost),
                left_out=function.get("left_out") or 0,
                open=index == opened,
            )
            for index, function in enumerate(functions)
        ],
        truncated=data.get("truncated") or 0,
        not_run=data.get("not_run") or 0,
    )


def _to_open(functions: Sequence[Mapping[str, Any]], total: str) -> int:
    """The dearest of the project's own; those around it, of Django, only call it."""
    own = [i for i, function in enumerate(functions) if function.get("kind") == "project"]
    return max(own or range(len(functions)), key=lambda i: functions[i][total], default=0)


def _rows(lines: Sequence[Mapping[str, Any]], cost: str) -> list[LineRow]:
    whole = sum(max(line.get(cost) or 0, 0) for line in lines)
    rows = []
    before = lines[0]["line"] - 1 if lines else 0
    texts = dedent("\n".join(_text(line) for line in lines)).split("\n")
    for line, text in zip(lines, texts, strict=True):
        hits, value = line.get("hits"), line.get(cost)
        rows.append(
            LineRow(
                line=line["line"],
                source=text,
                hits=hits,
                cost=value,
                per_hit=value / hits if value is not None and hits else None,
                share=share(value, whole),
                waited_ms=line.get("waited_ms"),
                peak=line.get("peak"),
                gap=line["line"] != before + 1,
            )
        )
        before = line["line"]
    return rows


def _text(line: Mapping[str, Any]) -> str:
    return " ".join(str(line.get("source") or "").splitlines())
