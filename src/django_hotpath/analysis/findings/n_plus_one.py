"""``n_plus_one``: the same read again and again from one line, for one object after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeGuard

from django_hotpath.analysis.batches import are_pages_by_key, without_batches
from django_hotpath.analysis.findings.base import (
    UNKNOWN_LINE,
    Limits,
    Query,
    distinct,
    indexes,
    is_answered,
    placed,
    queries_of,
    severity_by_cost,
    site_of,
    total_ms,
)
from django_hotpath.analysis.fixes.keyed import ask_once
from django_hotpath.analysis.fixes.loop import Loop
from django_hotpath.analysis.fixes.relation import fix_of
from django_hotpath.analysis.orm import Entry, orm_of
from django_hotpath.analysis.statements import is_read
from django_hotpath.capture import CallSite, Capture, Finding, Fix

# Without a line to tell helpers from loops it takes more of them.
MIN_WITHOUT_LINE = 5
# Reads on the way to a write are part of the write.
_WRITING = frozenset(
    ["save", "delete", "add", "remove", "set", "clear", "update", "create", "bulk_create"]
)


def n_plus_one(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Lazy reads of a relation, and reads that differ in parameters only, at least N times.

    The whole path of project lines must be the same, so that a helper called from three places
    is no loop; recursion (the same lines, more often) is one. Statements that fetch a part of
    many rows each are left out: they are the cure.
    """
    groups: dict[Hashable, list[Query]] = defaultdict(list)
    for query in queries_of(capture):
        if is_answered(query):
            groups[_key(capture, query)].append(query)
    for members in groups.values():
        entry = orm_of(capture, members[0])
        if entry.get("method") in _WRITING:
            # One call asks several things before it writes; a loop of them is a write_loop.
            continue
        if "relation" in entry:
            found = _of_relation(capture, members, limits)
        else:
            found = _of_statement(capture, members, entry, limits)
        if found is not None:
            yield found


def _key(capture: Capture, query: Query) -> Hashable:
    entry = orm_of(capture, query)
    if "relation" not in entry:
        return _path(query)
    root = _root(capture, query)
    made = root.get("orm") if root is not None else None
    # A generic relation leads to several tables: it is one loop all the same.
    return ("relation", entry["relation"], entry["method"], made, _lines(query))


def _root(capture: Capture, query: Query) -> Query | None:
    number = query.get("of")
    queries = queries_of(capture)
    return queries[number] if number is not None and number < len(queries) else None


def _of_relation(capture: Capture, members: Sequence[Query], limits: Limits) -> Finding | None:
    roots = {
        root["index"]: root for query in members if (root := _root(capture, query)) is not None
    }
    root_entry: Entry = orm_of(capture, next(iter(roots.values()))) if roots else {}
    loop = Loop(capture, members, root_entry, tuple(roots.values()))
    count = len(members)
    if count < limits.n_plus_one or not is_read(members[0]["sql"]):
        return _potential(loop, limits)
    if loop.from_one_row:
        # Other questions to one object; the same one again is a duplicate.
        if distinct(members) < max(2, limits.n_plus_one):
            return None
        members = without_batches(members)
        if len(members) < limits.n_plus_one:
            return None
    return _finding(capture, members, fix_of(loop), loop)


def _potential(loop: Loop, limits: Limits) -> Finding | None:
    """A lazy read on one of many fetched rows."""
    rows = max((root.get("rows") or 0 for root in loop.roots), default=0)
    if rows < limits.n_plus_one or not is_read(loop.queries[0]["sql"]):
        return None
    finding = _finding(loop.capture, loop.queries, fix_of(loop), loop)
    count = len(loop.queries)
    times = "once" if count == 1 else f"{count} times"
    relation = loop.entry["relation"]
    return Finding(
        **{
            **finding.__dict__,
            "severity": "low",
            "title": placed(f"{relation} may be read in a loop at", finding.call_site)
            + " (potential N+1)",
            "detail": (
                f"{relation} was read {times} here, by a query of its own, from one of "
                f"{rows:,} rows that were fetched together. With other data it may be read for "
                "each of them."
            ),
        }
    )


