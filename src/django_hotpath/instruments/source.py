"""The lines of a piece of code with their text, as reports show them."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from itertools import dropwhile
from types import CodeType
from typing import Any, TypeVar

from django_hotpath.callsite import locate

MAX_LINES = 1_000
MAX_TEXT = 300
# Lines kept around each line that ran, in code too long to be kept whole.
_AROUND = 3

Cell = TypeVar("Cell")


def heading(code: CodeType) -> dict[str, Any]:
    """``file``, ``line``, ``function``, ``kind`` of the code."""
    where = locate(code.co_filename)
    return {
        "file": where.file,
        "line": code.co_firstlineno,
        "function": code.co_qualname,
        "kind": where.kind,
    }


def listing(
    code: CodeType, cells: Mapping[int, Cell], describe: Callable[[Cell | None], dict[str, Any]]
) -> tuple[list[dict[str, Any]], int]:
    """The lines of the code in order, and how many were left out.

    ``cells`` holds what was measured by line, the dearest first: of code that is too long to be
    kept whole, those come first. ``describe`` makes the figures of a line from its cell, and gets
    None for a line that can run but did not. A line without code of its own (a comment, a blank,
    the body of a nested function) has ``hits`` None and no figures.
    """
    text = _text(code)
    own = own_lines(code)
    first = min(code.co_firstlineno, *cells) if cells else code.co_firstlineno
    numbers = range(first, max([*own, *cells], default=first) + 1)
    kept = _kept(numbers, cells) if len(numbers) > MAX_LINES else set(numbers)
    lines = []
    for number in sorted(kept):
        line: dict[str, Any] = {"line": number, "source": text(number)}
        if number in cells or number in own:
            line |= describe(cells.get(number))
        else:
            line["hits"] = None
        lines.append(line)
    return lines, len(numbers) - len(kept)


def own_lines(code: CodeType) -> set[int]:
    """The lines that can run; the one of ``def`` only where the body is on it."""
    lines = [line for _start, _end, line in code.co_lines() if line is not None]
    # The first instructions set the frame up, on the line of the def.
    body = dropwhile(lambda line: line == code.co_firstlineno, lines)
    return set(body) or set(lines)


def _kept(numbers: range, cells: Mapping[int, Cell]) -> set[int]:
    found: set[int] = set(numbers[:_AROUND])
    for line in cells:
        if len(found) >= MAX_LINES:
            break
        found.update(
            range(max(line - _AROUND, numbers.start), min(line + _AROUND + 1, numbers.stop))
        )
    return found


def _text(code: CodeType) -> Callable[[int], str]:
    linecache.checkcache(code.co_filename)
    lines = linecache.getlines(code.co_filename)

    def text(number: int) -> str:
        if not 0 < number <= len(lines):
            return ""
        return lines[number - 1].rstrip().expandtabs(4)[:MAX_TEXT]

    return text
