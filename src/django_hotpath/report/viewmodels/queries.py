"""Statements, grouped by fingerprint and call site, and in the order of execution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Finding
from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels import sql
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
    total = queries.get("total_ms") or sum(query["duration_ms"] for query in statements)
    groups = group_queries(statements)
    ends = [query["start_ms"] + query["duration_ms"] for query in statements]
    span = max([wall_ms, *ends])
    group_of = {query["index"]: key for key, members in enumerate(groups) for query in members}
    found: dict[int, list[tuple[int, str, str]]] = {}
    for number, finding in enumerate(findings):
        kind = KINDS.get(finding.kind, finding.kind.replace("_", " "))
        for key in dict.fromkeys(group_of[i] for i in finding.queries if i in group_of):
            found.setdefault(key, []).append((number, kind, finding.title))
    shown = [
        _group(key, members, total, _row(members[0], frames, span), tuple(found.get(key, ())))
        for key, members in enumerate(groups[:ROWS])
    ]
    return QueriesView(
        count=queries.get("count", len(statements)),
        kept=len(statements),
        total_ms=total,
        truncated=queries.get("truncated") or 0,
        duplicates=sum(query.get("duplicate_of") is not None for query in statements),
        errors=sum(bool(query.get("error")) for query in statements),
        slow_ms=slow_ms,
        aliases=tuple(sorted({str(query.get("alias", "")) for query in statements})),
        group_count=len(groups),
        groups=tuple(shown),
        rows=tuple(_row(query, frames, span) for query in statements[:ROWS]),
        group_of=group_of,
        data=packed(
            statements,
            frames,
            groups,
            group_of,
            found,
            span=span,
            total=total,
            slow_ms=slow_ms,
        ),
    )


def group_queries(statements: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Groups of at least one statement, most time first; members keep their order."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for query in statements:
        groups.setdefault((query.get("alias"), query["fingerprint"], _site_key(query)), []).append(
            query
        )
    return sorted(groups.values(), key=lambda group: -sum(query["duration_ms"] for query in group))


def _site_key(query: Mapping[str, Any]) -> tuple[Any, ...]:
    place = query.get("call_site") or {}
    return place.get("file"), place.get("line"), place.get("template"), place.get("template_line")


def _group(
    key: int,
    members: Sequence[Mapping[str, Any]],
    total: float,
    first: QueryRow,
    found: tuple[tuple[int, str, str], ...],
) -> QueryGroup:
    time = sum(query["duration_ms"] for query in members)
    rows = [query["rows"] for query in members if query.get("rows") is not None]
    return QueryGroup(
        key=key,
        count=len(members),
        total_ms=time,
        share=share(time, total),
        duplicates=sum(query.get("duplicate_of") is not None for query in members),
        rows=sum(rows) if rows else None,
        first=first,
        found=found,
    )


def _row(query: Mapping[str, Any], frames: Sequence[Any], span: float) -> QueryRow:
    fetch = query.get("fetch_ms")
    text = str(query["sql"])
    return QueryRow(
        key=query["index"],
        alias=str(query.get("alias", "")),
        short=sql.short(text),
        sql=sql.formatted(text),
        params=params_text(query).replace(BETWEEN, ", "),
        start_ms=query["start_ms"],
        start_share=share(query["start_ms"], span),
        duration_ms=query["duration_ms"],
        duration_share=share(query["duration_ms"], span),
        fetch_share=None if fetch is None else share(fetch, query["duration_ms"]),
        rows=query.get("rows"),
        flags=_flags(query),
        error=error_text(query),
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
