"""How much slower engines made the code, in words: from a capture's ``overhead.engines``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_UNNOTICED = 1.005


def words(low: float, high: float) -> str:
    """``1.2 to 1.6 times slower``, or that nobody would notice."""
    if high < _UNNOTICED:
        return "not noticeably slower"
    least, most = _times(low), _times(high)
    return f"about {most} times slower" if least == most else f"{least} to {most} times slower"


def clauses(engines: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """One for each engine that makes code slower."""
    for name, found in engines.items():
        where = "measured here" if found["measured"] else "not yet measured here"
        slower = words(*found["slower"])
        yield f"{name} by {found['engine']} makes Python code {slower} ({where})"


def _times(factor: float) -> str:
    return f"{factor:.1f}" if factor < 9.95 else f"{factor:.0f}"
