"""Taking lookups out of ``select_related`` and ``prefetch_related`` where they are written."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from django_hotpath.analysis.fixes.expressions import expression, methods
from django_hotpath.analysis.fixes.loop import source_at
from django_hotpath.analysis.sourcecode import Source, called_name, project_source, uses
from django_hotpath.capture import Edit


class Written(NamedTuple):
    """An expression that makes a queryset, and where it stands."""

    source: Source
    file: str
    node: ast.expr
    name: str = ""
    """The attribute of a class that it is the value of."""


class Rewritten(NamedTuple):
    edit: Edit
    code: str
    """The whole expression after the edit, as it is to be pasted."""


def written(entry: Mapping[str, Any]) -> Written | None:
    """The expression of the queryset of an ORM entry; None where it is not to be found."""
    made = entry.get("made")
    if made is not None:
        source = source_at(made)
        node = expression(source, made)
        return Written(source, made["file"], node) if source and node is not None else None
    named = entry.get("class")
    if not named or named.get("admin"):
        return None
    source = project_source(named["file"])
    value = _attribute(source, named, "queryset") if source is not None else None
    if source is None or value is None:
        return None
    return Written(source, named["file"], value, "queryset")


def without(found: Written, method: str, gone: Collection[str]) -> Rewritten | None:
    """The queryset with these lookups, and all below them, no longer loaded by ``method``.

    None where they are not written in the expression, nor in the one that its variable was made
    by, or not as plain texts.
    """
    for whole in (found.node, *_made_before(found)):
        for call in methods(whole):
            if called_name(call) != method:
                continue
            edit = _edited(found, call, gone)
            if edit is not None:
                return Rewritten(edit, _code(found, whole, edit))
    return None


def replaced(found: Written, method: str, lookup: str, new: str) -> Rewritten | None:
    """The queryset with one lookup written in another way, in the same call."""
    for call in methods(found.node):
        if called_name(call) == method:
            for given in call.args:
                if _constant(given) == lookup:
                    edit = found.source.replace(found.file, given, new)
                    return Rewritten(edit, _code(found, found.node, edit))
    return None


def _attribute(source: Source, named: Mapping[str, Any], name: str) -> ast.expr | None:
    cls = named["name"].rpartition(".")[2]
    classes = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name == cls
    ]
    # With decorators the first line is theirs.
    body = min(classes, key=lambda node: abs(node.lineno - named["line"])).body if classes else []
    for node in body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            return node.value
    return None


def _made_before(found: Written) -> Iterator[ast.expr]:
    """What the variable at the beginning of the chain was made by, if nothing else uses it."""
    source, node = found.source, found.node
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (ast.Attribute, ast.Subscript, ast.Await)):
            node = node.value
        else:
            return
    scope = source.function_of(node)
    if scope is None:
        return
    values = []
    reads = 0
    for name in uses(scope, node.id):
        statement = source.statement_of(name)
        if isinstance(name.ctx, ast.Load):
            reads += 1
        elif isinstance(statement, ast.Assign):
            values.append(statement.value)
    if len(values) == 1 and reads == 1:
        yield values[0]


def _edited(found: Written, call: ast.Call, gone: Collection[str]) -> Edit | None:
    source = found.source
    if not call.args or call.keywords or not isinstance(call.func, ast.Attribute):
        return None
    kept: dict[str, str] = {}
    changed = False
    for given in call.args:
        lookup = _constant(given)
        if lookup is None:
            return None
        left = _left(lookup, gone)
        changed = changed or left != lookup
        if left:
            kept.setdefault(left, source.text_of(given) if left == lookup else f'"{left}"')
    if not changed:
        return None
    texts = [
        text
        for lookup, text in kept.items()
        if not (text.startswith('"') and any(other.startswith(f"{lookup}__") for other in kept))
    ]
    whole = source.place(call)
    if not texts:
        begin = source.place(call.func.value)
        place = whole._replace(line=begin.end_line, column=begin.end_column)
        return source.replace(found.file, place, _in_its_place(source, call))
    first, last = source.place(call.args[0]), source.place(call.args[-1])
    place = first._replace(end_line=last.end_line, end_column=last.end_column)
    return source.replace(found.file, place, ", ".join(texts))


def _in_its_place(source: Source, call: ast.Call) -> str:
    """What is left of the call: a manager, unlike a queryset, cannot be looped over or sliced."""
    receiver = getattr(call.func, "value", None)
    goes_on = isinstance(source.parents.get(call), ast.Attribute)
    return "" if goes_on or isinstance(receiver, ast.Call) else ".all()"


def _constant(node: ast.expr) -> str | None:
    """The lookup of an argument: a text, or the text of a ``Prefetch``."""
    if isinstance(node, ast.Call) and called_name(node) == "Prefetch":
        given = [keyword.value for keyword in node.keywords if keyword.arg == "lookup"]
        node = (node.args or given or [node])[0]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _left(lookup: str, gone: Collection[str]) -> str:
    steps = lookup.split("__")
    for number in range(len(steps)):
        if "__".join(steps[: number + 1]) in gone:
            return "__".join(steps[:number])
    return lookup


def _code(found: Written, whole: ast.expr, edit: Edit) -> str:
    """The expression around the edit, with the edit made."""
    source = found.source
    place = source.place(whole)
    before = source.between(place._replace(end_line=edit.line, end_column=edit.column))
    after = source.between(place._replace(line=edit.end_line, column=edit.end_column))
    code = f"{before}{edit.new}{after}"
    return f"{found.name} = {code}" if found.name and whole is found.node else code
