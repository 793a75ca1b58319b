"""What is counted, not timed: compared exactly, without statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django_hotpath.analysis.compare.model import Counted, Outcome
from django_hotpath.capture import Capture


def counts(a: Sequence[Capture], b: Sequence[Capture]) -> list[Counted]:
    """Those that at least one set measured in each of its runs."""
    found = []
    for name, label, unit, read in _COUNTS:
        before, after = _range(a, read), _range(b, read)
        if before is None and after is None:
            continue
        if not (before and any(before)) and not (after and any(after)) and name not in _ALWAYS:
            continue
        found.append(
            Counted(
                name=name,
                label=label,
                unit=unit,
                before=before,
                after=after,
                outcome=_outcome(before, after),
            )
        )
    return found


def _range(captures: Sequence[Capture], read: Callable[[Capture], Any]) -> tuple[int, int] | None:
    values = [read(capture) for capture in captures]
    numbers = [value for value in values if isinstance(value, int) and value is not True]
    return (min(numbers), max(numbers)) if numbers and len(numbers) == len(values) else None


def _outcome(before: tuple[int, int] | None, after: tuple[int, int] | None) -> Outcome:
    if before is None or after is None:
        return "refused"
    if after[1] < before[0]:
        return "less"
    if after[0] > before[1]:
        return "more"
    return "same" if before == after else "unclear"


def _in(instrument: str, key: str) -> Callable[[Capture], Any]:
    def read(capture: Capture) -> Any:
        data = capture.instruments.get(instrument)
        return data.get(key) if isinstance(data, dict) else None

    return read


def _duplicates(capture: Capture) -> int | None:
    data = capture.instruments.get("queries")
    if not isinstance(data, dict) or data.get("truncated"):
        return None
    texts = [(q.get("alias"), q.get("sql"), repr(q.get("params"))) for q in data["queries"]]
    return len(texts) - len(set(texts))


def _rows(capture: Capture) -> int | None:
    data = capture.instruments.get("queries")
    if not isinstance(data, dict) or data.get("truncated"):
        return None
    return sum(q.get("rows") or 0 for q in data["queries"])


def _allocated(capture: Capture) -> int | None:
    data = capture.instruments.get("allocations")
    if not isinstance(data, dict):
        return None
    found = data.get("peak")
    return found if isinstance(found, int) else None


_COUNTS: tuple[tuple[str, str, str, Callable[[Capture], Any]], ...] = (
    ("queries", "Queries", "", _in("queries", "count")),
    ("rows", "Rows fetched or written", "", _rows),
    ("repeated_queries", "Queries repeated to the letter", "", _duplicates),
    ("calls", "Function calls", "", _in("calls", "calls")),
    ("cache", "Cache operations", "", _in("cache", "count")),
    ("templates", "Templates rendered", "", _in("templates", "count")),
    ("http", "Calls of other services", "", _in("http", "count")),
    ("instances", "Model instances made", "", _in("objects", "created")),
    ("allocated", "Memory allocated at the peak", "bytes", _allocated),
    ("findings", "Findings", "", lambda capture: len(capture.findings)),
)
_ALWAYS = {"queries", "findings"}
