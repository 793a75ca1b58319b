"""``unread_rows``: many rows fetched, of which the application looked at few."""

from __future__ import annotations

from collections.abc import Iterator

from django_hotpath.analysis.findings.base import Limits
from django_hotpath.analysis.findings.over_fetching import (
    all_bytes,
    careful,
    predicted,
    severity,
    size,
    spent_ms,
)
from django_hotpath.analysis.usage_ledger import Use, ledger
from django_hotpath.capture import Capture, Finding, Fix

MIN_ROWS = 100
MAX_SHARE = 0.1
_MEDIUM_BYTES, _HIGH_BYTES = 0, 1_000_000

# Asked for their number or for whether there are any: that is another finding.
_COUNTED = frozenset(["len", "bool", "contains", "in_bulk"])


def unread_rows(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Querysets of at least 100 rows of which at most a tenth was read, by attribute.

    Silent where not all rows were followed, and where the code may read them in another way.
    """
    for use in ledger(capture):
        yield from unread_in(use, capture)


def unread_in(use: Use, capture: Capture) -> Iterator[Finding]:
    if use.rows < MIN_ROWS * use.runs or not use.exact or use.dicts or use.inner is not None:
        return
    if use.touched_share > MAX_SHARE or use.entry.get("method") in _COUNTED:
        return
    bytes_read = all_bytes(use)
    unread = round(bytes_read * (1 - use.touched / use.rows))
    cost = spent_ms(capture, use.queries)
    saved = round(cost * (1 - use.touched / use.rows), 4)
    looked = f"{use.touched:,}" if use.touched else "none"
    name = use.columns.model.rpartition(".")[2]
    yield Finding(
        kind="unread_rows",
        severity=severity(use, unread, medium=_MEDIUM_BYTES, high=_HIGH_BYTES),
        title=f"{use.rows:,} rows of {name} fetched, {looked} looked at",
        detail=(
            f"{size(unread)} came and {use.rows - use.touched:,} objects were built for nothing "
            f"{use.often}: no attribute of them was read.{_which(use)}{careful(use)}"
        ),
        count=use.rows - use.touched,
        cost_ms=saved,
        call_site=use.call_site,
        origin=use.site,
        fix=Fix(
            summary=_summary(use),
            code=_code(use),
            predicted=predicted(capture, 0, saved),
            kind="slice" if use.touched else "reuse",
            at=use.site,
        ),
        queries=use.queries,
    )


def _which(use: Use) -> str:
    if use.first is None or use.last is None or use.last - use.first + 1 != use.touched:
        return ""
    if use.first == 0:
        return (
            f" It was the first {use.touched:,} that were read."
            if use.touched > 1
            else (" It was the first one that was read.")
        )
    return f" Those that were read stand together, from number {use.first + 1:,} on."


def _summary(use: Use) -> str:
    if not use.touched:
        return (
            "If only their number counts, ask with count() or exists(); if nothing does, do not "
            "evaluate the queryset."
        )
    return (
        "Let the database choose: slice the queryset before it is evaluated (a list is sliced too "
        "late), page with Paginator on the queryset, or put the condition into filter()."
    )


def _code(use: Use) -> str | None:
    made = use.made
    if made is None or use.first is None or use.last is None or use.entry.get("sliced"):
        return None
    if use.last - use.first + 1 != use.touched:
        return None
    begin = str(use.first) if use.first else ""
    return f"{made['text']}[{begin}:{use.last + 1}]"
