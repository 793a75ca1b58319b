"""``duplicate_query``: the same statement with the same parameters, more than once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django_hotpath.analysis.findings.base import (
    Limits,
    Query,
    indexes,
    queries_of,
    severity_by_cost,
    site_of,
    total_ms,
    where,
)
from django_hotpath.capture import Capture, Finding, Fix, Predicted

_WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "CREATE", "DROP", "ALTER")


def duplicate_query(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Reads that were asked before, with nothing written to the same database in between."""
    groups: dict[int, list[Query]] = defaultdict(list)
    last_write: dict[str, int] = {}
    first_valid: dict[tuple[str, int], int] = {}
    for query in queries_of(capture):
        alias, index = query["alias"], query["index"]
        verb = query["sql"].lstrip(" (").split(None, 1)[:1]
        if verb and verb[0].upper() in _WRITES:
            last_write[alias] = index
            continue
        if query.get("error") or not verb or verb[0].upper() not in {"SELECT", "WITH"}:
            continue
        original = query.get("duplicate_of")
        identity = (alias, index if original is None else original)
        first = first_valid.get(identity)
        if first is None or first < last_write.get(alias, -1):
            # Asked anew after a write: the answer may have changed.
            first_valid[identity] = index
            groups[index].append(query)
        else:
            groups[first].append(query)
    for group in groups.values():
        if len(group) > 1:
            yield _finding(capture, group)


def _finding(capture: Capture, group: Sequence[Query]) -> Finding:
    count = len(group)
    cost = total_ms(group)
    saved = round(cost - group[0]["duration_ms"], 4)
    sites = list(dict.fromkeys(where(site_of(query)) for query in group))
    severity = severity_by_cost(saved, capture.timing.wall_ms)
    if severity == "low" and count >= 10:
        severity = "medium"
    place = sites[0] if len(sites) == 1 else f"{len(sites)} places"
    return Finding(
        kind="duplicate_query",
        severity=severity,
        title=f"The same query {count} times, from {place}",
        detail=(
            "Same statement, same parameters, nothing written in between: every answer after the "
            f"first was known already. Asked at {', '.join(sites[:8])}"
            + (f" and {len(sites) - 8} more places." if len(sites) > 8 else ".")
        ),
        count=count,
        cost_ms=cost,
        call_site=site_of(group[0]),
        fix=Fix(
            summary=(
                "Ask once and keep the result: in a variable that is passed on, in a "
                "cached_property, or by evaluating the queryset a single time (a queryset that is "
                "filtered again asks again)."
            ),
            predicted=Predicted(queries=(count, 1), saved_ms=saved),
        ),
        queries=indexes(group),
    )
