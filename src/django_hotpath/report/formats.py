"""Figures as people read them: pure functions from numbers to text.

The same rules are in ``static/django_hotpath/kit.js`` for the rows that the browser builds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NBSP = "\u00a0"
THIN = "\u202f"
MINUS = "\u2212"
MISSING = "\u2013"
"""A dash: not measured, which is not zero."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")


def _grouped(text: str) -> str:
    return text.replace(",", THIN).replace("-", MINUS)


def _usable(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def count(value: float | None) -> str:
    """``20000`` as ``20 000``, with a thin space."""
    if value is None or not _usable(value):
        return MISSING
    return _grouped(f"{value:,.0f}")


def decimal(value: float | None, digits: int = 2) -> str:
    """A figure of a table column, whose header names the unit."""
    if value is None or not _usable(value):
        return MISSING
    return _grouped(f"{value:,.{digits}f}")


def ms_parts(value: float | None) -> tuple[str, str]:
    """Milliseconds as (figure, unit): three digits that matter, seconds from ten seconds on."""
    if value is None or not _usable(value):
        return MISSING, ""
    size = abs(value)
    if size >= 10_000:
        return decimal(value / 1000, 1), "s"
    digits = 0 if size >= 99.95 or size == 0 else 1 if size >= 9.995 else 2 if size >= 0.01 else 3
    return decimal(value, digits), "ms"


def ms(value: float | None) -> str:
    figure, unit = ms_parts(value)
    return f"{figure}{NBSP}{unit}" if unit else figure


def bytes_parts(value: float | None, *, signed: bool = False) -> tuple[str, str]:
    """Bytes as (figure, unit), in powers of 1,024; ``signed`` shows growth with a plus."""
    if value is None or not _usable(value):
        return MISSING, ""
    size, unit = abs(value), _BINARY[0]
    for unit in _BINARY:
        if size < 1024 or unit == _BINARY[-1]:
            break
        size /= 1024
    digits = 0 if unit == "B" or size >= 100 else 1 if size >= 10 else 2
    sign = MINUS if value < 0 else "+" if signed and value > 0 else ""
    return sign + _grouped(f"{size:,.{digits}f}"), unit


def byte_size(value: float | None, *, signed: bool = False) -> str:
    figure, unit = bytes_parts(value, signed=signed)
    return f"{figure}{NBSP}{unit}" if unit else figure


def percent(value: float | None) -> str:
    """A share from 0 to 1 as text; a little is never shown as nothing."""
    if value is None or not _usable(value):
        return MISSING
    if 0 < value < 0.001:
        return f"<{THIN}0.1{NBSP}%"
    return f"{value * 100:.1f}{NBSP}%" if value < 0.9995 else f"{value * 100:.0f}{NBSP}%"


def share(part: float | None, whole: float | None) -> float:
    """``part`` of ``whole`` from 0 to 1; 0 where there is no whole."""
    if not part or not whole or whole <= 0 or not _usable(part) or not _usable(whole):
        return 0.0
    return min(max(part / whole, 0.0), 1.0)


def round_to_total(values: Sequence[float], digits: int = 1) -> list[float]:
    """The values as percentages of their sum, rounded so that they add up to 100 exactly.

    Rounds down, then gives the units that are left to the largest remainders.
    """
    total = sum(values)
    if total <= 0:
        return [0.0 for _ in values]
    scale = 10**digits
    exact = [value / total * 100 * scale for value in values]
    units = [math.floor(value) for value in exact]
    left = 100 * scale - sum(units)
    by_remainder = sorted(range(len(values)), key=lambda i: exact[i] - units[i], reverse=True)
    for i in by_remainder[:left]:
        units[i] += 1
    return [unit / scale for unit in units]
