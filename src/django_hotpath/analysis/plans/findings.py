"""Findings of a plan, each with the index to add where one would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django_hotpath.analysis.findings.base import Query, placed, severity_by_cost, site_of, total_ms
from django_hotpath.analysis.plans import advice as advising
from django_hotpath.analysis.plans import code, problems
from django_hotpath.analysis.plans import node as kinds
from django_hotpath.analysis.plans.advice import FEW, IndexAdvice, Wanted
from django_hotpath.analysis.plans.edit import index_edits
from django_hotpath.analysis.plans.node import Node
from django_hotpath.analysis.plans.problems import Asked, Problem
from django_hotpath.analysis.plans.tables import Table
from django_hotpath.capture import CallSite, Finding, Fix

_LOW_UNLESS_KNOWN = "How many rows fulfil its conditions is not known without running it."
_MIGRATE = "then makemigrations and migrate"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The statement explained, and its like: those with its fingerprint from the same line."""

    query: Query
    like: Sequence[Query]
    values: Mapping[int, Any]
    vendor: str
    version: tuple[int, ...] = ()
    wall_ms: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Found:
    """A finding, and all indexes that would help, the one of the finding's fix first."""

    finding: Finding
    advice: tuple[IndexAdvice, ...]
    table: Table | None


def findings(plan: Node, asked: Asked, statement: Statement) -> list[Found]:
    """What is wrong with the plan, the most important first; one for each table and kind."""
    found: dict[tuple[str, str | None], Found] = {}
    advised: set[tuple[Any, ...]] = set()
    for problem in problems.problems(plan, asked):
        key = (problem.kind, problem.table.name if problem.table else None)
        if key in found:
            continue
        advice = tuple(_advice(problem, statement))
        fix = None
        if advice:
            # The same index cures two problems: it is named with the first.
            if (advice[0].table, advice[0].columns) in advised:
                advice = ()
            else:
                advised.add((advice[0].table, advice[0].columns))
                fix = _fix(advice[0], problem, statement)
        found[key] = Found(
            finding=_finding(problem, statement, fix or _words(problem), known=bool(advice)),
            advice=advice,
            table=problem.table,
        )
    return list(found.values())


def _advice(problem: Problem, statement: Statement) -> list[IndexAdvice]:
    if problem.table is None or problem.block is None or problem.name is None:
        return []
    wanted = Wanted(
        block=problem.block,
        name=problem.name,
        values=statement.values,
        vendor=statement.vendor,
        version=statement.version,
    )
    if problem.kind == problems.TEMPORARY_TABLE:
        columns = [ref.column for ref in problems.grouped(problem.block)]
        return advising.advise_group(wanted, problem.table, columns)
    if problem.kind == problems.DISCARDED_ROWS:
        return advising.partial_only(wanted, problem.table)
    sort = problem.sorts or problem.kind == problems.UNINDEXED_SORT
    return advising.advise(wanted, problem.table, sort=sort, few=_few(problem))


def _few(problem: Problem) -> bool:
    """Whether the conditions of constants leave few rows, as far as that is known."""
    table = problem.table
    if table is None or not table.rows:
        return False
    matching: float | None = table.matching
    if matching is None and problem.node.kind == kinds.FULL_SCAN:
        node = problem.node
        if node.rows_actual is not None:
            matching = node.rows_actual * max(node.loops or 1, 1)
        elif node.kept is None:
            matching = node.rows
    if matching is None and problem.block is not None and not problem.block.limited:
        matching = problem.wanted
    return matching is not None and matching <= table.rows * FEW


def _fix(advice: IndexAdvice, problem: Problem, statement: Statement) -> Fix:
    table = problem.table
    assert table is not None
    vendor = statement.vendor
    in_model = table.model is not None and all(
        name in table.columns for name in (*(c for c, _ in advice.columns), *advice.include)
    )
    what = f"Add an index on {code.columns(advice)}"
    if in_model and table.model is not None:
        summary = f"{what} to {table.model.label}, {_MIGRATE}. {advice.why}"
        at = (
            CallSite(file=table.model.file, line=table.model.line, function=table.model.name)
            if table.model.file
            else None
        )
    else:
        whose = (
            f"whose model {table.library} is not yours" if table.library else "which no model has"
        )
        summary = (
            f"{what} to the table {table.name}, {whose}, in a migration (RunSQL). {advice.why}"
        )
        at = None
    if vendor == "postgresql" and (table.rows or 0) >= 100_000:
        summary += (
            " Writes wait while it is made: AddIndexConcurrently (django.contrib.postgres) avoids "
            "that."
        )
    edits = index_edits(advice, table) if in_model else ()
    return Fix(
        summary=summary.strip(),
        code=code.code(advice, table, vendor),
        kind="index",
        paths=tuple(name for name, _ in advice.columns),
        at=at,
        edits=edits,
    )


