"""The source of a file, to find expressions, loops and functions in, and to rewrite them.

Everywhere lines count from 1 and columns in characters from 0, as in an ``Edit``; Python's ``ast``
counts bytes.
"""

from __future__ import annotations

import ast
import os
import tokenize
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import NamedTuple

from django_hotpath.callsite import project_roots
from django_hotpath.capture import Edit

Function = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Loop = ast.For | ast.AsyncFor | ast.While | Comprehension

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_MAX_BYTES = 2_000_000


class Place(NamedTuple):
    """A stretch of a text; the end is not part of it."""

    line: int
    column: int
    end_line: int
    end_column: int


class Source:
    """Raises ``SyntaxError`` or ``ValueError`` where the text is no Python."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.text = text
        self.lines = text.split("\n")

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {
            child: parent
            for parent in ast.walk(self.tree)
            for child in ast.iter_child_nodes(parent)
        }

    def place(self, node: ast.expr | ast.stmt | ast.keyword) -> Place:
        end_line = node.end_lineno or node.lineno
        return Place(
            node.lineno,
            self._characters(node.lineno, node.col_offset),
            end_line,
            self._characters(end_line, node.end_col_offset or 0),
        )

    def _characters(self, line: int, in_bytes: int) -> int:
        text = self.lines[line - 1]
        return in_bytes if text.isascii() else len(text.encode()[:in_bytes].decode())

    def between(self, place: Place) -> str:
        """The text that stands there."""
        lines = self.lines[place.line - 1 : place.end_line]
        if not lines:
            return ""
        lines[-1] = lines[-1][: place.end_column]
        lines[0] = lines[0][place.column :]
        return "\n".join(lines)

    def text_of(self, node: ast.expr | ast.stmt | ast.keyword) -> str:
        """The node as it is written, without parentheses around it."""
        return self.between(self.place(node))

    def line_of(self, node: ast.expr | ast.stmt) -> str:
        """The same on one line, for a sentence."""
        text = self.text_of(node)
        return text if "\n" not in text else ast.unparse(node)

    def indent_of(self, statement: ast.stmt) -> str:
        line = self.lines[statement.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    def replace(self, file: str, node: ast.expr | ast.stmt | Place, new: str) -> Edit:
        place = node if isinstance(node, Place) else self.place(node)
        return Edit(file=file, **place._asdict(), old=self.between(place), new=new)

    def expression_at(self, place: Place) -> ast.expr | None:
        """The expression that stands exactly there."""
        for node in ast.walk(self.tree):
            if (
                isinstance(node, ast.expr)
                and node.lineno == place.line
                and self.place(node) == place
            ):
                return node
        return None

    def calls(self, line: int, name: str) -> list[ast.Call]:
        """Calls of a function or method of this name that the interpreter places on the line.

        Of a chain over several lines that is the line of the method's name.
        """
        return [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Call)
            and called_name(node) == name
            and line in (node.func.end_lineno, node.lineno)
        ]

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What it stands in, innermost first, to the end of its function, class or module."""
        while not isinstance(node, ast.Module):
            node = self.parents[node]
            yield node
            if isinstance(node, _SCOPES):
                return

    def statement_of(self, node: ast.AST) -> ast.stmt:
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return node

    def scope_of(self, node: ast.AST) -> ast.AST:
        """The function, class or module that it is part of."""
        return next((found for found in self.around(node) if isinstance(found, _SCOPES)), self.tree)

    def function_of(self, node: ast.AST) -> Function | None:
        scope = self.scope_of(node)
        return scope if isinstance(scope, Function) else None

    def loop_of(self, node: ast.AST) -> Loop | None:
        """The innermost loop or comprehension that runs it again and again, in its function."""
        inner = node
        for outer in self.around(node):
            if isinstance(outer, (ast.For, ast.AsyncFor)) and inner in outer.body:
                return outer
            if isinstance(outer, ast.While) and inner not in outer.orelse:
                return outer
            if isinstance(outer, _COMPREHENSIONS) and inner is not outer.generators[0]:
                return outer
            if isinstance(outer, ast.comprehension):
                # A condition is asked for each; what is looped over is asked for once.
                first = outer is getattr(self.parents[outer], "generators", [None])[0]
                if not (first and inner is outer.iter):
                    found = self.parents[outer]
                    return found if isinstance(found, _COMPREHENSIONS) else None
            inner = outer
        return None

    def loop_at(self, line: int) -> ast.For | ast.AsyncFor | ast.While | None:
        """The innermost loop statement whose body has this line."""
        found: ast.For | ast.AsyncFor | ast.While | None = None
        for node in ast.walk(self.tree):
            if isinstance(node, _LOOPS) and _has(node.body, line):
                # Whatever is walked later and has the line too, lies deeper.
                found = node
        return found

    def made_by(self, node: ast.expr) -> ast.expr | None:
        """The expression itself, or the one that a name gets, once and before, in its function."""
        if not isinstance(node, ast.Name):
            return node
        scope = self.scope_of(node)
        stores = [found for found in uses(scope, node.id) if not isinstance(found.ctx, ast.Load)]
        if len(stores) != 1 or stores[0].lineno >= node.lineno:
            return None
        statement = self.parents[stores[0]]
        if isinstance(statement, ast.Assign) and statement.targets == [stores[0]]:
            return statement.value
        return statement.value if isinstance(statement, ast.AnnAssign) else None

    def function_at(self, line: int) -> Function | None:
        """The innermost function that has this line."""
        found: Function | None = None
        for node in ast.walk(self.tree):
            if isinstance(node, Function) and node.lineno <= line <= (node.end_lineno or 0):
                # Whatever is walked later and has the line too, lies deeper.
                found = node
        return found

    def block_of(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements that it is one of."""
        for _name, value in ast.iter_fields(self.parents[statement]):
            if isinstance(value, list) and any(found is statement for found in value):
                return value
        return [statement]


def _has(body: list[ast.stmt], line: int) -> bool:
    last = body[-1]
    return body[0].lineno <= line <= (last.end_lineno or last.lineno)


def called_name(call: ast.Call) -> str:
    """The last name of what is called: ``get`` in ``Book.objects.get()``."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def receiver(call: ast.Call) -> ast.expr | None:
    """What the method is called on: ``Book.objects`` in ``Book.objects.get()``."""
    return call.func.value if isinstance(call.func, ast.Attribute) else None


def bound(*nodes: ast.AST) -> frozenset[str]:
    """Names that get a value in them, also by ``import``, ``with``, ``except`` and ``def``."""
    names: set[str] = set()
    for node in (found for top in nodes for found in ast.walk(top)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) or (
            isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name
        ):
            names.add(node.name or "")
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.arg):
            names.add(node.arg)
    return frozenset(names)


