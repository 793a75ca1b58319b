"""How many bytes a value of a column is, about as the database sent it."""

from __future__ import annotations

from typing import Any

# Numbers, dates, UUIDs and the like; what does not have to be looked at.
_FIXED = 8


def value_bytes(value: Any) -> int:
    """Of the text or the bytes themselves, not of the Python object around them."""
    kind = type(value)
    if kind is str:
        return len(value) if value.isascii() else len(value.encode("utf-8", "replace"))
    if value is None:
        return 0
    if kind in (bytes, bytearray):
        return len(value)
    if kind is memoryview:
        return int(value.nbytes)
    if kind in (dict, list):
        return _of_json(value, 1_000)[0]
    return _FIXED


def _of_json(value: Any, budget: int) -> tuple[int, int]:
    """Bytes of a decoded document, and what is left of the values that may be looked at."""
    total = 2
    parts = [*value.keys(), *value.values()] if type(value) is dict else value
    for part in parts:
        if budget <= 0:
            break
        budget -= 1
        if type(part) in (dict, list):
            size, budget = _of_json(part, budget)
        else:
            size = value_bytes(part)
        total += size + 2
    return total, budget
