"""``unused_columns``: columns that came with every row and were read of none."""

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
from django_hotpath.analysis.fixes.leaving_out import Choice, choose, fix_parts
from django_hotpath.analysis.usage_ledger import Use, ledger
from django_hotpath.capture import Capture, Finding, Fix

MIN_ROWS = 20
MIN_BYTES = 4_000
MIN_SHARE = 0.3
_MEDIUM_BYTES, _HIGH_BYTES = 20_000, 1_000_000


def unused_columns(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Querysets with columns that nothing read, worth at least 4 KB and 30 % of what they brought.

    Silent below 20 rows, where most rows were not looked at, for raw SQL and unions, for rows that
    a relation fetched lazily, and where the code may read rows unseen. Keys and what is read in
    ``__init__`` are never unused.
    """
    for use in ledger(capture):
        yield from unused_in(use, capture)


def unused_in(use: Use, capture: Capture) -> Iterator[Finding]:
    if use.rows < MIN_ROWS or use.dicts or use.raw or use.entry.get("combinator"):
        return
    if use.touched * 2 < use.followed or not use.touched:
        return
    if use.lazy:
        return
    choice = choose(use)
    whole = all_bytes(use)
    if choice is None or choice.bytes < MIN_BYTES or choice.bytes < MIN_SHARE * whole:
        return
    yield _finding(use, choice, whole, capture)


def _finding(use: Use, choice: Choice, whole: int, capture: Capture) -> Finding:
    name = use.columns.model.rpartition(".")[2]
    names = _listed(choice.unread)
    saved = round(spent_ms(capture, use.queries) * choice.bytes / whole, 4)
    edits, code, imports = fix_parts(use, choice)
    are = "is" if len(choice.unread) == 1 else "are"
    followed = "" if use.exact else f" (of the {use.followed:,} rows that were followed)"
    return Finding(
        kind="unused_columns",
        severity=severity(use, choice.bytes, medium=_MEDIUM_BYTES, high=_HIGH_BYTES),
        title=f"{names} {are} fetched for {use.rows:,} rows of {name} and never read",
        detail=(
            f"{size(choice.bytes)} of {size(whole)} that this queryset brought were not read "
            f"{use.often}{followed}. A column that is left out and read after all is fetched "
            f"then, one query for each row.{careful(use)}"
        ),
        count=use.rows,
        cost_ms=saved,
        call_site=use.call_site,
        origin=use.site,
        fix=Fix(
            summary=f"Fetch what is read: {choice.call}.",
            code=code,
            predicted=predicted(capture, 0, saved),
            kind=choice.kind,
            paths=choice.paths,
            at=use.site,
            edits=edits,
            imports=imports,
        ),
        queries=use.queries,
    )


def _listed(names: tuple[str, ...]) -> str:
    shown = list(names[:3])
    if len(names) > 3:
        shown.append(f"{len(names) - 3} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
