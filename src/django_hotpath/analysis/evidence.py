"""What was asked of a queryset, and whether the source uses the answer for anything else."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.findings.base import (
    Query,
    is_answered,
    queries_of,
    severity_by_cost,
    site_of,
    total_ms,
)
from django_hotpath.analysis.orm import Entry, orm_of
from django_hotpath.analysis.sourcecode import Function, Place, Source, project_source, uses
from django_hotpath.capture import CallSite, Capture, Predicted

# Whoever calls one of these may look at any name.
_LOOKS_AT_ALL = frozenset({"locals", "vars", "eval", "exec", "dir"})
# So many objects cost more than the statement shows.
_MEDIUM_ROWS = 1_000
_NOT_MORE = {ast.Gt: 0, ast.NotEq: 0, ast.GtE: 1}
_NONE = {ast.Eq: 0, ast.Lt: 1, ast.LtE: 0}
_MIRRORED: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.Lt,
    ast.Lt: ast.Gt,
    ast.GtE: ast.LtE,
    ast.LtE: ast.GtE,
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
}


@dataclass(frozen=True)
class Asked:
    """Queries that one expression of the project ran: ``node`` stands in ``source``."""

    capture: Capture
    queries: Sequence[Query]
    entry: Entry
    source: Source
    node: ast.expr

    @property
    def file(self) -> str:
        return str(self.entry["read"]["file"])

    @property
    def site(self) -> CallSite | None:
        return site_of(self.queries[0])

    @property
    def rows(self) -> int:
        """Of the query that fetched most."""
        return max((query.get("rows") or 0) for query in self.queries)


def asked(capture: Capture, method: str, limit: int) -> Iterator[Asked]:
    """What the ORM was asked by this method in functions of the project, fewer than N times.

    A loop has another cure.
    """
    by_entry: dict[int, list[Query]] = defaultdict(list)
    for query in queries_of(capture):
        entry = orm_of(capture, query)
        if entry.get("method") == method and "read" in entry and is_answered(query):
            by_entry[query["orm"]].append(query)
    for queries in by_entry.values():
        if len(queries) >= limit:
            continue
        entry = orm_of(capture, queries[0])
        found = _expression(entry["read"])
        if found is not None and not (entry.get("raw") or entry.get("locks")):
            yield Asked(capture, queries, entry, *found)


def _expression(read: Mapping[str, Any]) -> tuple[Source, ast.expr] | None:
    source = project_source(read["file"])
    if source is None:
        return None
    place = _place(read)
    if source.between(place) != read["text"]:
        return None
    node = source.expression_at(place) or _test_of_statement(source, place)
    if isinstance(node, ast.IfExp):
        node = node.test
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node = node.operand
    if node is None:
        return None
    if not isinstance(source.scope_of(node), Function):
        return None
    # Before Python 3.12 the places of what is in an f-string are made up.
    return (
        None
        if any(isinstance(outer, ast.JoinedStr) for outer in source.around(node))
        else (
            source,
            node,
        )
    )


def _test_of_statement(source: Source, place: Place) -> ast.expr | None:
    """What an ``if`` asks: before Python 3.12 the question's place is the whole statement."""
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.If, ast.While, ast.Assert)) and source.place(node) == place:
            return node.test
    return None


def _place(found: Mapping[str, Any]) -> Place:
    return Place(found["line"], found["column"], found["end_line"], found["end_column"])


def is_only_for_this(found: Asked, queryset: ast.expr) -> bool:
    """Whether nobody else has the queryset: it is made right here, or in a name for this alone."""
    made = found.entry.get("made")
    value = found.source.made_by(queryset)
    if value is None or not made or made["file"] != found.file:
        return False
    if found.source.place(value) != _place(made) or found.source.text_of(value) != made["text"]:
        return False
    if not isinstance(queryset, ast.Name):
        return True
    scope = found.source.scope_of(queryset)
    if found.source.loop_of(queryset) is not found.source.loop_of(value):
        return False
    return len(uses(scope, queryset.id)) == 2 and not any(
        isinstance(node, (ast.Global, ast.Nonlocal))
        or (isinstance(node, ast.Name) and node.id in _LOOKS_AT_ALL)
        for node in ast.walk(scope)
    )


def zero_test(source: Source, node: ast.expr) -> tuple[ast.expr, bool] | None:
    """(what asks whether there are any, whether it asks for none) of a number; None: it is used.

    ``n > 0``, ``n == 0``, ``bool(n)``, ``not n``, ``if n``.
    """
    parent = source.parents[node]
    if isinstance(parent, ast.Compare) and len(parent.ops) == 1:
        return _compared(parent, node)
    if (
        isinstance(parent, ast.Call)
        and isinstance(parent.func, ast.Name)
        and parent.func.id == "bool"
        and parent.args == [node]
    ):
        return parent, False
    return (node, False) if is_tested(source, node) else None


def _compared(compare: ast.Compare, node: ast.expr) -> tuple[ast.expr, bool] | None:
    (operator,), (right,) = compare.ops, compare.comparators
    kind, other = type(operator), right
    if right is node:
        other = compare.left
        mirrored = _MIRRORED.get(kind)
        if mirrored is None:
            return None
        kind = mirrored
    if not isinstance(other, ast.Constant) or type(other.value) is not int:
        return None
    if _NOT_MORE.get(kind) == other.value:
        return compare, False
    return (compare, True) if _NONE.get(kind) == other.value else None


def is_tested(source: Source, node: ast.expr) -> bool:
    """Whether only its truth counts."""
    parent = source.parents[node]
    if isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)):
        return parent.test is node
    if isinstance(parent, ast.comprehension):
        return node in parent.ifs
    if isinstance(parent, ast.UnaryOp):
        return isinstance(parent.op, ast.Not)
    return isinstance(parent, ast.BoolOp) and is_tested(source, parent)


def unchanged(found: Asked, *, without_prefetches: bool = False) -> Predicted:
    """As many queries as before, or without those that prefetched; and what could be saved."""
    total = found.capture.instruments["queries"]["count"]
    prefetches: list[Query] = []
    if without_prefetches and found.entry.get("prefetch_related"):
        asked_for = {query["index"] for query in found.queries}
        prefetches = [
            query
            for query in queries_of(found.capture)
            if query.get("of") in asked_for
            and orm_of(found.capture, query).get("method") == "prefetch"
        ]
    return Predicted(
        queries=(total, total - len(prefetches)),
        saved_ms=round(most_saved(found) + total_ms(prefetches), 4),
    )


def severity_of_rows(found: Asked, predicted: Predicted) -> str:
    """By what is saved; many rows for one figure are never low."""
    severity = severity_by_cost(predicted.saved_ms, found.capture.timing.wall_ms)
    return "medium" if severity == "low" and found.rows >= _MEDIUM_ROWS else severity


def most_saved(found: Asked) -> float:
    """Their time without that of as many of the quickest statements: the way there and back."""
    quickest: float = min(query["duration_ms"] for query in queries_of(found.capture))
    return max(round(total_ms(found.queries) - len(found.queries) * quickest, 4), 0.0)
