"""``sum_for_aggregate``: rows were fetched to add up one of their columns."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from django_hotpath.analysis.evidence import (
    Asked,
    asked,
    is_only_for_this,
    severity_of_rows,
    unchanged,
)
from django_hotpath.analysis.findings.base import Limits, indexes, placed, total_ms
from django_hotpath.analysis.sourcecode import Function, Source, import_for, uses
from django_hotpath.capture import Capture, Edit, Finding, Fix

MIN_ROWS = 20
_ADVICE = "Let the database add up. Of no rows the sum is None there: hence or 0."
_ADVICE_OF_LIST = "Let the database work the figures out. Of no rows they are None, but for Count."
_IMPORT = "from django.db.models import {}"
# Where an expression may stand without parentheses of its own.
_OPEN = (ast.Assign, ast.AnnAssign, ast.Return, ast.keyword, ast.Expr, ast.Call, ast.Dict, ast.List)
# What Python makes of a list of numbers, and the database of a column, with the key they get.
_AGGREGATES = {"sum": "Sum", "len": "Count", "min": "Min", "max": "Max"}
_KEYS = {"sum": "total", "len": "number", "min": "least", "max": "most"}


class _Summed(NamedTuple):
    """``call`` is the one ``sum()``; None where a list of the numbers is kept for several ``asked``
    of it."""

    queryset: ast.expr
    call: ast.Call | None
    field: str
    kind: str
    asked: tuple[str, ...] = ("sum",)


def sum_for_aggregate(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """``sum(book.price for book in books)``, where nobody else looks at the books.

    Or ``prices = [book.price for book in books]``, of which only ``sum(prices)``, ``len(prices)``,
    ``min(prices)`` or ``max(prices)`` are asked, the sum among them.
    """
    for found in asked(capture, "iterate", limits.n_plus_one):
        queryset = found.node
        # Before Python 3.13 what asks for the rows is the comprehension as a whole.
        if isinstance(queryset, (ast.GeneratorExp, ast.ListComp)):
            queryset = queryset.generators[0].iter
        summed = _summed(found, queryset)
        if summed and found.rows >= MIN_ROWS and is_only_for_this(found, queryset):
            yield _finding(found, summed)


def _summed(found: Asked, queryset: ast.expr) -> _Summed | None:
    source = found.source
    generator = source.parents[queryset]
    if (
        not isinstance(generator, ast.comprehension)
        or generator.iter is not queryset
        or generator.ifs
        or generator.is_async
        or not isinstance(generator.target, ast.Name)
    ):
        return None
    rows = source.parents[generator]
    if not isinstance(rows, (ast.GeneratorExp, ast.ListComp)) or len(rows.generators) != 1:
        return None
    value = rows.elt
    if not isinstance(value, ast.Attribute) or not isinstance(value.value, ast.Name):
        return None
    kind = found.entry.get("numbers", {}).get(value.attr)
    if value.value.id != generator.target.id or kind is None:
        return None
    if found.entry.get("combinator") or found.entry.get("values"):
        return None
    outer = source.parents[rows]
    if isinstance(outer, ast.Assign) and isinstance(rows, ast.ListComp):
        asked_of = _asked_of(source, outer)
        return _Summed(queryset, None, value.attr, kind, asked_of) if asked_of else None
    if not isinstance(outer, ast.Call) or _function(outer, rows) != "sum":
        return None
    return _Summed(queryset, outer, value.attr, kind)


def _function(call: ast.Call, argument: ast.expr) -> str | None:
    """The name of the function that gets this argument and no other one."""
    if not isinstance(call.func, ast.Name) or call.args != [argument] or call.keywords:
        return None
    return call.func.id


def _asked_of(source: Source, kept: ast.Assign) -> tuple[str, ...]:
    """The functions that get the list; none where anybody else does, or where it is not added
    up."""
    (target, *others) = kept.targets
    scope = source.scope_of(kept.value)
    if others or not isinstance(target, ast.Name) or not isinstance(scope, Function):
        return ()
    if any(isinstance(node, (ast.Global, ast.Nonlocal)) for node in ast.walk(scope)):
        return ()
    if uses(scope, "locals"):
        return ()
    functions: set[str] = set()
    for name in uses(scope, target.id):
        if name is target:
            continue
        call = source.parents[name]
        function = _function(call, name) if isinstance(call, ast.Call) else None
        if function not in _AGGREGATES:
            return ()
        functions.add(function)
    if "sum" not in functions:
        return ()
    return tuple(name for name in _AGGREGATES if name in functions)


def _finding(found: Asked, summed: _Summed) -> Finding:
    if summed.call is None:
        return _of_list(found, summed)
    queryset = found.source.text_of(summed.queryset)
    total = f'{queryset}.aggregate(total=Sum("{summed.field}"))["total"] or 0'
    bare = isinstance(found.source.parents[summed.call], _OPEN)
    code = total if bare else f"({total})"
    imports = import_for(found.source, "Sum", "django.db.models")
    edits: tuple[Edit, ...] = ()
    if imports is not None and _is_exact(found, summed.kind):
        edits = (found.source.replace(found.file, summed.call, code),)
    return _told(found, summed, code, imports or () if edits else (_IMPORT.format("Sum"),), edits)


def _of_list(found: Asked, summed: _Summed) -> Finding:
    """Several figures of one list: code to look at, since each of its uses changes."""
    columns = ", ".join(
        f'{_KEYS[name]}={_AGGREGATES[name]}("{"pk" if name == "len" else summed.field}")'
        for name in summed.asked
    )
    code = f"figures = {found.source.text_of(summed.queryset)}.aggregate({columns})"
    names = ", ".join(sorted(_AGGREGATES[name] for name in summed.asked))
    return _told(found, summed, code, (_IMPORT.format(names),), ())


def _told(
    found: Asked,
    summed: _Summed,
    code: str,
    imports: tuple[str, ...],
    edits: tuple[Edit, ...],
) -> Finding:
    predicted = unchanged(found, without_prefetches=True)
    return Finding(
        kind="sum_for_aggregate",
        severity=severity_of_rows(found, predicted),
        title=placed(f"{found.rows:,} rows were fetched to be added up at", found.site),
        detail=(
            f"Of every row an object was made, and only {summed.field} was taken from it. The "
            "database can add up by itself; the number of queries stays."
        ),
        count=len(found.queries),
        cost_ms=total_ms(found.queries),
        call_site=found.site,
        fix=Fix(
            summary=f"{_ADVICE if summed.call else _ADVICE_OF_LIST}{_care(found, summed)}",
            code=code,
            predicted=predicted,
            kind="aggregate",
            at=found.site,
            edits=edits,
            imports=imports,
        ),
        queries=indexes(found.queries),
    )


def _is_exact(found: Asked, kind: str) -> bool:
    """Whether the database's sum is Python's, to the last digit and in its type."""
    if kind.endswith("IntegerField"):
        return True
    return kind == "DecimalField" and found.queries[0]["vendor"] in {"postgresql", "mysql"}


def _care(found: Asked, summed: _Summed) -> str:
    if _is_exact(found, summed.kind):
        return ""
    if summed.kind == "DecimalField":
        return " SQLite adds decimals as floats: round the sum to the places of the field."
    return " Floats may be added in another order: the last digits may differ."
