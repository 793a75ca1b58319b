"""Finds the lines that are marked in the sources of the cases.

A spot is spelled ``place:label``. The place is empty for the case's own function, the name of
another function or class of its module, ``module.name`` for one of another module of cases,
``models`` for the models of the library, or the name of a template. The label is the comment's:
``# read: label``.
"""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = "tests/findings/cases"
MODELS = "tests/library/models.py"
TEMPLATES = "tests/library/templates/library"

_MARK = re.compile(r"#\s*(origin|read)(?::\s*([\w ]+?))?\s*(?:#\}|$)")


class Spot(tuple):
    """A file as captures name it, and the line."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"{self[0]}:{self[1]}"


def find(mark: str, spot: str, module: str, function: str) -> Spot:
    """The line marked ``# mark: label``; a ``LookupError`` where there is not exactly one."""
    place, _colon, label = spot.partition(":")
    file, begin, end = _range(place, module, function)
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    found = [
        number
        for number, line in enumerate(lines[begin - 1 : end], start=begin)
        for name, its_label in _MARK.findall(line)
        if name == mark and its_label == label
    ]
    if len(found) != 1:
        raise LookupError(
            f"{len(found)} lines of {file} ({place or function}) say # {mark}: {label}"
        )
    return Spot((file, found[0]))


def _range(place: str, module: str, function: str) -> tuple[str, int, int]:
    if place.endswith(".html"):
        return f"{TEMPLATES}/{place}", 1, 10**6
    if place == "models":
        return MODELS, 1, 10**6
    other, dot, name = place.rpartition(".")
    file = f"{CASES}/{other if dot else module}.py"
    return file, *_lines(file, name or function)


@functools.cache
def _lines(file: str, name: str) -> tuple[int, int]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for node in tree.body:
        is_named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if is_named and node.name == name:
            return node.lineno, node.end_lineno or node.lineno
    raise LookupError(f"{file} has no {name}")
