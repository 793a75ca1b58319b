"""From a place in a code object to the expression and the function in the source."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import textwrap
from types import CodeType
from typing import NamedTuple

MAX_TEXT = 200

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Span(NamedTuple):
    """Where an expression stands in its file; columns count bytes, as in ``ast``."""

    line: int
    end_line: int
    column: int
    end_column: int


@functools.lru_cache(maxsize=4096)
def span(code: CodeType, offset: int) -> Span | None:
    """The expression that the instruction at ``offset`` belongs to; None where it is not known."""
    for index, found in enumerate(code.co_positions()):
        if index * 2 == offset:
            line, end_line, column, end_column = found
            if line is None or end_line is None or column is None or end_column is None:
                return None
            return Span(line, end_line, column, end_column)
    return None


def position(code: CodeType, offset: int) -> int:
    """A number for the expression that runs at ``offset``.

    The offset itself will not do: of one instruction it is another once it was specialised.
    """
    found = span(code, offset)
    if found is None:
        return -1 - offset
    return (found.line * 10_000 + found.column) * 10_000 + found.end_column


@functools.lru_cache(maxsize=4096)
def line_of(code: CodeType, offset: int) -> int:
    """The line of the instruction at ``offset``; the function's first where it is not known."""
    for index, (line, *_rest) in enumerate(code.co_positions()):
        if index * 2 == offset and line is not None:
            return line
    return code.co_firstlineno


@functools.lru_cache(maxsize=4096)
def expression(code: CodeType, offset: int) -> str | None:
    """The source text of that expression on one line, cut at 200 characters."""
    found = span(code, offset)
    if found is None:
        return None
    lines = linecache.getlines(code.co_filename)[found.line - 1 : found.end_line]
    chosen = [line.encode() for line in lines]
    if not chosen:
        return None
    chosen[-1] = chosen[-1][: found.end_column]
    chosen[0] = chosen[0][found.column :]
    text = " ".join(b"".join(chosen).decode(errors="replace").split())
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


@functools.lru_cache(maxsize=64)
def function_tree(code: CodeType) -> Function | None:
    """The function as it stands in its file, with the file's line numbers and columns.

    None where there is no source, or the source does not hold that function there (any more).
    """
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]
    if not lines:
        return None
    try:
        block = "".join(inspect.getblock(lines))
        indented = block[:1].isspace()
        tree = ast.parse(f"if 1:\n{block}" if indented else block)
    except (SyntaxError, ValueError, RecursionError):
        return None
    first = tree.body[0] if tree.body else None
    if indented and isinstance(first, ast.If):
        first = first.body[0]
    if not isinstance(first, Function) or first.name != code.co_name:
        return None
    ast.increment_lineno(first, code.co_firstlineno - (2 if indented else 1))
    return first


def parse_expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(textwrap.dedent(text), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None
