"""Parameters as JSON from which the same values can be made again: for explaining a statement.

A value is held as itself where JSON has it (a text, a whole number, ``true``, ``null``), otherwise
as ``{"type": ..., "value": ...}``; what may not or cannot be held is ``{"type": ...}`` alone.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import uuid
from collections.abc import Callable
from typing import Any

from django_hotpath import redact
from django_hotpath.analysis.placeholders import Reading

MAX_VALUES = 1_000
MAX_TEXT = 2_000
MAX_BYTES = 256
MAX_BITS = 128
MAX_ITEMS = 1_000

_MASKED = {"type": "redacted"}


class NotHeld(ValueError):
    """The capture does not hold this value; the text is its type."""


def held(params: Any, reading: Reading | None) -> list[Any] | dict[str, Any] | None:
    """Parallel to the parameters, at most 1,000 of them; None where not one value is held.

    Named parameters (``%(name)s``) give a dict. Whatever ``reading`` says is not to be shown is not
    held, as in the texts of the parameters.
    """
    found: list[Any] | dict[str, Any]
    if isinstance(params, dict):
        shown = None if reading is None else reading.shown_names
        found = {
            str(name): _MASKED
            if redact.is_secret(str(name)) or (shown is not None and name not in shown)
            else encode(value)
            for name, value in list(params.items())[:MAX_VALUES]
        }
        entries = list(found.values())
    elif isinstance(params, (list, tuple)) and params:
        if reading is not None and reading.count != len(params):
            return None
        masked = frozenset() if reading is None else reading.masked
        found = entries = [
            _MASKED if position in masked else encode(value)
            for position, value in enumerate(params[:MAX_VALUES])
        ]
    else:
        return None
    return found if any(is_held(entry) for entry in entries) else None


def encode(value: Any) -> Any:
    """The value as JSON; ``{"type": ...}`` where it is not held."""
    if value is None or value is True or value is False:
        return value
    # Subclasses (choices, the integers of psycopg) go to the driver as what they are made from.
    if isinstance(value, str):
        text = str.__str__(value)
        if len(text) > MAX_TEXT:
            return {"type": "str"}
        return text if redact.json_text(text) == text else _MASKED
    if isinstance(value, int):
        number = int.__int__(value)
        return number if number.bit_length() <= MAX_BITS else {"type": "int"}
    if type(value) is float and math.isfinite(value):
        return value
    name = type(value).__name__
    encoder = _ENCODERS.get(type(value))
    try:
        encoded = None if encoder is None else encoder(value)
    except Exception:
        encoded = None
    return {"type": name} if encoded is None else {"type": name, "value": encoded}


def is_held(entry: Any) -> bool:
    return not isinstance(entry, dict) or "value" in entry


def decode(entry: Any) -> Any:
    """The value of an entry; raises ``NotHeld``."""
    if not isinstance(entry, dict):
        return entry
    kind = str(entry.get("type"))
    if "value" not in entry or kind not in _DECODERS:
        raise NotHeld(kind)
    try:
        return _DECODERS[kind](entry["value"])
    except (TypeError, ValueError, ArithmeticError) as error:
        raise NotHeld(kind) from error


def _bytes(value: Any) -> str | None:
    return None if len(value) > MAX_BYTES else base64.b64encode(bytes(value)).decode("ascii")


def _items(value: Any) -> list[Any] | None:
    if len(value) > MAX_ITEMS:
        return None
    found = [encode(item) for item in value]
    return found if all(is_held(item) for item in found) else None


_ENCODERS: dict[type, Callable[[Any], Any]] = {
    float: repr,
    decimal.Decimal: str,
    datetime.datetime: datetime.datetime.isoformat,
    datetime.date: datetime.date.isoformat,
    datetime.time: datetime.time.isoformat,
    datetime.timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    uuid.UUID: str,
    bytes: _bytes,
    bytearray: _bytes,
    memoryview: _bytes,
    list: _items,
    tuple: _items,
}
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "Decimal": decimal.Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "timedelta": lambda value: datetime.timedelta(*value),
    "UUID": uuid.UUID,
    "bytes": base64.b64decode,
    "bytearray": base64.b64decode,
    "memoryview": base64.b64decode,
    "list": lambda value: [decode(item) for item in value],
    "tuple": lambda value: tuple(decode(item) for item in value),
}
