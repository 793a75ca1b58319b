"""Fixes for querysets that a class names: a generic view, a viewset, an admin class."""

from __future__ import annotations

import ast

from django_hotpath.analysis.classcode import assigned, find_class
from django_hotpath.analysis.fixes.expressions import insert_after, stem, with_call
from django_hotpath.analysis.fixes.loop import Loop
from django_hotpath.analysis.sourcecode import Source, project_source
from django_hotpath.capture import Edit

Written = tuple[tuple[Edit, ...], str | None]


def changed_queryset(loop: Loop, kind: str, call: str) -> tuple[Edit, str] | None:
    """``.call`` on the queryset where it is made, be that an expression or a class."""
    made = loop.root_entry.get("made")
    if made is not None:
        return with_call(made, call)
    edits, code = by_class(loop, kind, call)
    return (edits[0], code) if len(edits) == 1 and code is not None else None


def by_class(loop: Loop, kind: str, call: str) -> Written:
    """Nothing where the source does not show how the class comes by its queryset."""
    named = loop.root_entry.get("class")
    source = project_source(named["file"]) if named else None
    found = find_class(source, named) if source is not None and named else None
    if source is None or found is None or named is None:
        return (), None
    if named.get("admin"):
        return _admin(source, named["file"], found, kind, call, loop.path)
    attribute = assigned(found, "queryset")
    if attribute is not None and attribute.value is not None:
        place = source.place(attribute.value)
        made = {"file": named["file"], **place._asdict(), "text": source.between(place)}
        edit, code = insert_after(source, made, stem(attribute.value), f".{call}")
        return (edit,), f"queryset = {code}"
    model = assigned(found, "model")
    if model is not None and model.value is not None:
        name = source.text_of(model.value)
        line = f"queryset = {name}.{loop.root_entry.get('manager', 'objects')}.{call}"
        return (_line_after(source, named["file"], model, line),), line
    return (), None


def _admin(
    source: Source, file: str, found: ast.ClassDef, kind: str, call: str, path: str
) -> Written:
    if kind == "select_related":
        told = assigned(found, "list_select_related")
        if told is not None:
            return _longer(source, file, told, path)
        line = f'list_select_related = ("{path}",)'
        after = assigned(found, "list_display") or found.body[-1]
        return (_line_after(source, file, after, line),), line
    if any(
        isinstance(node, ast.FunctionDef) and node.name == "get_queryset" for node in found.body
    ):
        return (), None
    lines = f"def get_queryset(self, request):\n    return super().get_queryset(request).{call}"
    return (_line_after(source, file, found.body[-1], f"\n{lines}"),), lines


def _longer(source: Source, file: str, told: ast.Assign | ast.AnnAssign, path: str) -> Written:
    value = told.value
    if not isinstance(value, (ast.Tuple, ast.List)):
        return (), None
    names = [source.text_of(name) for name in value.elts] + [f'"{path}"']
    new = f"({', '.join(names)})"
    return (source.replace(file, value, new),), f"list_select_related = {new}"


def _line_after(source: Source, file: str, node: ast.stmt, text: str) -> Edit:
    """The lines below a statement, indented like it."""
    end = source.place(node)
    indent = source.indent_of(node)
    new = "".join(f"\n{indent}{line}" if line else "\n" for line in text.split("\n"))
    at = (end.end_line, end.end_column)
    return Edit(
        file=file,
        line=at[0],
        column=at[1],
        end_line=at[0],
        end_column=at[1],
        old="",
        new=new,
    )
