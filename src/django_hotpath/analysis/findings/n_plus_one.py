"""``n_plus_one``: the same statement again and again from one line, with other parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import TypeGuard

from django_hotpath.analysis.batches import without_batches
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
from django_hotpath.analysis.statements import is_read
from django_hotpath.capture import CallSite, Capture, Finding, Fix, Predicted

# Without a line to tell helpers from loops it takes more of them.
MIN_WITHOUT_LINE = 5


def n_plus_one(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Reads that differ in parameters only and came through the same lines at least N times.

    The whole path of project lines must be the same, so that a helper called from three places
    is no loop; recursion (the same lines, more often) is one. Statements that fetch a part of
    many rows each are left out: they are the cure.
    """
    groups: dict[Hashable, list[Query]] = defaultdict(list)
    for query in queries_of(capture):
        if is_answered(query):
            groups[_path(query)].append(query)
    for members in groups.values():
        # Statements of one fingerprint differ in literals only: one tells for all.
        if len(members) < limits.n_plus_one or not is_read(members[0]["sql"]):
            continue
        group = without_batches(members)
        # With the same parameters every time it is a duplicate, which has another cure.
        if len(group) >= limits.n_plus_one and distinct(group) >= _least_distinct(group, limits):
            yield _finding(capture, group)


def _least_distinct(group: Sequence[Query], limits: Limits) -> int:
    return 2 if group[0].get("call_site") else max(limits.n_plus_one, MIN_WITHOUT_LINE)


def _path(query: Query) -> Hashable:
    site = query.get("call_site")
    if not site:
        return (query["alias"], query["fingerprint"])
    stack, positions = query["stack"], query.get("positions")
    # Several calls on one line differ in their position in the code only.
    steps = zip(stack, positions, strict=True) if _fits(positions, stack) else stack
    lines = tuple(dict.fromkeys(steps)) or (site["file"], site["line"])
    return (query["alias"], query["fingerprint"], lines, site.get("template_line"))


def _fits(positions: Sequence[int] | None, stack: Sequence[int]) -> TypeGuard[Sequence[int]]:
    return positions is not None and len(positions) == len(stack)


def _finding(capture: Capture, group: Sequence[Query]) -> Finding:
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
    return Finding(
        kind="n_plus_one",
        severity=severity,
        title=f"{placed(f'{count} queries in a loop at', site)} (N+1)",
        detail=(
            f"The same statement ran {count} times {_from(site)}, each time with other "
            "parameters. One query for all rows would do; as it is, the number grows with the "
            f"data. From the first to the last of them {_span_ms(group):,.1f} ms passed, "
            f"{cost:,.1f} ms of it in the database."
        ),
        count=count,
        cost_ms=cost,
        call_site=site,
        fix=Fix(
            summary=(
                "Fetch the related rows together with the objects that are looped over: "
                "select_related() on their queryset for a foreign key or one-to-one, "
                "prefetch_related() for many rows each. Without a relation, collect the keys "
                "first and ask once with __in or in_bulk()."
            ),
            predicted=Predicted(queries=(count, 1), saved_ms=saved),
        ),
        queries=indexes(group),
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
