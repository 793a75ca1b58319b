"""Loops that update: to ``update()`` where the database can do it, else to ``bulk_update()``."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from django_hotpath.analysis.findings.base import Query
from django_hotpath.analysis.sourcecode import bound, import_for, receiver, used
from django_hotpath.analysis.writes_count import bulk_update
from django_hotpath.analysis.writes_create import collected
from django_hotpath.analysis.writes_groups import keys_of
from django_hotpath.analysis.writes_rewrite import (
    Rewrite,
    Task,
    alone,
    assigned,
    is_quiet,
    is_simple,
    is_whole,
    selected_by,
    went_well,
    wrapped,
)
from django_hotpath.analysis.writes_source import (
    class_in_module,
    is_used_after,
    model_text,
    plain_for,
)

_OPERATIONS = (ast.Add, ast.Sub, ast.Mult)
_FILES = frozenset({"FileField", "ImageField"})


def of_save(task: Task) -> Rewrite | None:
    """``book.price = …; book.save()`` in a loop over books that are there already."""
    loop, saved = task.found.loop, receiver(task.call)
    if not isinstance(loop, ast.For) or not isinstance(saved, ast.Name):
        return None
    if not isinstance(loop.target, ast.Name) or loop.target.id != saved.id:
        return None
    changed = _changed(task, loop, saved.id)
    if not changed:
        return None
    select = selected_by(task, loop)
    if select is not None and plain_for(task.found) is not None:
        by_database = _by_database(task, loop, saved.id, select)
        if by_database is not None:
            return by_database
    model = model_text(task.source, loop.iter, task.group.model)
    model = model or class_in_module(task.source, task.group.model)
    certain = (
        model is not None
        and set(changed) <= set(_types(task)) - {(task.group.facts or {}).get("pk")}
        and _keys_differ(task.group.main)
        and _only_changes(task, loop, saved.id, select)
    )
    manager = f"{model or task.group.model.rpartition('.')[2]}.objects"
    names = ", ".join(f'"{name}"' for name in changed)
    after = bulk_update(task.group, len(changed))
    more = f", [{names}]"
    return collected(task, "bulk_update", manager, saved.id, more, after, certain=certain)


def _types(task: Task) -> Mapping[str, str]:
    types: Mapping[str, str] = (task.group.facts or {}).get("types", {})
    return types


def _changed(task: Task, loop: ast.For, name: str) -> list[str]:
    """The fields that the loop sets, or those that save() is told."""
    told = [word.value for word in task.call.keywords if word.arg == "update_fields"]
    if len(told) == len(task.call.keywords) == 1 and isinstance(
        told[0], (ast.List, ast.Tuple, ast.Set)
    ):
        elements = told[0].elts
        if all(isinstance(found, ast.Constant) for found in elements):
            return [str(found.value) for found in elements if isinstance(found, ast.Constant)]
    if task.call.args or task.call.keywords:
        return []
    found = [
        node.attr
        for node in ast.walk(loop)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    ]
    return list(dict.fromkeys(found))


def _only_changes(task: Task, loop: ast.For, name: str, select: Query | None) -> bool:
    """Whether save() can have written nothing but those fields, and the body does nothing else."""
    told = bool(task.call.keywords)
    if select is None and not told:
        return False
    return all(_is_harmless(statement, task, name, told=told) for statement in loop.body)


def _is_harmless(statement: ast.stmt, task: Task, name: str, *, told: bool) -> bool:
    if isinstance(statement, ast.If):
        branches = [*statement.body, *statement.orelse]
        return is_quiet(statement.test) and all(
            _is_harmless(inner, task, name, told=told) for inner in branches
        )
    if isinstance(statement, ast.Expr) and statement.value is task.call:
        return True
    if isinstance(statement, ast.Pass):
        return True
    # A method of the object may change any of its fields.
    if not told and any(
        isinstance(node, ast.Call)
        and any(isinstance(part, ast.Name) and part.id == name for part in ast.walk(node.func))
        for node in ast.walk(statement)
    ):
        return False
    return is_simple(statement, name)


def _keys_differ(main: Sequence[Query]) -> bool:
    """Whether no row was written twice."""
    keys = keys_of(main)
    return keys is not None and len(set(keys)) == len(keys)


def _by_database(task: Task, loop: ast.For, name: str, select: Query) -> Rewrite | None:
    """``update()`` with constants, or whole numbers counted on from the row's own."""
    source = task.source
    *settings, last = loop.body
    if not settings or not isinstance(last, ast.Expr) or last.value is not task.call:
        return None
    if not is_whole(task, select) or not _keys_differ(task.group.main):
        return None
    values: dict[str, str] = {}
    needs_f = False
    for statement in settings:
        found = _setting(task, statement, name, frozenset(values), bound(loop))
        if found is None:
            return None
        field, value = found
        values[field] = value
        needs_f = needs_f or "F(" in value
    if not set(_changed(task, loop, name)) <= set(values) or task.call.args:
        return None
    if isinstance(loop.iter, ast.Name):
        # Its objects were changed as well: whoever looks at them later would see old ones.
        if is_used_after(source, loop, frozenset({loop.iter.id, name})):
            return None
    elif is_used_after(source, loop, frozenset({name})):
        return None
    words = ", ".join(f"{field}={value}" for field, value in values.items())
    indent = source.indent_of(loop)
    code = wrapped(f"{source.text_of(loop.iter)}.update(", words, ")", indent)
    imports = import_for(source, "F", "django.db.models") if needs_f else ()
    certain = imports is not None and task.is_safe("update") and went_well(task) and alone(task)
    edits = (source.replace(task.file, loop, code),) if certain else ()
    return Rewrite("update", code, 1, edits, imports or (), replaced=(select["index"],))