def _words(problem: Problem) -> Fix | None:
    """What may help where no index can be named for certain."""
    if problem.kind == problems.TEMPORARY_TABLE:
        return Fix(
            summary="Group by fewer columns, leave out a DISTINCT that a join made necessary "
            "(Exists() instead of the join), or ask with several smaller SELECTs "
            "(prefetch_related) instead of one with many joins."
        )
    return None


def _finding(problem: Problem, statement: Statement, fix: Fix | None, *, known: bool) -> Finding:
    cost = total_ms(statement.like)
    severity = severity_by_cost(cost, statement.wall_ms)
    if problem.kind in {problems.FULL_SCAN, problems.UNINDEXED_SORT}:
        unknown = (
            problem.wanted is None if problem.kind == problems.FULL_SCAN else problem.read is None
        )
        if unknown:
            severity = "low"
    site = site_of(statement.query)
    return Finding(
        kind=problem.kind,
        severity=severity,
        title=placed(f"{_title(problem)}, at", site),
        detail=_detail(problem, known),
        count=len(statement.like),
        cost_ms=cost,
        call_site=site,
        fix=fix,
        queries=tuple(query["index"] for query in statement.like),
    )


def _title(problem: Problem) -> str:
    name = problem.table.name if problem.table else "the result"
    if problem.kind == problems.FULL_SCAN:
        more = " and sorts what it finds" if problem.sorts else ""
        if problem.table is not None and problem.read != problem.table.rows:
            return f"Reads {_rows(problem.read)} of {name} one after the other{more}"
        return f"Reads all of {name} ({_about(problem)}{_rows(problem.read)}){more}"
    if problem.kind == problems.UNINDEXED_SORT:
        what = _rows(problem.read) if problem.read is not None else "rows"
        return f"Sorts {what} of {name} without an index"
    if problem.kind == problems.DISCARDED_ROWS:
        share = 1 - (problem.wanted or 0) / (problem.read or 1)
        part = f"{min(share, 0.99):.0%}" if problem.wanted else "all"
        return f"Reads {_rows(problem.read)} of {name} and throws {part} of them away"
    where = ", on disc" if problem.node.on_disk else ""
    return f"Collects {_rows(problem.read)} in a temporary table{where}"


def _detail(problem: Problem, known: bool) -> str:
    node = problem.node
    parts = [f"The plan says “{node.operation}”."]
    if problem.kind == problems.FULL_SCAN:
        if problem.wanted is not None:
            parts.append(f"It needs {_rows(problem.wanted)} of them.")
        else:
            parts.append(_LOW_UNLESS_KNOWN)
    elif problem.kind == problems.UNINDEXED_SORT:
        if node.on_disk:
            parts.append("It did not fit into memory and went to disc.")
        if problem.block is not None and problem.block.limited and problem.wanted is not None:
            parts.append(f"{_rows(problem.wanted)} of them are returned.")
    elif problem.kind == problems.DISCARDED_ROWS:
        parts.append(f"{_rows(problem.wanted)} are kept. The condition is: {node.filter}.")
    elif problem.table is None:
        parts.append("It groups, makes distinct or joins more than one index could put in order.")
    if not known and problem.kind != problems.TEMPORARY_TABLE:
        parts.append(_why_none(problem))
    return " ".join(part for part in parts if part)


def _why_none(problem: Problem) -> str:
    if problem.block is None or problem.name is None or problem.table is None:
        return "Which part of the statement that is could not be read for certain: no advice."
    columns = [
        (one.column.column, False)
        for one in problem.block.of(problem.name)
        if one.kind in {"equal", "in", "range", "null"}
    ]
    if columns and (name := advising.existing(problem.table, columns)):
        return f"The index {name} has these columns, and the database chose not to use it."
    if problem.block.unread:
        return (
            "Its conditions are more than columns compared with values (OR, a function, LIKE), "
            "which an ordinary index does not serve: no advice."
        )
    return ""


def _about(problem: Problem) -> str:
    return "" if problem.table is not None and problem.table.rows_exact else "about "


def _rows(number: float | None) -> str:
    if number is None:
        return "an unknown number of rows"
    whole = round(number)
    return f"{whole:,} row{'' if whole == 1 else 's'}"


def with_found(
    findings: Sequence[Finding], found: Sequence[Found], queries: frozenset[int]
) -> list[Finding]:
    """The findings of a capture with those of a new plan in place of an older plan's."""
    kept = [
        one for one in findings if one.kind not in problems.KINDS or queries.isdisjoint(one.queries)
    ]
    earlier = [one for one in findings if one not in kept]
    new = []
    for one in found:
        same = [
            old for old in earlier if old.kind == one.finding.kind and old.fix == one.finding.fix
        ]
        verdict = same[0].verified if same else None
        new.append(replace(one.finding, verified=verdict) if verdict else one.finding)
    return [*kept, *new]
