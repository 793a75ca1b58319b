"""``slow_query``: one statement that takes longer than ``SLOW_QUERY_MS``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django_hotpath.analysis.findings.base import (
    Limits,
    Query,
    indexes,
    placed,
    queries_of,
    severity_by_cost,
    site_of,
    total_ms,
)
from django_hotpath.analysis.statements import CHANGES, is_read, verb
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
            title=placed(f"A query took {worst['duration_ms']:,.0f} ms{times}, at", site),
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
    if rows is not None and (word := _did_with_rows(query["sql"])):
        parts.append(f"It {word} {rows:,} row{'' if rows == 1 else 's'}.")
    if query["fetch_ms"] > query["duration_ms"] / 2:
        parts.append(f"{query['fetch_ms']:,.0f} ms of it went into fetching rows.")
    return " ".join(parts)


def _did_with_rows(sql: str) -> str:
    """Drivers count the rows of a write in the same place as those of an answer."""
    if verb(sql) in CHANGES:
        return "changed"
    return "returned" if is_read(sql) else ""


def _advice(query: Query) -> str:
    word = verb(query["sql"])
    if word in {"INSERT", "REPLACE"}:
        return (
            "It writes: send fewer rows a statement (bulk_create() with a batch_size), or fewer "
            "statements where each has one row. Every index and trigger of the table is paid for "
            "with each row, and locks of others are waited for."
        )
    if word in CHANGES:
        return (
            "It writes: an index on the columns of its WHERE finds the rows faster. Where they are "
            "many, change fewer rows a statement, in batches, so that locks are short; a write "
            "that changes few rows may have waited for the lock of another."
        )
    if not is_read(query["sql"]):
        return (
            "It neither reads nor changes rows in a way that is known here: ask the database what "
            "it waits for (locks, disc), and whether it must run while somebody waits."
        )
    if (query.get("rows") or 0) >= 1_000:
        return (
            "It fetches many rows: take only the columns and rows that are used (values(), "
            "only(), a slice), or let the database count and sum (aggregate(), annotate())."
        )
    return (
        "Few rows for so much time: look at its plan (QuerySet.explain()). A scan of a whole table "
        "or a temporary sort usually means that an index on the filtered and ordered columns is "
        "missing."
    )
