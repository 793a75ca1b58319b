"""Reads and rewrites the expressions that make querysets."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from django_hotpath.analysis.fixes.loop import place_of, source_at
from django_hotpath.analysis.sourcecode import Source, called_name
from django_hotpath.capture import Edit

# A method of a queryset has to stand before these: they run it, or take it as it is.
_ENDS = frozenset(
    [
        *["get", "first", "last", "earliest", "latest", "iterator", "in_bulk", "count", "exists"],
        *["aget", "afirst", "alast", "aearliest", "alatest", "aiterator", "ain_bulk", "aggregate"],
        *["union", "intersection", "difference", "contains", "explain"],
        *["get_or_create", "update_or_create", "aget_or_create", "aupdate_or_create"],
    ]
)


class _Method(ast.Call):
    """A call of a method, for the type checker."""

    func: ast.Attribute


COMBINES = frozenset(["union", "intersection", "difference"])


@dataclass(frozen=True)
class Chain:
    """``receiver.accessor`` and the steps after it: (method, its arguments as written)."""

    receiver: str
    steps: tuple[tuple[str, str], ...]
    calls: tuple[ast.Call, ...]
    subscript: str

    def text(self, first: str) -> str:
        """The same steps on another beginning."""
        return first + "".join(f".{name}({given})" for name, given in self.steps) + self.subscript


def with_call(made: Mapping[str, Any] | None, call: str) -> tuple[Edit, str] | None:
    """The expression with ``.call`` in the right place, as an edit and as text.

    None where the source is not there any more or is not understood.
    """
    source = source_at(made)
    node = expression(source, made)
    if source is None or made is None or node is None:
        return None
    longer = _with_argument(source, made, node, call)
    if longer is not None:
        return longer
    base = stem(node)
    if _is_all(base):
        # .all() has said what there is to say.
        return _replaced(source, made, base.func.value, base, f".{call}")
    return insert_after(source, made, base, f".{call}")


def _is_all(node: ast.expr) -> TypeGuard[_Method]:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "all"
        and not node.args
    )


def _with_argument(
    source: Source, made: Mapping[str, Any], node: ast.expr, call: str
) -> tuple[Edit, str] | None:
    """One more name in the call that is there already."""
    method, _open, given = call.partition("(")
    if method not in {"select_related", "prefetch_related"}:
        return None
    for found in methods(node):
        if called_name(found) == method and found.args and not found.keywords:
            if any(isinstance(argument, ast.Starred) for argument in found.args):
                return None
            return _replaced(source, made, found.args[-1], found, f", {given}")
    return None


def _replaced(
    source: Source, made: Mapping[str, Any], after: ast.expr, until: ast.expr, text: str
) -> tuple[Edit, str]:
    """``text`` in place of what stands between the ends of the two."""
    whole, begin, end = place_of(made), source.place(after), source.place(until)
    before = source.between(whole._replace(end_line=begin.end_line, end_column=begin.end_column))
    rest = source.between(whole._replace(line=end.end_line, column=end.end_column))
    new = f"{before}{text}{rest}"
    return source.replace(str(made["file"]), whole, new), new


def insert_after(
    source: Source, made: Mapping[str, Any], node: ast.expr, text: str
) -> tuple[Edit, str]:
    whole = place_of(made)
    end = source.place(node)
    before = source.between(whole._replace(end_line=end.end_line, end_column=end.end_column))
    after = source.between(whole._replace(line=end.end_line, column=end.end_column))
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.IfExp, ast.Await)):
        before = f"({before})"
    new = f"{before}{text}{after}"
    return source.replace(str(made["file"]), whole, new), new


def expression(source: Source | None, made: Mapping[str, Any] | None) -> ast.expr | None:
    if source is None or made is None:
        return None
    return source.expression_at(place_of(made))


def stem(node: ast.expr) -> ast.expr:
    """The part that is still a queryset or manager to be changed."""
    while True:
        if isinstance(node, (ast.Subscript, ast.Await)):
            node = node.value
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _ENDS
        ):
            node = node.func.value
        else:
            return node


def methods(node: ast.expr) -> list[ast.Call]:
    """The calls of a chain, the last one first."""
    found = []
    while True:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found.append(node)
            node = node.func.value
        elif isinstance(node, (ast.Subscript, ast.Await, ast.Attribute)):
            node = node.value
        else:
            return found


def chain_from(text: str, accessor: str) -> Chain | None:
    """``author.books.filter(published=True)[:3]`` split at the relation."""
    try:
        source = Source(text)
    except (SyntaxError, ValueError, RecursionError):
        return None
    statement = source.tree.body[0] if len(source.tree.body) == 1 else None
    if not isinstance(statement, ast.Expr):
        return None
    node, subscript = statement.value, ""
    if isinstance(node, ast.Await):
        node = node.value
    if isinstance(node, ast.Subscript):
        subscript = f"[{source.text_of(node.slice)}]"
        node = node.value
    steps: list[tuple[str, str]] = []
    calls: list[ast.Call] = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        given = [source.text_of(found) for found in node.args]
        given += [source.text_of(found) for found in node.keywords]
        steps.insert(0, (node.func.attr, ", ".join(given)))
        calls.insert(0, node)
        node = node.func.value
    if not (isinstance(node, ast.Attribute) and node.attr == accessor):
        return None
    return Chain(source.text_of(node.value), tuple(steps), tuple(calls), subscript)


def is_all(chain: Chain) -> bool:
    return not chain.subscript and all(name == "all" for name, _given in chain.steps)
