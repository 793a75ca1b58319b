"""Columns of a relation that was read by ``values_list()``: picked from prefetched objects."""

from __future__ import annotations

import ast

from django_hotpath.analysis.findings.base import is_answered
from django_hotpath.analysis.fixes.classes import changed_queryset
from django_hotpath.analysis.fixes.loop import Loop
from django_hotpath.analysis.fixes.reading import model_name, reading
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.capture import Fix


def picked_columns(loop: Loop) -> Fix | None:
    """For ``author.books.values_list("title", flat=True)`` and the like, nothing else asked."""
    entry = loop.entry
    if entry.get("method") != "iterate" or "class" in loop.root_entry or "__" in loop.path:
        return None
    found = reading(loop, "made")
    if found is None or found.in_template or len(found.chain.steps) != 1 or found.chain.subscript:
        return None
    call = found.chain.calls[0]
    name = found.chain.steps[0][0]
    names = [
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    known = set(entry.get("columns") or ())
    if len(names) != len(call.args) or not names or not known.issuperset(names):
        return None
    row = model_name(loop).lower()
    flat = [keyword.arg for keyword in call.keywords] == ["flat"]
    if name == "values_list" and flat and len(names) == 1:
        one = f"{row}.{names[0]}"
    elif name == "values_list" and not call.keywords:
        one = f"({', '.join(f'{row}.{column}' for column in names)},)"
    elif name == "values" and not call.keywords:
        one = "{" + ", ".join(f'"{column}": {row}.{column}' for column in names) + "}"
    else:
        return None
    accessor = entry["accessor"]
    made = changed_queryset(loop, "prefetch_related", f'prefetch_related("{accessor}")')
    if made is None:
        return None
    edit, code = made
    new = f"[{one} for {row} in {found.chain.receiver}.{accessor}.all()]"
    read = found.edit_to(new)
    gone = [query for query in loop.queries if is_answered(query)]
    return Fix(
        summary=(
            f"Prefetch {entry['relation']} for all objects by one query, and take the columns from "
            "the objects."
        ),
        code=f"{code}\n# and in the loop, in place of {' '.join(read.old.split())}:\n{new}",
        predicted=predicted(loop.capture, gone, max(len(loop.roots), 1)),
        kind="prefetch_related",
        paths=(str(accessor),),
        at=loop.origin,
        edits=(edit, read),
    )