def _of_statement(
    capture: Capture, members: Sequence[Query], entry: Entry, limits: Limits
) -> Finding | None:
    # Statements of one fingerprint differ in literals only: one tells for all.
    if len(members) < limits.n_plus_one or not is_read(members[0]["sql"]):
        return None
    if "prefetch_to" in entry:
        return None
    group = without_batches(members)
    # With the same parameters every time it is a duplicate, which has another cure.
    if len(group) < limits.n_plus_one or distinct(group) < _least_distinct(group, limits):
        return None
    if are_pages_by_key(group):
        return None
    fix = ask_once(capture, list(group), entry, site_of(group[0]))
    return _finding(capture, group, fix, None)


def _least_distinct(group: Sequence[Query], limits: Limits) -> int:
    return 2 if group[0].get("call_site") else max(limits.n_plus_one, MIN_WITHOUT_LINE)


def _path(query: Query) -> Hashable:
    if not query.get("call_site"):
        return (query["alias"], query["fingerprint"])
    return (query["alias"], query["fingerprint"], _lines(query))


def _lines(query: Query) -> Hashable:
    site = query.get("call_site")
    if not site:
        return None
    stack, positions = query["stack"], query.get("positions")
    # Several calls on one line differ in their position in the code only.
    steps = zip(stack, positions, strict=True) if _fits(positions, stack) else stack
    lines = tuple(dict.fromkeys(steps)) or (site["file"], site["line"])
    return (lines, site.get("template_line"))


def _fits(positions: Sequence[int] | None, stack: Sequence[int]) -> TypeGuard[Sequence[int]]:
    return positions is not None and len(positions) == len(stack)


def _finding(capture: Capture, group: Sequence[Query], fix: Fix, loop: Loop | None) -> Finding:
    site = site_of(group[0])
    count = len(group)
    cost = total_ms(group)
    saved = round(cost * (count - 1) / count, 4)
    severity = severity_by_cost(saved, capture.timing.wall_ms)
    if severity == "low" and count >= 10:
        # A page that grows with its data is slow on somebody else's database.
        severity = "medium"
    if count >= 50:
        severity = "high"
    relation = loop.entry["relation"] if loop is not None else None
    words = (
        f"{relation}: {count} queries in a loop at"
        if relation
        else (f"{count} queries in a loop at")
    )
    return Finding(
        kind="n_plus_one",
        severity=severity,
        title=f"{placed(words, site)} (N+1)",
        detail=f"{_what(loop, count, site)} {_costs(group, cost)}",
        count=count,
        cost_ms=cost,
        call_site=site,
        relation=relation,
        origin=loop.origin if loop is not None else None,
        fix=fix,
        queries=indexes(group),
    )


def _what(loop: Loop | None, count: int, site: CallSite | None) -> str:
    if loop is None:
        return (
            f"The same statement ran {count} times {_from(site)}, each time with other "
            "parameters. One query for all rows would do; as it is, the number grows with the "
            "data."
        )
    relation = loop.entry["relation"]
    where = f", which come from {loop.origin}" if loop.origin is not None else ""
    return (
        f"{relation} was read {count} times {_from(site)}, each time by a query of its own for one "
        f"of the objects{where}. The number grows with the data."
    )


def _costs(group: Sequence[Query], cost: float) -> str:
    return (
        f"From the first to the last of them {_span_ms(group):,.1f} ms passed, "
        f"{cost:,.1f} ms of it in the database."
    )


def _from(site: CallSite | None) -> str:
    if site is None:
        return f"({UNKNOWN_LINE}: no code of yours was on the stack, as under asyncio.gather())"
    return "from one line"


def _span_ms(group: Sequence[Query]) -> float:
    """What the whole loop took: Django's work around a query is often more than the query."""
    began: float = min(query["start_ms"] for query in group)
    ended: float = max(query["start_ms"] + query["duration_ms"] for query in group)
    return ended - began
