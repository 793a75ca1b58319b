"""Loops that delete, that filter by one key each, or that add one object each."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from django_hotpath.analysis.findings.base import distinct
from django_hotpath.analysis.sourcecode import bound, called_name, receiver, used
from django_hotpath.analysis.writes_count import fits_one_list, one_call, queryset_delete
from django_hotpath.analysis.writes_rewrite import (
    Rewrite,
    Task,
    alone,
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
from django_hotpath.analysis.writes_update import is_constant

_LISTS = (ast.List, ast.Tuple, ast.ListComp)


def of_delete(task: Task) -> Rewrite | None:
    """``book.delete()`` in a loop over books."""
    loop, deleted = task.found.loop, receiver(task.call)
    if isinstance(deleted, ast.Call):
        return of_filter(task)
    if not isinstance(loop, ast.For) or not isinstance(deleted, ast.Name):
        return None
    if not isinstance(loop.target, ast.Name) or loop.target.id != deleted.id or task.call.keywords:
        return None
    source = task.source
    name, indent = deleted.id, source.indent_of(loop)
    select = selected_by(task, loop)
    certain = _is_sole_statement(task, loop) and not is_used_after(source, loop, frozenset({name}))
    after = queryset_delete(task.group)
    whole = select is not None and is_whole(task, select)
    if isinstance(loop.iter, ast.Name):
        # Deleted, or evaluated already: somebody may want the rows.
        whole = whole and not is_used_after(source, loop, frozenset({loop.iter.id}))
    if whole and select is not None:
        code = f"{source.text_of(loop.iter)}.delete()"
        edits = (source.replace(task.file, loop, code),) if certain else ()
        return Rewrite("delete", code, after, edits, replaced=(select["index"],))
    model = model_text(source, loop.iter, task.group.model)
    model = model or class_in_module(source, task.group.model)
    certain = certain and model is not None and fits_one_list(task.group)
    certain = certain and task.group.main[0]["alias"] == "default"
    inner = f"pk__in=[{name}.pk for {name} in {source.text_of(loop.iter)}]"
    prefix = f"{model or task.group.model.rpartition('.')[2]}.objects.filter("
    code = wrapped(prefix, inner, ").delete()", indent)
    edits = (source.replace(task.file, loop, code),) if certain else ()
    return Rewrite("delete", code, after, edits)


def of_filter(task: Task) -> Rewrite | None:
    """``Book.objects.filter(pk=pk).delete()`` or ``.update(…)`` in a loop over keys."""
    loop, filtered = task.found.loop, receiver(task.call)
    if not isinstance(loop, ast.For) or not isinstance(filtered, ast.Call):
        return None
    if called_name(filtered) != "filter" or filtered.args or task.call.args:
        return None
    source, of_loop = task.source, bound(loop)
    varying = [word for word in filtered.keywords if used(word.value) & of_loop]
    fixed = [word for word in filtered.keywords if word not in varying]
    if len(varying) != 1 or varying[0].arg is None:
        return None
    (word,) = varying
    lookup = word.arg or ""
    manager = receiver(filtered)
    if manager is None or "__" in lookup or used(manager) & of_loop:
        return None
    keys = _keys(task, loop, word.value)
    if keys is None:
        return None
    constant = all(_is_fixed(found.value, of_loop) for found in (*task.call.keywords, *fixed))
    kind = task.group.method
    certain = (
        constant
        and (kind == "delete" or _is_independent(task, lookup, filtered.keywords))
        and _is_sole_statement(task, loop)
        and not is_used_after(source, loop, bound(loop.target))
        and fits_one_list(task.group)
    )
    words = ", ".join([f"{lookup}__in={keys}", *map(source.text_of, fixed)])
    tail = source.text_of(task.call)[len(source.text_of(filtered)) :]
    indent = source.indent_of(loop)
    code = wrapped(f"{source.text_of(manager)}.filter(", words, f"){tail}", indent)
    after = queryset_delete(task.group) if kind == "delete" else 1
    edits = (source.replace(task.file, loop, code),) if certain else ()
    return Rewrite(kind, code, after, edits)


def _is_fixed(node: ast.expr, of_loop: frozenset[str]) -> bool:
    """Whether it is the same in each turn; ``F("stock") - 1`` says what to do, and is."""
    if isinstance(node, ast.BinOp):
        return _is_fixed(node.left, of_loop) and _is_fixed(node.right, of_loop)
    if isinstance(node, ast.Call):
        literal = all(isinstance(found, ast.Constant) for found in node.args)
        return called_name(node) == "F" and literal and not node.keywords
    return is_constant(node, of_loop)


def _is_independent(task: Task, lookup: str, conditions: Sequence[ast.keyword]) -> bool:
    """Whether no turn of an update changes what a later one finds, and none happens twice."""
    if distinct(task.group.main) < len(task.group.main):
        return False
    if lookup in {"pk", (task.group.facts or {}).get("pk")}:
        return True
    fields = {word.arg for word in task.call.keywords}
    if None in fields:
        return False
    sought = {(word.arg or "").partition("__")[0] for word in conditions}
    names = {spelled for name in fields if name for spelled in _spellings(name)}
    return not names & sought


def _spellings(field: str) -> set[str]:
    """``author`` is ``author_id`` as well."""
    return {field, f"{field}_id", field.removesuffix("_id")}


def _keys(task: Task, loop: ast.For, value: ast.expr) -> str | None:
    """What to look for instead of one key at a time."""
    source = task.source
    iterable = source.text_of(loop.iter)
    if isinstance(value, ast.Name) and isinstance(loop.target, ast.Name):
        if value.id != loop.target.id:
            return None
        return iterable if isinstance(loop.iter, _LISTS) else f"list({iterable})"
    if any(isinstance(node, ast.Call) for node in ast.walk(value)):
        return None
    return f"[{source.text_of(value)} for {source.text_of(loop.target)} in {iterable}]"


def of_add(task: Task) -> Rewrite | None:
    """``book.tags.add(tag)`` or ``remove(tag)`` in a loop over tags."""
    loop, manager = task.found.loop, receiver(task.call)
    if not isinstance(loop, ast.For) or manager is None or len(task.call.args) != 1:
        return None
    source, (added,) = task.source, task.call.args
    if any(word.arg == "bulk" for word in task.call.keywords):
        return None
    if isinstance(added, ast.Starred):
        return None
    if used(manager) & bound(loop):
        return _turned_round(task, loop, manager, added)
    iterable = source.text_of(loop.iter)
    same = isinstance(added, ast.Name) and isinstance(loop.target, ast.Name)
    if same and isinstance(added, ast.Name) and isinstance(loop.target, ast.Name):
        objects = f"*{iterable}" if added.id == loop.target.id else None
    else:
        objects = f"*[{source.text_of(added)} for {source.text_of(loop.target)} in {iterable}]"
    if objects is None:
        return None
    method = called_name(task.call)
    more = [source.text_of(word) for word in task.call.keywords]
    words = ", ".join([objects, *more])
    code = wrapped(f"{source.text_of(manager)}.{method}(", words, ")", source.indent_of(loop))
    once = one_call(task.group)
    certain = (
        once is not None
        and _is_sole_statement(task, loop)
        and not is_used_after(source, loop, bound(loop.target))
        and all(is_constant(word.value, bound(loop)) for word in task.call.keywords)
    )
    edits = (source.replace(task.file, loop, code),) if certain else ()
    return Rewrite("add", code, once or 1, edits)


def _turned_round(task: Task, loop: ast.For, manager: ast.expr, added: ast.expr) -> Rewrite | None:
    """One object to many: ``tag.books.add(*books)``, as far as the other side's name is known."""
    entry, source = task.group.entry, task.source
    other = entry.get("query_name")
    owner = manager.value if isinstance(manager, ast.Attribute) else None
    fits = entry.get("relation_kind") == "many_to_many" and isinstance(loop.target, ast.Name)
    if not fits or not other or used(added) & bound(loop) or not isinstance(owner, ast.Name):
        return None
    if not isinstance(loop.target, ast.Name) or owner.id != loop.target.id:
        return None
    method = called_name(task.call)
    code = f"{source.text_of(added)}.{other}.{method}(*{source.text_of(loop.iter)})"
    note = f"The name of the other side ({other}) may be another one, such as {other}_set."
    return Rewrite("add", code, one_call(task.group) or 1, note=note)


def _is_sole_statement(task: Task, loop: ast.For) -> bool:
    """Whether the loop does nothing else, and what the call gives back is not used."""
    statement = task.found.statement
    kind = "add" if task.group.method in {"add", "remove"} else task.group.method
    return (
        loop.body == [statement]
        and isinstance(statement, ast.Expr)
        and statement.value is task.call
        and plain_for(task.found) is not None
        and task.is_safe(kind)
        and went_well(task)
        and alone(task)
    )
