"""Any object as bounded text, without running a method of the application's own classes."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

MAX_TEXT = 200

_SCALARS = (
    bool,
    int,
    float,
    decimal.Decimal,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    uuid.UUID,
)


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def describe_value(value: Any) -> str:
    """A parameter as text: plain values as they are, everything else as its type."""
    kind = type(value)
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return shorten(repr(str.__str__(value)[: MAX_TEXT + 1]))
    if kind in _SCALARS or kind is datetime.datetime:
        return shorten(describe_object(value))
    number = _number(value)
    if number is not None:
        return str(number)
    if kind in (bytes, bytearray, memoryview):
        return f"<{kind.__name__}, {len(value):,} bytes>"
    if kind in (list, tuple):
        inner = ", ".join(describe_value(item) for item in value[:10])
        more = ", …" if len(value) > 10 else ""
        return shorten(f"[{inner}{more}]")
    return f"<{kind.__module__}.{kind.__qualname__}>"


def _number(value: Any) -> int | float | None:
    """What a number of a class of its own is worth: psycopg tells by them how large a column is.

    Read by the methods of ``int`` and ``float``, whatever those of the class are.
    """
    if isinstance(value, int):
        return int.__pos__(value)
    return float.__pos__(value) if isinstance(value, float) else None


def describe_object(value: Any) -> str:
    """``str(value)``, or its type where that fails."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


def describe_error(error: BaseException) -> str:
    """``Type: message``; the type alone where the message cannot be had."""
    message = describe_object(error)
    name = type(error).__name__
    return f"{name}: {shorten(message, 500)}" if message else name


def identity(value: Any) -> Any:
    """Something hashable that is equal for equal plain values of the same type.

    Objects that are not plain are equal to themselves alone.
    """
    kind = type(value)
    if isinstance(value, str):
        return (str, str.__str__(value))
    if value is None or kind is bytes or kind in _SCALARS or kind is datetime.datetime:
        return (kind, value)
    number = _number(value)
    if number is not None:
        return (kind, number)
    if kind in (list, tuple):
        return (kind, tuple(identity(item) for item in value))
    if kind is dict:
        return (kind, tuple((name, identity(item)) for name, item in value.items()))
    return (kind, id(value))
