"""``duplicate_query``: the same statement with the same parameters, more than once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django_hotpath.analysis.findings.base import (
    UNKNOWN_LINE,
    Limits,
    Query,
    indexes,
    is_answered,
    placed,
    queries_of,
    severity_by_cost,
    site_of,
    total_ms,
    where,
)
from django_hotpath.analysis.reuse import callers, reuse
from django_hotpath.analysis.statements import nature
from django_hotpath.capture import Capture, Finding, Fix, Predicted


def duplicate_query(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Reads that were asked before, with nothing in between that may change the answer.

    Two aliases may be one database, which the capture does not tell: whatever happens on one
    of them counts for all of the same vendor.
    """
    groups: dict[int, list[Query]] = defaultdict(list)
    last_reset: dict[str, int] = {}
    first_valid: dict[tuple[str, int], int] = {}
    in_transaction: dict[str, bool] = {}
    for query in queries_of(capture):
        alias, vendor, index = query["alias"], query["vendor"], query["index"]
        # COMMIT and ROLLBACK do not pass through Django's hook. Either changes what is read.
        ended = in_transaction.get(alias, False) and not query["transaction"]
        in_transaction[alias] = query["transaction"]
        known = nature(query["sql"])
        if ended or known.resets or query.get("sql_truncated"):
            last_reset[vendor] = index
        if not known.repeatable or not is_answered(query):
            continue
        original = query.get("duplicate_of")
        identity = (alias, index if original is None else original)
        first = first_valid.get(identity)
        if first is None or first < last_reset.get(vendor, -1):
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
    once = reuse(capture, group)
    total = capture.instruments["queries"]["count"]
    severity = severity_by_cost(saved, capture.timing.wall_ms)
    if severity == "low" and count >= 10:
        severity = "medium"
    words = f"The same query {count} times, from"
    title = placed(words, site_of(group[0])) if len(sites) == 1 else f"{words} {len(sites)} places"
    return Finding(
        kind="duplicate_query",
        severity=severity,
        title=title,
        detail=(
            "Same statement, same parameters, nothing written in between: every answer after the "
            f"first was known already. {_asked_at(sites)}{_called_from(capture, group, sites)}"
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
            code=once.code if once is not None else None,
            predicted=Predicted(queries=(total, total - count + 1), saved_ms=saved),
            kind="reuse",
            at=site_of(group[0]),
            edits=once.edits if once is not None else (),
        ),
        queries=indexes(group),
    )


def _called_from(capture: Capture, group: Sequence[Query], sites: Sequence[str]) -> str:
    """Who asked a helper that asks the database."""
    found = list(dict.fromkeys(callers(capture, group))) if len(sites) == 1 else []
    if len(found) < 2:
        return ""
    more = f" and {len(found) - 8} more places" if len(found) > 8 else ""
    return f" That was called from {', '.join(found[:8])}{more}."


def _asked_at(sites: Sequence[str]) -> str:
    if list(sites) == [UNKNOWN_LINE]:
        return "The line that asked is unknown: no code of yours was on the stack."
    more = f" and {len(sites) - 8} more places" if len(sites) > 8 else ""
    return f"Asked at {', '.join(sites[:8])}{more}."
