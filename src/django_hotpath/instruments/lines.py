"""``lines``: how often each line of the view ran, and how long it took."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType
from typing import Any, NamedTuple

from django_hotpath.instruments.base import to_ms
from django_hotpath.instruments.source import heading, listing
from django_hotpath.instruments.targeted import Targeted

MAX_FUNCTIONS = 100


class LineTime(NamedTuple):
    """``waited_ns``: for a coroutine, how long it was suspended on the line."""

    hits: int
    ns: int
    waited_ns: int = 0


class FunctionTime(NamedTuple):
    """``calls`` is None where the engine does not count them."""

    code: CodeType
    named: bool
    calls: int | None
    lines: dict[int, LineTime]

    @property
    def ns(self) -> int:
        return sum(line.ns for line in self.lines.values())


class Lines(Targeted):
    name = "lines"
    measures = (
        "Each line of the view, or of the code you name: how often it ran and how long it took, "
        "with all that it called."
    )

    def result(self) -> dict[str, Any]:
        return {**self.asked(), **table(self.times())}

    def times(self) -> list[FunctionTime]:
        """What was measured, a function or other piece of code each."""
        raise NotImplementedError


def table(functions: Iterable[FunctionTime]) -> dict[str, Any]:
    """The functions that ran, the dearest first, and those that were asked for by name."""
    found = list(functions)
    ran = [function for function in found if function.lines or function.calls or function.named]
    ran.sort(key=lambda function: -function.ns)
    return {
        "not_run": len(found) - len(ran),
        "truncated": max(len(ran) - MAX_FUNCTIONS, 0),
        "functions": [_function(function) for function in ran[:MAX_FUNCTIONS]],
    }


def _function(function: FunctionTime) -> dict[str, Any]:
    total = function.ns

    def describe(line: LineTime | None) -> dict[str, Any]:
        if line is None:
            return {"hits": 0}
        figures: dict[str, Any] = {
            "hits": line.hits,
            "ms": to_ms(line.ns),
            "ms_per_hit": round(line.ns / line.hits / 1e6, 6) if line.hits else None,
            "share": round(line.ns / total, 4) if total else 0.0,
        }
        if line.waited_ns:
            figures["waited_ms"] = to_ms(line.waited_ns)
        return figures

    dearest = dict(sorted(function.lines.items(), key=lambda item: -item[1].ns))
    lines, left_out = listing(function.code, dearest, describe)
    return {
        **heading(function.code),
        "calls": function.calls,
        "total_ms": to_ms(total),
        "waited_ms": to_ms(sum(line.waited_ns for line in function.lines.values())),
        "lines": lines,
        "left_out": left_out,
    }
