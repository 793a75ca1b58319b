"""``line_memory``: by how much each line of the view made memory grow."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType
from typing import Any, NamedTuple

from django_hotpath.instruments.base import Session
from django_hotpath.instruments.memory_reading import Reader, reader
from django_hotpath.instruments.source import heading, listing
from django_hotpath.instruments.targeted import Targeted

MAX_FUNCTIONS = 100


class LineGrowth(NamedTuple):
    """Bytes: ``increment`` of all hits together, ``peak`` of the whole reading."""

    hits: int
    increment: int
    peak: int


class FunctionGrowth(NamedTuple):
    code: CodeType
    named: bool
    calls: int
    lines: dict[int, LineGrowth]

    @property
    def increment(self) -> int:
        return sum(line.increment for line in self.lines.values())


class LineMemory(Targeted):
    name = "line_memory"
    measures = (
        "Each line of the view, or of the code you name: by how much the memory in use grew while "
        "it ran, with all that it called, and the highest it was seen."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._reader: Reader | None = None
        self._unit: str | None = None
        self._before: int | None = None
        self._after: int | None = None

    def open(self) -> Reader:
        """The reader to use from here on; ``close_reader`` ends it."""
        self._reader = found = self.make_reader()
        self._unit = found.unit
        self._before = found.read()[0]
        return found

    def make_reader(self) -> Reader:
        return reader()

    def close_reader(self) -> None:
        """Safe to call twice."""
        found, self._reader = self._reader, None
        if found is not None:
            self._after = found.read()[0]
            found.close()
            if self._after == 0:
                self._after = None
                self.warnings.append(
                    f"{self.name}: tracemalloc was stopped meanwhile, its figures end there"
                )

    def begin_stream(self) -> None:
        if self._unit == "traced":
            # The tracing is that of allocations, which end here too.
            self.stop()
            self.warnings.append(f"{self.name} ended where the streaming began")

    def result(self) -> dict[str, Any]:
        return {
            **self.asked(),
            "unit": self._unit,
            "before": self._before,
            "after": self._after,
            **table(self.growths()),
        }

    def growths(self) -> list[FunctionGrowth]:
        """What was measured, a function or other piece of code each."""
        raise NotImplementedError


def table(functions: Iterable[FunctionGrowth]) -> dict[str, Any]:
    """The functions that ran, the one that grew most first, and those asked for by name."""
    found = list(functions)
    ran = [function for function in found if function.lines or function.calls or function.named]
    ran.sort(key=lambda function: -function.increment)
    return {
        "not_run": len(found) - len(ran),
        "truncated": max(len(ran) - MAX_FUNCTIONS, 0),
        "functions": [_function(function) for function in ran[:MAX_FUNCTIONS]],
    }


def _function(function: FunctionGrowth) -> dict[str, Any]:
    def describe(line: LineGrowth | None) -> dict[str, Any]:
        if line is None:
            return {"hits": 0}
        return {"hits": line.hits, "increment": line.increment, "peak": line.peak}

    largest = dict(sorted(function.lines.items(), key=lambda item: -abs(item[1].increment)))
    lines, left_out = listing(function.code, largest, describe)
    return {
        **heading(function.code),
        "calls": function.calls,
        "increment": function.increment,
        "peak": max((line.peak for line in function.lines.values()), default=None),
        "lines": lines,
        "left_out": left_out,
    }
