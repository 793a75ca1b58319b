"""``unused_eager_load``: a relation that was loaded together with the rows and never read."""

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
from django_hotpath.analysis.fixes.unloading import Rewritten, without, written
from django_hotpath.analysis.usage_ledger import Loaded, Use, ledger
from django_hotpath.capture import Capture, Finding, Fix

# A join for a row or two costs nothing that matters; a prefetch is a query of its own.
MIN_ROWS_JOINED = 3
_HIGH_BYTES = 1_000_000


def unused_eager_load(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Relations of ``select_related`` and ``prefetch_related`` that nothing read in this capture.

    Silent where rows were not looked at at all, where a read cannot be seen (``to_attr``,
    descriptors that are not Django's, instances read by their dict) and below another one.
    """
    for use in ledger(capture):
        yield from unused_in(use, capture)


def unused_in(use: Use, capture: Capture) -> Iterator[Finding]:
    if use.dicts or not use.touched:
        return
    unused = {lookup: found for lookup, found in use.loaded.items() if not found.read}
    for lookup, found in unused.items():
        steps = lookup.split("__")
        above = ["__".join(steps[:number]) for number in range(1, len(steps))]
        if any(step in unused for step in above):
            continue
        if not all(use.loaded[step].seen for step in (*above, lookup) if step in use.loaded):
            continue
        if found.how == "prefetch_related" or found.of_rows >= MIN_ROWS_JOINED:
            yield _finding(use, found, capture)


def _finding(use: Use, found: Loaded, capture: Capture) -> Finding:
    below = [
        other
        for lookup, other in use.loaded.items()
        if lookup == found.lookup or lookup.startswith(f"{found.lookup}__")
    ]
    queries = sorted({index for other in below for index in other.queries})
    joined = sum(sum(other.columns.bytes.values()) for other in below if other.columns)
    cost = spent_ms(capture, queries)
    if found.how == "select_related":
        # A share of the query by bytes: a guess, since the database does not tell.
        cost = round(spent_ms(capture, use.queries) * joined / max(all_bytes(use), 1), 4)
    rewritten = _rewritten(use, found)
    return Finding(
        kind="unused_eager_load",
        severity=severity(use, joined, medium=0, high=_HIGH_BYTES),
        title=f"{found.relation} is loaded for {_rows(found.of_rows)} and never read",
        detail=_detail(use, found, joined, len(queries)),
        count=found.of_rows,
        cost_ms=cost,
        call_site=use.call_site,
        relation=found.relation,
        origin=use.site,
        fix=Fix(
            summary=_summary(use, found, rewritten),
            code=rewritten.code if rewritten else None,
            predicted=predicted(capture, -len(queries), cost),
            kind="remove_eager_load",
            paths=(found.lookup,),
            at=use.site,
            edits=(rewritten.edit,) if rewritten else (),
        ),
        queries=tuple(queries) or use.queries,
    )


def _rewritten(use: Use, found: Loaded) -> Rewritten | None:
    place = written(use.entry)
    return without(place, found.how, [found.lookup]) if place is not None else None


def _detail(use: Use, found: Loaded, joined: int, queries: int) -> str:
    objects = "1 object" if found.instances == 1 else f"{found.instances:,} objects"
    if found.how == "select_related":
        cost = f"The join brought {objects}, {size(joined)}"
    else:
        runs = "1 query" if queries == 1 else f"{queries} queries"
        cost = f"{found.how}() made {runs} for it, which brought {objects}"
    return f"{cost}. Nothing read {found.relation} {use.often}.{careful(use)}"


def _summary(use: Use, found: Loaded, rewritten: Rewritten | None) -> str:
    call = f'"{found.lookup}" out of {found.how}()'
    where = f" at {use.site}" if use.site is not None else ""
    if rewritten is None:
        return (
            f"Take {call} for this queryset{where}. It is not written there: a manager, a default "
            "or an earlier line asks for it."
        )
    return f"Take {call}{where}."


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number:,} rows"
