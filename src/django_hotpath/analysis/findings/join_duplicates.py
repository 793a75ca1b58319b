"""``join_duplicates``: a join that built the same few rows again and again."""

from __future__ import annotations

from collections.abc import Iterator

from django_hotpath.analysis.findings.base import Limits
from django_hotpath.analysis.findings.over_fetching import all_bytes, predicted, size, spent_ms
from django_hotpath.analysis.fixes.expressions import insert_after, stem
from django_hotpath.analysis.fixes.unloading import Rewritten, Written, without, written
from django_hotpath.analysis.usage_ledger import Loaded, Use, ledger
from django_hotpath.capture import Capture, Edit, Finding, Fix

MIN_INSTANCES = 20
# Of each row at least four copies, and what is copied worth a query of its own.
MIN_COPIES = 4
MIN_ROW_BYTES = 100
MIN_BYTES = 4_000
_MEDIUM_BYTES = 100_000


def join_duplicates(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Relations of ``select_related`` with many objects of few rows, not tiny ones, that are read.

    Silent for ``iterator()``, unions and rows that are locked, where the other way is not open.
    """
    for use in ledger(capture):
        if use.raw or use.inner is not None:
            continue
        if use.entry.get("method") == "iterator" or use.entry.get("combinator"):
            continue
        if use.entry.get("locks"):
            continue
        yield from _of(use, capture)


def _of(use: Use, capture: Capture) -> Iterator[Finding]:
    found: list[str] = []
    for lookup, loaded in sorted(use.loaded.items()):
        if any(lookup.startswith(f"{above}__") for above in found):
            continue
        if loaded.how == "select_related" and loaded.read and _copied(loaded) is not None:
            found.append(lookup)
            yield _finding(use, loaded, capture)


def _copied(loaded: Loaded) -> int | None:
    """Bytes that came more than once; None where it does not matter."""
    if loaded.columns is None or loaded.instances < MIN_INSTANCES:
        return None
    if not loaded.distinct or loaded.distinct * MIN_COPIES > loaded.instances:
        return None
    whole = sum(loaded.columns.bytes.values())
    copied = whole - whole * loaded.distinct // loaded.instances
    is_tiny = whole < MIN_ROW_BYTES * loaded.instances
    return None if is_tiny or copied < MIN_BYTES else copied


def _finding(use: Use, loaded: Loaded, capture: Capture) -> Finding:
    copied = _copied(loaded) or 0
    below = sorted(lookup for lookup in use.loaded if lookup.startswith(f"{loaded.lookup}__"))
    # The deepest ones bring those above them along.
    lookups = [
        lookup
        for lookup in (loaded.lookup, *below)
        if not any(other.startswith(f"{lookup}__") for other in below)
    ]
    steps = 1 + len(below)
    cost = spent_ms(capture, use.queries)
    saved = round(cost * copied / max(all_bytes(use), 1), 4)
    call = "prefetch_related(" + ", ".join(f'"{lookup}"' for lookup in lookups) + ")"
    edits, code = _rewritten(use, loaded, call)
    more = "one query more" if steps == 1 else f"{steps} queries more"
    return Finding(
        kind="join_duplicates",
        severity="medium" if copied >= _MEDIUM_BYTES else "low",
        title=(
            f"{loaded.relation} is joined to {loaded.instances:,} rows, and is one of "
            f"{loaded.distinct:,}"
        ),
        detail=(
            f"select_related() brings the columns of {loaded.relation} with every row, and an "
            f"object of its own for each: {size(copied)} came more than once. prefetch_related() "
            f"fetches the {loaded.distinct:,} rows once: {more}, {loaded.distinct:,} rows instead "
            f"of {loaded.instances:,}. Rows of one relation then share one object."
        ),
        count=loaded.instances,
        cost_ms=saved,
        call_site=use.call_site,
        relation=loaded.relation,
        origin=use.site,
        fix=Fix(
            summary=f'Replace select_related("{loaded.lookup}") by {call}: {more}.',
            code=code or f".{call}",
            predicted=predicted(capture, steps * use.runs, saved),
            kind="replace_eager_load",
            paths=tuple(lookups),
            at=use.site,
            edits=edits,
        ),
        queries=use.queries,
    )


def _rewritten(use: Use, loaded: Loaded, call: str) -> tuple[tuple[Edit, ...], str | None]:
    place = written(use.entry)
    less = without(place, "select_related", [loaded.lookup]) if place is not None else None
    if place is None or less is None:
        return (), None
    return _with(place, less, call)


def _with(place: Written, less: Rewritten, call: str) -> tuple[tuple[Edit, ...], str | None]:
    """Both changes, as two edits that do not touch each other."""
    end = place.source.place(stem(place.node))
    at = (end.end_line, end.end_column)
    more = Edit(
        file=place.file,
        line=at[0],
        column=at[1],
        end_line=at[0],
        end_column=at[1],
        old="",
        new=f".{call}",
    )
    if (less.edit.end_line, less.edit.end_column) == at:
        # It ends with what is taken out: one edit.
        old = less.edit
        return (Edit(**{**old.__dict__, "new": f"{old.new}.{call}"}),), _code(place, less, call)
    return (less.edit, more), _code(place, less, call)


def _code(place: Written, less: Rewritten, call: str) -> str:
    from django_hotpath.analysis.sourcecode import Source

    text = less.code.removeprefix(f"{place.name} = ")
    source = Source(f"({text})")
    statement = source.tree.body[0]
    node = stem(statement.value)  # type: ignore[attr-defined]
    whole = source.place(statement.value)._asdict()  # type: ignore[attr-defined]
    _edit, code = insert_after(source, {"file": "", **whole}, node, f".{call}")
    return f"{place.name} = {code}" if place.name else code
