"""Applies the edits of a fix to the text of a source file."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from django_hotpath.capture import Edit


class DoesNotFit(ValueError):
    """The source is not the one that the edits were made for."""


def apply_edits(source: str, edits: Iterable[Edit], imports: Sequence[str] = ()) -> str:
    """The source with all edits made, and with the import lines that it does not have yet.

    All edits are of this one file. Raises ``DoesNotFit`` where the old text is not in its place.
    """
    lines = _lines(source)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    # From the end, so that earlier places stay where they are; what is only put in comes after
    # what is replaced at the same place.
    for edit in sorted(edits, key=_position, reverse=True):
        if not 1 <= edit.line <= edit.end_line <= len(lines):
            raise DoesNotFit(f"{edit.file} has no line {edit.end_line}")
        begin = starts[edit.line - 1] + edit.column
        end = starts[edit.end_line - 1] + edit.end_column
        if source[begin:end] != edit.old:
            raise DoesNotFit(f"{edit.file}:{edit.line} is not {edit.old!r}")
        source = source[:begin] + edit.new + source[end:]
    missing = [line for line in imports if line not in source.splitlines()]
    return _with_imports(source, missing) if missing else source


def _lines(source: str) -> list[str]:
    """Lines as Python counts them: a form feed or a Unicode line separator ends none."""
    return [f"{line}\n" for line in source.split("\n")[:-1]] + [source.rpartition("\n")[2]]


def _position(edit: Edit) -> tuple[int, int, int, int]:
    return (edit.line, edit.column, edit.end_line, edit.end_column)


def _with_imports(source: str, missing: Sequence[str]) -> str:
    lines = _lines(source)
    lines.insert(_first_import(source), "".join(f"{line}\n" for line in missing))
    return "".join(lines)


def _first_import(source: str) -> int:
    """The number of lines before the place where an import may stand."""
    at = 0
    for position, node in enumerate(ast.parse(source).body):
        is_docstring = (
            position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        )
        is_future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
        if not (is_docstring or is_future):
            break
        at = node.end_lineno or at
    return at
