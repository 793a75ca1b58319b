"""``slow_query``: one statement that takes longer than ``SLOW_QUERY_MS``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

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
from django_hotpath.capture import Capture, Finding, Fix


def slow_query(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Statements at or over the limit, those that differ in literals only as one finding."""
    groups: dict[tuple[str, str], list[Query]] = defaultdict(list)
    for query in queries_of(capture):
        if query["duration_ms"] >= limits.slow_query_ms:
            groups[query["alias"], query["fingerprint"]].append(query)
    for group in groups.values():
        worst = max(group, key=lambda query: query["duration_ms"])
        cost = total_ms(group)
        site = site_of(worst)
        times = "" if len(group) == 1 else f", {len(group)} times"
        yield Finding(
            kind="slow_query",
            severity=max(
                severity_by_cost(cost, capture.timing.wall_ms), "medium", key=_RANK.__getitem__
            ),
            title=f"A query took {worst['duration_ms']:,.0f} ms{times}, at {where(site)}",
            detail=_detail(worst, limits),
            count=len(group),
            cost_ms=cost,
            call_site=site,
            fix=Fix(summary=_advice(worst)),
            queries=indexes(group),
        )


_RANK = {"low": 0, "medium": 1, "high": 2}


def _detail(query: Query, limits: Limits) -> str:
    rows = query.get("rows")
    parts = [f"The limit is {limits.slow_query_ms:,.0f} ms (SLOW_QUERY_MS)."]
    if rows is not None:
        parts.append(f"It returned {rows:,} rows.")
    if query["fetch_ms"] > query["duration_ms"] / 2:
        parts.append(f"{query['fetch_ms']:,.0f} ms of it went into fetching rows.")
    return " ".join(parts)


def _advice(query: Query) -> str:
    rows = query.get("rows") or 0
    if rows >= 1_000:
        return (
            "It fetches many rows: take only the columns and rows that are used (values(), "
            "only(), a slice), or let the database count and sum (aggregate(), annotate())."
        )
    return (
        "Few rows for so much time: look at its plan (QuerySet.explain()). A scan of a whole table "
        "or a temporary sort usually means that an index on the filtered and ordered columns is "
        "missing."
    )
