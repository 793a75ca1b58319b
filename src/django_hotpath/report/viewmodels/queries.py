"""Statements, grouped by fingerprint and call site, and in the order of execution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any

from django_hotpath.capture import Finding
from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels import sql
from django_hotpath.report.viewmodels.querycolumns import Columns, columns
from django_hotpath.report.viewmodels.querydata import (
    BETWEEN,
    KINDS,
    error_text,
    packed,
    params_text,
)
from django_hotpath.report.viewmodels.sites import Site, frame, site

ROWS = 20
"""Rows of each table that are in the page; the script makes the others when they are asked for."""
SLOW_MS = 100.0


@dataclass(frozen=True, kw_only=True)
class QueryRow:
    key: int
    alias: str
    short: str
    sql: str
    params: str
    start_ms: float
    start_share: float
    duration_ms: float
    duration_share: float
    fetch_share: float | None
    rows: int | None
    flags: tuple[str, ...]
    error: str
    site: Site | None
    stack: tuple[Site, ...]


@dataclass(frozen=True, kw_only=True)
class QueryGroup:
    """Statements that differ in literals only and come from the same line."""

    key: int
    count: int
    total_ms: float
    share: float
    duplicates: int
    rows: int | None
    first: QueryRow
    found: tuple[tuple[int, str, str], ...]
    """Findings about it: number, what it is in a word, title."""

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.count


@dataclass(frozen=True, kw_only=True)
class QueriesView:
    count: int
    kept: int
    total_ms: float
    truncated: int
    duplicates: int
    errors: int
    slow_ms: float
    aliases: tuple[str, ...]
    group_count: int
    groups: tuple[QueryGroup, ...]
    """The first 20, most total time first."""
    rows: tuple[QueryRow, ...]
    """The first 20 in order."""
    group_of: Mapping[int, int]
    """From the index of a statement to the key of its group."""
    data: dict[str, Any]
    """What ``statements.js`` reads; see ``querydata.packed``."""


def queries_view(
    queries: Mapping[str, Any],
    wall_ms: float,
    findings: Sequence[Finding] = (),
    *,
    slow_ms: float = SLOW_MS,
) -> QueriesView:
    """``share`` of a group is of the time of all statements; of a row, of the wall time.

    ``slow_ms``: from which duration on a statement counts as slow.
    """
    statements: Sequence[Mapping[str, Any]] = queries["queries"]
    frames = queries.get("frames") or []
    made = columns(statements)
    total = queries.get("total_ms") or sum(made.duration_ms)
    span = max([wall_ms, *map(add, made.start_ms, made.duration_ms)])
    group_of = dict(zip(made.index, made.group, strict=True))
    found: dict[int, list[tuple[int, str, str]]] = {}
    for number, finding in enumerate(findings):
        kind = KINDS.get(finding.kind, finding.kind.replace("_", " "))
        for key in dict.fromkeys(group_of[i] for i in finding.queries if i in group_of):
            found.setdefault(key, []).append((number, kind, finding.title))
    shown = [
        _group(key, made, members, total, _row(statements[members[0]], frames, span), found)
        for key, members in enumerate(made.members(ROWS))
    ]
    return QueriesView(
        count=queries.get("count", len(statements)),
        kept=len(statements),
        total_ms=total,
        truncated=queries.get("truncated") or 0,
        duplicates=len(made) - made.duplicate_of.count(None),
        errors=sum(map(bool, made.error)),
        slow_ms=slow_ms,
        aliases=tuple(sorted(set(made.alias))),
        group_count=len(made.firsts),
        groups=tuple(shown),
        rows=tuple(_row(query, frames, span) for query in statements[:ROWS]),
        group_of=group_of,
        data=packed(made, frames, found, span=span, total=total, slow_ms=slow_ms),
    )


def _group(
    key: int,
    made: Columns,
    members: Sequence[int],
    total: float,
    first: QueryRow,
    found: Mapping[int, Sequence[tuple[int, str, str]]],
) -> QueryGroup:
    time = sum(made.duration_ms[place] for place in members)
    rows = [rows for place in members if (rows := made.rows[place]) is not None]
    return QueryGroup(
        key=key,
        count=len(members),
        total_ms=time,
        share=share(time, total),
        duplicates=sum(made.duplicate_of[place] is not None for place in members),
        rows=sum(rows) if rows else None,
        first=first,
        found=tuple(found.get(key, ())),
    )


def _row(query: Mapping[str, Any], frames: Sequence[Any], span: float) -> QueryRow:
    fetch = query.get("fetch_ms")
    text = str(query["sql"])
    return QueryRow(
        key=query["index"],
        alias=str(query.get("alias", "")),
        short=sql.short(text),
        sql=sql.formatted(text),
        params=params_text(query.get("params")).replace(BETWEEN, ", "),
        start_ms=query["start_ms"],
        start_share=share(query["start_ms"], span),
        duration_ms=query["duration_ms"],
        duration_share=share(query["duration_ms"], span),
        fetch_share=None if fetch is None else share(fetch, query["duration_ms"]),
        rows=query.get("rows"),
        flags=_flags(query),
        error=error_text(query.get("error")),
        site=site(query.get("call_site")),
        stack=tuple(_stack(query, frames)),
    )


def _flags(query: Mapping[str, Any]) -> tuple[str, ...]:
    flags = []
    if query.get("duplicate_of") is not None:
        flags.append(f"same as #{query['duplicate_of']}")
    if query.get("many"):
        flags.append("executemany")
    if query.get("transaction"):
        flags.append("in a transaction")
    if query.get("sql_truncated"):
        flags.append(f"SQL cut, {query['sql_truncated']} characters in all")
    return tuple(flags)


def _stack(query: Mapping[str, Any], frames: Sequence[Any]) -> Iterator[Site]:
    for index in query.get("stack") or ():
        if 0 <= index < len(frames):
            yield frame(frames[index])
