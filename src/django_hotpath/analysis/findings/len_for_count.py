"""``len_for_count``: rows were fetched to learn how many there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from django_hotpath.analysis.evidence import (
    Asked,
    asked,
    is_only_for_this,
    severity_of_rows,
    unchanged,
    zero_test,
)
from django_hotpath.analysis.findings.base import Limits, indexes, placed, total_ms
from django_hotpath.capture import Capture, Finding, Fix

MIN_ROWS = 20


def len_for_count(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """``len()`` of a queryset that nobody else has. ``len(books) > 0`` is for ``exists()``."""
    for found in asked(capture, "len", limits.n_plus_one):
        queryset = _measured(found)
        if found.rows >= MIN_ROWS and queryset is not None and is_only_for_this(found, queryset):
            yield _finding(found, queryset)


def _measured(found: Asked) -> ast.expr | None:
    call = found.node
    if (
        not isinstance(call, ast.Call)
        or not isinstance(call.func, ast.Name)
        or call.func.id != "len"
        or len(call.args) != 1
        or zero_test(found.source, call) is not None
    ):
        return None
    return call.args[0]


def _finding(found: Asked, queryset: ast.expr) -> Finding:
    code = f"{found.source.text_of(queryset)}.count()"
    predicted = unchanged(found, without_prefetches=True)
    return Finding(
        kind="len_for_count",
        severity=severity_of_rows(found, predicted),
        title=placed(f"{found.rows:,} rows were fetched to be counted at", found.site),
        detail=(
            f"{found.source.line_of(found.node)} fetches every row and makes an object of it, and "
            "nothing looks at them. count() gives the number alone; the number of queries stays."
        ),
        count=len(found.queries),
        cost_ms=total_ms(found.queries),
        call_site=found.site,
        fix=Fix(
            summary="Let the database count, with count().",
            code=code,
            predicted=predicted,
            kind="count",
            at=found.site,
            edits=(found.source.replace(found.file, found.node, code),),
        ),
        queries=indexes(found.queries),
    )
