"""``n_plus_one``: the same statement again and again from one line, with other parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence

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


def n_plus_one(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Reads that differ in parameters only and came through the same lines at least N times.

    The whole path of project lines must be the same, so that a helper called from three places
    is no loop; recursion (the same lines, more often) is one.
    """
    groups: dict[Hashable, list[Query]] = defaultdict(list)
    for query in queries_of(capture):
        if _is_read(query) and query.get("call_site"):
            groups[_path(query)].append(query)
    for group in groups.values():
        # With the same parameters every time it is a duplicate, which has another cure.
        distinct = {
            query["index"] if (first := query.get("duplicate_of")) is None else first
            for query in group
        }
        if len(group) >= limits.n_plus_one and len(distinct) > 1:
            yield _finding(capture, group)


def _is_read(query: Query) -> bool:
    return not query.get("error") and query["sql"].lstrip(" (").upper().startswith(
        ("SELECT", "WITH")
    )


def _path(query: Query) -> Hashable:
    site = query["call_site"]
    lines = tuple(dict.fromkeys(query["stack"])) or (site["file"], site["line"])
    return (query["alias"], query["fingerprint"], lines, site.get("template_line"))


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
        title=f"{count} queries in a loop at {where(site)} (N+1)",
        detail=(
            f"The same statement ran {count} times from one line, each time with other "
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


def _span_ms(group: Sequence[Query]) -> float:
    """What the whole loop took: Django's work around a query is often more than the query."""
    began: float = min(query["start_ms"] for query in group)
    ended: float = max(query["start_ms"] + query["duration_ms"] for query in group)
    return ended - began
