"""Statements, grouped by fingerprint and call site, and in the order of execution."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels import sql
from django_hotpath.report.viewmodels.sites import Site, frame, site

ROWS = 20
"""Rows of each table that are in the page; the script makes the others when they are asked for."""
TEXT_BUDGET = 2_000_000
"""Characters of full SQL in a page; beyond it a statement is one short line."""
PARAMS_LIMIT = 2_000


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

    @property
    def mean_ms(self) -> float:
        return self.total_ms / self.count


@dataclass(frozen=True, kw_only=True)
class QueriesView:
    count: int
    total_ms: float
    truncated: int
    duplicates: int
    errors: int
    aliases: tuple[str, ...]
    group_count: int
    groups: tuple[QueryGroup, ...]
    """The first 20, most total time first."""
    rows: tuple[QueryRow, ...]
    """The first 20 in order."""
    group_of: Mapping[int, int]
    """From the index of a statement to the key of its group."""
    data: dict[str, Any]
    """What ``queries.js`` reads; see ``_Packed``."""


def queries_view(queries: Mapping[str, Any], wall_ms: float) -> QueriesView:
    """``share`` of a group is of the time of all statements; of a row, of the wall time."""
    statements: Sequence[Mapping[str, Any]] = queries["queries"]
    frames = queries.get("frames") or []
    total = queries.get("total_ms") or sum(query["duration_ms"] for query in statements)
    groups = group_queries(statements)
    ends = [query["start_ms"] + query["duration_ms"] for query in statements]
    span = max([wall_ms, *ends])

    shown = [
        _group(key, members, total, _row(members[0], frames, span))
        for key, members in enumerate(groups[:ROWS])
    ]
    position = {query["index"]: place for place, query in enumerate(statements)}
    group_of = {query["index"]: key for key, members in enumerate(groups) for query in members}
    return QueriesView(
        count=queries.get("count", len(statements)),
        total_ms=total,
        truncated=queries.get("truncated") or 0,
        duplicates=sum(query.get("duplicate_of") is not None for query in statements),
        errors=sum(bool(query.get("error")) for query in statements),
        aliases=tuple(sorted({str(query.get("alias", "")) for query in statements})),
        group_count=len(groups),
        groups=tuple(shown),
        rows=tuple(_row(query, frames, span) for query in statements[:ROWS]),
        group_of=group_of,
        data=_packed(statements, frames, groups, group_of, position, span, total),
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
    return tuple(place.get(key) for key in ("file", "line", "template", "template_line"))


def _group(
    key: int, members: Sequence[Mapping[str, Any]], total: float, first: QueryRow
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
    )


def _row(query: Mapping[str, Any], frames: Sequence[Any], span: float) -> QueryRow:
    fetch = query.get("fetch_ms")
    text = str(query["sql"])
    return QueryRow(
        key=query["index"],
        alias=str(query.get("alias", "")),
        short=sql.short(text),
        sql=sql.formatted(text),
        params=_params(query),
        start_ms=query["start_ms"],
        start_share=share(query["start_ms"], span),
        duration_ms=query["duration_ms"],
        duration_share=share(query["duration_ms"], span),
        fetch_share=None if fetch is None else share(fetch, query["duration_ms"]),
        rows=query.get("rows"),
        flags=_flags(query),
        error=_error(query),
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


def _error(query: Mapping[str, Any]) -> str:
    error = query.get("error")
    if isinstance(error, Mapping):
        return ": ".join(str(error[key]) for key in ("type", "message") if error.get(key))
    return str(error or "")


def _params(query: Mapping[str, Any]) -> str:
    params = query.get("params")
    if not params:
        return ""
    text = ", ".join(str(value) for value in params)
    return text if len(text) <= PARAMS_LIMIT else text[:PARAMS_LIMIT] + " …"


def _stack(query: Mapping[str, Any], frames: Sequence[Any]) -> Iterator[Site]:
    for index in query.get("stack") or ():
        if 0 <= index < len(frames):
            yield frame(frames[index])


def _packed(
    statements: Sequence[Mapping[str, Any]],
    frames: Sequence[Any],
    groups: Sequence[Sequence[Mapping[str, Any]]],
    group_of: Mapping[int, int],
    position: Mapping[int, int],
    span: float,
    total: float,
) -> dict[str, Any]:
    """The statements as columns; texts, sites and stacks that repeat are written once."""
    texts: dict[str, int] = {}
    packed_texts: list[list[str]] = []
    stacks: dict[tuple[int, ...], int] = {}
    budget = TEXT_BUDGET
    columns: dict[str, list[Any]] = {
        name: []
        for name in ("index", "group", "sql", "start", "ms", "fetch", "rows", "params", "stack")
    }
    flags: dict[int, list[str]] = {}
    errors: dict[int, str] = {}
    for place, query in enumerate(statements):
        text = str(query["sql"])
        if text not in texts:
            texts[text] = len(packed_texts)
            short = sql.short(text)
            budget -= len(text)
            packed_texts.append([short] if budget < 0 or short == text else [short, text])
        stack = tuple(query.get("stack") or ())
        fetch = query.get("fetch_ms")
        columns["index"].append(query["index"])
        columns["group"].append(group_of[query["index"]])
        columns["sql"].append(texts[text])
        columns["start"].append(round(query["start_ms"], 2))
        columns["ms"].append(round(query["duration_ms"], 3))
        columns["fetch"].append(None if fetch is None else round(fetch, 3))
        columns["rows"].append(query.get("rows"))
        columns["params"].append(_params(query))
        columns["stack"].append(stacks.setdefault(stack, len(stacks)))
        if found := _flags(query):
            flags[place] = list(found)
        if error := _error(query):
            errors[place] = error
    return {
        "span": round(span, 3),
        "total": round(total, 4),
        "texts": packed_texts,
        "frames": [_packed_site(frame(entry)) for entry in frames],
        "stacks": [list(stack) for stack in stacks],
        "groups": [
            {
                "site": _packed_site(site(members[0].get("call_site"))),
                "alias": members[0].get("alias", ""),
                "members": [position[query["index"]] for query in members],
            }
            for members in groups
        ],
        "columns": columns,
        "flags": flags,
        "errors": errors,
    }


def _packed_site(place: Site | None) -> list[str] | None:
    return None if place is None else [place.place, place.full, place.function, place.template]
