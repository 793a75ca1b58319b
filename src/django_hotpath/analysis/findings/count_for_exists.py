"""``count_for_exists``: all were counted, or fetched, to see whether there are any."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from django_hotpath.analysis.evidence import (
    Asked,
    asked,
    is_only_for_this,
    is_tested,
    unchanged,
    zero_test,
)
from django_hotpath.analysis.findings.base import (
    Limits,
    indexes,
    placed,
    severity_by_cost,
    total_ms,
)
from django_hotpath.analysis.sourcecode import called_name, receiver, uses
from django_hotpath.capture import Capture, Edit, Finding, Fix

# Fewer rows cost less than the words about them.
MIN_ROWS = 20


def count_for_exists(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """``count()`` that is compared with zero; rows of which only their being there is asked."""
    for found in asked(capture, "count", limits.n_plus_one):
        changes = _counted(found)
        if changes:
            yield _finding(found, changes, "The rows were counted")
    for method in ("len", "bool"):
        for found in asked(capture, method, limits.n_plus_one):
            changes = _fetched(found) if found.rows >= MIN_ROWS else []
            if changes:
                yield _finding(found, changes, f"{found.rows:,} rows were fetched")


Change = tuple[ast.expr, str]


def _counted(found: Asked) -> list[Change]:
    call = found.node
    if not isinstance(call, ast.Call) or called_name(call) != "count" or call.args or call.keywords:
        return []
    queryset = receiver(call)
    if queryset is None:
        return []
    exists = f"{found.source.text_of(queryset)}.exists()"
    test = zero_test(found.source, call)
    if test is not None:
        node, none = test
        return [(node, f"not {exists}" if none else exists)]
    return _kept(found, call, exists)


def _kept(found: Asked, call: ast.Call, exists: str) -> list[Change]:
    """``number = books.count()``, where the number is compared with zero and no more."""
    source = found.source
    statement = source.parents[call]
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return []
    target = statement.targets[0]
    if not isinstance(target, ast.Name):
        return []
    scope = source.scope_of(call)
    changes: list[Change] = [(call, exists)]
    for name in uses(scope, target.id):
        if name is target:
            continue
        test = zero_test(source, name) if isinstance(name.ctx, ast.Load) else None
        if test is None or source.scope_of(name) is not scope:
            return []
        node, none = test
        if node is not name:
            changes.append((node, f"not {target.id}" if none else target.id))
    return changes if len(uses(scope, target.id)) > 1 else []


def _fetched(found: Asked) -> list[Change]:
    """``if books:``, ``bool(books)``, ``len(books) > 0``, where nobody looks at the books."""
    source, node = found.source, found.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        (queryset,) = node.args
        if node.func.id == "bool":
            test: tuple[ast.expr, bool] | None = (node, False)
        elif node.func.id == "len":
            test = zero_test(source, node)
        else:
            queryset, test = node, _tested(found, node)
    else:
        queryset, test = node, _tested(found, node)
    if test is None or not is_only_for_this(found, queryset):
        return []
    exists = f"{source.text_of(queryset)}.exists()"
    replaced, none = test
    return [(replaced, f"not {exists}" if none else exists)]


def _tested(found: Asked, node: ast.expr) -> tuple[ast.expr, bool] | None:
    return (node, False) if is_tested(found.source, node) else None


def _finding(found: Asked, changes: Sequence[Change], what: str) -> Finding:
    source = found.source
    edits: tuple[Edit, ...] = tuple(source.replace(found.file, node, new) for node, new in changes)
    predicted = unchanged(found, without_prefetches=True)
    return Finding(
        kind="count_for_exists",
        severity=severity_by_cost(predicted.saved_ms, found.capture.timing.wall_ms),
        title=placed(f"{what} to see whether there are any at", found.site),
        detail=(
            f"{source.line_of(changes[0][0])} asks whether there is a row, and nothing else is "
            "done with the answer. exists() stops at the first one; the number of queries stays."
        ),
        count=len(found.queries),
        cost_ms=total_ms(found.queries),
        call_site=found.site,
        fix=Fix(
            summary="Ask with exists().",
            code=changes[0][1],
            predicted=predicted,
            kind="exists",
            at=found.site,
            edits=edits,
        ),
        queries=indexes(found.queries),
    )