def _setting(
    task: Task,
    statement: ast.stmt,
    name: str,
    earlier: frozenset[str],
    of_loop: frozenset[str],
) -> tuple[str, str] | None:
    """(field, value) of ``book.stock = …``; None where the database would not do the same."""
    targets = assigned(statement)
    if len(targets) != 1 or not isinstance(targets[0], ast.Attribute):
        return None
    target = targets[0]
    if not (isinstance(target.value, ast.Name) and target.value.id == name):
        return None
    field = target.attr
    kind = _types(task).get(field)
    if kind is None or kind in _FILES or field in earlier:
        return None
    assert isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign))
    assert statement.value is not None
    value: ast.expr = statement.value
    if isinstance(statement, ast.AugAssign):
        own = ast.Attribute(ast.Name(name, ast.Load()), field, ast.Load())
        value = ast.BinOp(own, statement.op, value)
    if is_constant(value, of_loop):
        return field, ast.unparse(value)
    if not kind.endswith("IntegerField"):
        return None
    counted = _counted(task, value, name, earlier)
    return None if counted is None else (field, counted)


def is_constant(node: ast.expr, of_loop: frozenset[str]) -> bool:
    """A literal, or a name or attribute that the loop does not change."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, (ast.USub, ast.UAdd)) and isinstance(node.operand, ast.Constant)
    root: ast.expr = node
    while isinstance(root, ast.Attribute):
        root = root.value
    return isinstance(root, ast.Name) and not used(root) & of_loop


def _counted(task: Task, node: ast.expr, name: str, earlier: frozenset[str]) -> str | None:
    """Sums, differences and products of whole numbers: the same in Python and in SQL."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATIONS):
        left = _counted(task, node.left, name, earlier)
        right = _counted(task, node.right, name, earlier)
        if left is None or right is None:
            return None
        sign = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}[type(node.op)]
        left, right = _grouped(node.left, left), _grouped(node.right, right)
        return f"{left} {sign} {right}"
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return str(node.value)
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and node.attr not in earlier
        and _types(task).get(node.attr, "").endswith("IntegerField")
    ):
        return f'F("{node.attr}")'
    return None


def _grouped(node: ast.expr, text: str) -> str:
    return f"({text})" if isinstance(node, ast.BinOp) else text
