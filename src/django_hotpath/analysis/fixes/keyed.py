"""Queries in a loop that no relation stands behind: ask once, look up by key in the loop."""

from __future__ import annotations

from collections.abc import Sequence

from django_hotpath.analysis.findings.base import Query, queries_of
from django_hotpath.analysis.fixes.keyed_source import Asked, read_asked
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.analysis.orm import Entry
from django_hotpath.capture import CallSite, Capture, Edit, Fix

_SUMMARY = (
    "Collect the keys first and ask once: in_bulk() for one object a key, filter(...__in=keys) "
    "for several, and look them up in the loop."
)
_COUNTED = (
    "Let the database count for all keys at once, grouped by the key, and look the numbers up in "
    "the loop."
)


def ask_once(
    capture: Capture, queries: Sequence[Query], entry: Entry, site: CallSite | None
) -> Fix:
    """``queries`` are the loop's; with edits where the loop is simple enough."""
    asked = read_asked(entry)
    written = _written(asked) if asked is not None else None
    code, edits = (None, ()) if written is None else written
    counts = asked is not None and asked.method == "count"
    made = _made_meanwhile(capture, queries, entry)
    return Fix(
        summary=_COUNTED if counts else _SUMMARY,
        code=code,
        predicted=predicted(capture, queries[: len(queries) - made], 1),
        kind="annotate" if counts and edits else "in_bulk",
        at=site,
        edits=edits,
        imports=("from django.db.models import Count",) if counts and edits else (),
    )


def _made_meanwhile(capture: Capture, queries: Sequence[Query], entry: Entry) -> int:
    """How many get_or_create() had to make: these ask again."""
    if entry.get("method") != "get_or_create":
        return 0
    number = queries[0].get("orm")
    return sum(
        query.get("orm") == number and query["sql"].lstrip().upper().startswith("INSERT")
        for query in queries_of(capture)
    )


def _written(asked: Asked) -> tuple[str, tuple[Edit, ...]]:
    """The lines before the loop and what stands in the loop, as text and as edits."""
    keys = f"[{asked.key} {asked.each}]"
    rows = f"{asked.manager}.filter({asked.condition(keys)})"
    wait = "await " if asked.is_async else ""
    over = "async for" if asked.is_async else "for"
    name, field, row = asked.name, asked.attribute, asked.row
    before: list[str]
    if asked.method == "count":
        pairs = f'{rows}.order_by().values_list("{asked.field}").annotate(Count("pk"))'
        before = [f"{name} = {_dict_of(pairs, asked)}"]
        new = f"{name}.get({asked.key}, 0)"
    elif asked.method == "exists":
        found = f'{rows}.values_list("{asked.field}", flat=True)'
        before = [f"{name} = {{{row} {over} {row} in {found}}}"]
        new = f"({asked.key} in {name})"
    elif asked.column:
        pairs = f'{rows}.values_list("{asked.field}", "{asked.column}")'
        before = [f"{name} = {_dict_of(pairs, asked)}"]
        new = f"{name}[{asked.key}]"
    elif asked.method == "get" and asked.field in {"pk", "id"} and not asked.others:
        bulk = "ain_bulk" if asked.is_async else "in_bulk"
        before = [f"{name} = {wait}{asked.manager}.{bulk}({keys})"]
        new = f"{name}[{asked.key}]"
    elif asked.method in {"get", "get_or_create"}:
        before = [f"{name} = {{{row}.{field}: {row} {over} {row} in {rows}}}"]
        new = f"{name}[{asked.key}]"
        if asked.method == "get_or_create":
            new = f"(({new}, False) if {asked.key} in {name} else {asked.text})"
    else:
        before = [
            f"{name} = {{}}",
            f"{over} {row} in {rows}{asked.rest}:",
            f"    {name}.setdefault({row}.{field}, []).append({row})",
        ]
        new = f"{name}.get({asked.key}, [])"
        if asked.method == "first":
            new = f"next(iter({new}), None)"
    before = [*asked.first_line, *before]
    text = "\n".join([*before, f"# and in the loop, in place of {asked.line}:", new])
    return text, asked.edits(before, new)


def _dict_of(pairs: str, asked: Asked) -> str:
    return f"{{key: value async for key, value in {pairs}}}" if asked.is_async else f"dict({pairs})"
