"""A field that the queryset leaves out and the loop reads after all."""

from __future__ import annotations

import ast

from django_hotpath.analysis.fixes.expressions import expression, methods, with_call
from django_hotpath.analysis.fixes.loop import Loop, place_of, source_at
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.capture import Edit, Fix


def fetch_the_field(loop: Loop) -> Fix:
    """Changes ``only()`` or ``defer()`` where they are written in the expression."""
    field = loop.path
    kind = "only" if loop.root_entry.get("only") else "defer"
    edit, code = _written(loop, kind, field)
    return Fix(
        summary=(
            f'Add "{field}" to only(): it is read for each object.'
            if kind == "only"
            else f'Take "{field}" out of defer(): it is read for each object.'
        ),
        code=code,
        predicted=predicted(loop.capture, loop.reads(loop.path), 0),
        kind=kind,
        paths=(loop.path,),
        at=loop.origin,
        edits=() if edit is None else (edit,),
    )


def _written(loop: Loop, kind: str, field: str) -> tuple[Edit | None, str | None]:
    made = loop.root_entry.get("made")
    source = source_at(made)
    node = expression(source, made)
    if source is None or node is None or made is None:
        return None, None
    calls = [call for call in methods(node) if getattr(call.func, "attr", "") == kind]
    for call in calls:
        names = [
            argument.value
            for argument in call.args
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
        ]
        if len(names) != len(call.args) or call.keywords:
            return None, None
        if kind == "only":
            names.append(field)
        elif field not in names:
            continue
        else:
            names.remove(field)
        assert isinstance(call.func, ast.Attribute)
        begin, end = source.place(call.func.value), source.place(call)
        place = end._replace(line=begin.end_line, column=begin.end_column)
        given = ", ".join(f'"{name}"' for name in names)
        change = f".{kind}({given})" if names else ""
        whole = place_of(made)
        before = whole._replace(end_line=place.line, end_column=place.column)
        after = whole._replace(line=place.end_line, column=place.end_column)
        new = source.between(before) + change + source.between(after)
        if not new.strip() or new.endswith(".objects"):
            new += ".all()"
        return source.replace(str(made["file"]), whole, new), new
    if kind == "defer":
        found = with_call(made, "defer(None)")
        return found if found is not None else (None, None)
    return None, None
