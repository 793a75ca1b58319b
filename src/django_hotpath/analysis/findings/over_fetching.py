"""What the rules about fetched and unread data share."""

from __future__ import annotations

from collections.abc import Iterable

from django_hotpath.analysis.findings.base import queries_of
from django_hotpath.analysis.usage_ledger import Use
from django_hotpath.capture import Capture, Predicted

CAREFUL = (
    "Other conditions, or other pages that use the line, may read it: three captures of this page "
    "with usage tell more."
)


def size(number: int) -> str:
    """Bytes for a sentence."""
    if number < 1_000:
        return f"{number} bytes"
    return f"{number / 1_000:,.1f} KB" if number < 1_000_000 else f"{number / 1_000_000:,.1f} MB"


def spent_ms(capture: Capture, indexes: Iterable[int]) -> float:
    """What these queries took."""
    queries = queries_of(capture)
    total: float = sum(queries[index]["duration_ms"] for index in indexes if index < len(queries))
    return round(total, 4)


def predicted(capture: Capture, change: int, saved_ms: float) -> Predicted | None:
    """None where nobody counted the queries."""
    recorded = capture.instruments.get("queries")
    if recorded is None:
        return None
    before = recorded["count"]
    return Predicted(queries=(before, before + change), saved_ms=round(saved_ms, 4))


def severity(use: Use, number: int, *, medium: int, high: int) -> str:
    """By the bytes that came for nothing; what one capture says is never more than low."""
    if not use.enough or number < medium:
        return "low"
    return "high" if number >= high else "medium"


def careful(use: Use) -> str:
    return "" if use.enough else f" {CAREFUL}"


def all_bytes(use: Use) -> int:
    """Of the rows and of all that was joined to them."""
    joined = (found.columns for found in use.loaded.values())
    parts = [use.columns, *(columns for columns in joined if columns is not None)]
    return sum(sum(part.bytes.values()) for part in parts)