def used(*nodes: ast.AST) -> frozenset[str]:
    """Names whose value is read in them."""
    return frozenset(
        node.id
        for top in nodes
        for node in ast.walk(top)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    )


def uses(top: ast.AST, name: str) -> list[ast.Name]:
    """Every place at which the name is read, written or deleted."""
    return [node for node in ast.walk(top) if isinstance(node, ast.Name) and node.id == name]


def import_for(source: Source, name: str, module: str) -> tuple[str, ...] | None:
    """The line that a name of a module needs, none where it is there; None: it is something else.

    A module below that one may have been its source: Django hands names on.
    """
    for statement in source.tree.body:
        if isinstance(statement, ast.ImportFrom) and any(
            (alias.asname or alias.name) == name for alias in statement.names
        ):
            return () if (statement.module or "").startswith(module) else None
    return None if name in bound(source.tree) else (f"from {module} import {name}",)


def project_source(file: str) -> Source | None:
    """The source of a file named as captures do it; None where it cannot be read.

    It is the file as it is now, which may be another than the one that ran.
    """
    for path in _candidates(file):
        try:
            stat = os.stat(path)
            if stat.st_size <= _MAX_BYTES:
                return _read(path, stat.st_mtime_ns, stat.st_size)
        except (OSError, ValueError):
            continue
    return None


def _candidates(file: str) -> Iterator[str]:
    if file.startswith("<"):
        return
    # An absolute path stays what it is.
    yield from dict.fromkeys(os.path.join(root, file) for root in project_roots())


@lru_cache(maxsize=4)
def _read(path: str, _changed: int, _size: int) -> Source | None:
    try:
        with tokenize.open(path) as opened:
            return Source(opened.read())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
