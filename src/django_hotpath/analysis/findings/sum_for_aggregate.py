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
from django_hotpath.analysis.sourcecode import import_for
from django_hotpath.capture import Capture, Edit, Finding, Fix

MIN_ROWS = 20
_ADVICE = "Let the database add up. Of no rows the sum is None there: hence or 0."
# Where an expression may stand without parentheses of its own.
_OPEN = (ast.Assign, ast.AnnAssign, ast.Return, ast.keyword, ast.Expr, ast.Call, ast.Dict, ast.List)


class _Summed(NamedTuple):
    queryset: ast.expr
    call: ast.Call
    field: str
    kind: str


def sum_for_aggregate(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """``sum(book.price for book in books)``, where nobody else looks at the books."""
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
    call = source.parents[rows]
    if (
        not isinstance(call, ast.Call)
        or not isinstance(call.func, ast.Name)
        or call.func.id != "sum"
        or call.args != [rows]
        or call.keywords
    ):
        return None
    value = rows.elt
    if not isinstance(value, ast.Attribute) or not isinstance(value.value, ast.Name):
        return None
    kind = found.entry.get("numbers", {}).get(value.attr)
    if value.value.id != generator.target.id or kind is None:
        return None
    if found.entry.get("combinator") or found.entry.get("values"):
        return None
    return _Summed(queryset, call, value.attr, kind)


def _finding(found: Asked, summed: _Summed) -> Finding:
    queryset = found.source.text_of(summed.queryset)
    total = f'{queryset}.aggregate(total=Sum("{summed.field}"))["total"] or 0'
    bare = isinstance(found.source.parents[summed.call], _OPEN)
    code = total if bare else f"({total})"
    imports = import_for(found.source, "Sum", "django.db.models")
    edits: tuple[Edit, ...] = ()
    if imports is not None and _is_exact(found, summed.kind):
        edits = (found.source.replace(found.file, summed.call, code),)
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
            summary=f"{_ADVICE}{_care(found, summed)}",
            code=code,
            predicted=predicted,
            kind="aggregate",
            at=found.site,
            edits=edits,
            imports=(imports or ()) if edits else ("from django.db.models import Sum",),
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
