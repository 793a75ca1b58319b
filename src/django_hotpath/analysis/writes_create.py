"""Loops that insert: ``create()`` and ``save()`` of new objects, to ``bulk_create()``."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from django_hotpath.analysis.sourcecode import bound, called_name, receiver, used
from django_hotpath.analysis.writes_count import bounds, bulk_create
from django_hotpath.analysis.writes_rewrite import (
    Rewrite,
    Task,
    alone,
    is_quiet,
    is_simple,
    went_well,
    wrapped,
)
from django_hotpath.analysis.writes_source import (
    class_in_module,
    free_name,
    is_used_after,
    model_text,
    plain_for,
    steps,
)
from django_hotpath.capture import Edit


def of_create(task: Task) -> Rewrite | None:
    """``Book.objects.create(…)`` in a loop."""
    manager = receiver(task.call)
    if manager is None or task.call.args:
        return None
    related = task.group.entry.get("query_name")
    model = model_text(task.source, manager, task.group.model)
    if model is None:
        return _related(task, related) if related else None
    arguments = ", ".join(task.source.text_of(word) for word in task.call.keywords)
    made = f"{model}({arguments})"
    certain = (
        not set(steps(manager)) - {"using", "db_manager"}
        and not related
        # What a call does besides would come before all writes, and not between them.
        and all(is_quiet(word.value) for word in task.call.keywords)
    )
    return _rewrite(task, task.source.text_of(manager), made, certain=certain)


def _related(task: Task, name: str) -> Rewrite | None:
    """``author.books.create(…)``: the manager would add the author by itself."""
    manager = receiver(task.call)
    model = class_in_module(task.source, task.group.model) or task.group.model.rpartition(".")[2]
    if not isinstance(manager, ast.Attribute):
        return None
    if task.group.entry.get("relation_kind") != "reverse_foreign_key":
        return None
    owner = task.source.text_of(manager.value)
    words = [f"{name}={owner}", *(task.source.text_of(word) for word in task.call.keywords)]
    return _rewrite(task, f"{model}.objects", f"{model}({', '.join(words)})", certain=False)


def of_save(task: Task) -> Rewrite | None:
    """``Book(…).save()``, or ``book = Book(…)`` and later ``book.save()``, in a loop."""
    saved = receiver(task.call)
    if saved is None or task.call.args or task.call.keywords:
        return None
    model = task.group.model.rpartition(".")[2]
    if isinstance(saved, ast.Call) and called_name(saved) == model:
        name = task.source.text_of(saved.func)
        return _rewrite(task, f"{name}.objects", task.source.text_of(saved), certain=True)
    if not isinstance(saved, ast.Name):
        return None
    maker = _maker(task, saved.id, model)
    if maker is None:
        return None
    manager = f"{task.source.text_of(maker.func)}.objects"
    loop = task.found.loop
    unused = isinstance(loop, ast.For) and not is_used_after(
        task.source, loop, frozenset({saved.id})
    )
    after = bulk_create_count(task)
    return collected(task, "bulk_create", manager, saved.id, "", after, certain=unused)


def _maker(task: Task, name: str, model: str) -> ast.Call | None:
    """``Book(…)``, where the loop assigns it to the name before it saves it."""
    loop = task.found.loop
    for statement in loop.body if isinstance(loop, ast.For) else ():
        if (
            isinstance(statement, ast.Assign)
            and len(statement.targets) == 1
            and isinstance(statement.targets[0], ast.Name)
            and statement.targets[0].id == name
            and isinstance(statement.value, ast.Call)
            and called_name(statement.value) == model
        ):
            return statement.value
    return None


def bulk_create_count(task: Task) -> int:
    return bulk_create(task.capture, task.group)


def _rewrite(task: Task, manager: str, made: str, *, certain: bool) -> Rewrite | None:
    after = bulk_create_count(task)
    loop = task.found.loop
    if isinstance(loop, ast.ListComp) and loop.elt is task.call:
        return _in_list(task, loop, manager, made, after, certain=certain)
    if not isinstance(loop, ast.For):
        return Rewrite("bulk_create", f"{manager}.bulk_create([{made} for … in …])", after)
    if loop.body == [task.found.statement]:
        return _one_statement(task, loop, manager, made, after, certain=certain)
    plain = plain_for(task.found)
    if plain is None or task.found.statement not in plain.body or not certain:
        head = f"for {task.source.text_of(loop.target)} in {task.source.line_of(loop.iter)}"
        return Rewrite("bulk_create", f"{manager}.bulk_create([{made} {head}])", after)
    return collected(task, "bulk_create", manager, made, "", after)


def _in_list(
    task: Task, loop: ast.ListComp, manager: str, made: str, after: int, *, certain: bool
) -> Rewrite:
    rest = task.source.text_of(loop)[1:-1].replace(task.source.text_of(task.call), made, 1)
    code = f"{manager}.bulk_create([{rest.strip()}])"
    certain = (
        certain
        and task.is_safe("bulk_create")
        and bounds(task.group).get("gives_keys", False)
        and went_well(task)
        and alone(task)
        and task.found.outer_loop is None
        and task.source.loop_of(loop) is None
    )
    edits = (task.source.replace(task.file, loop, code),) if certain else ()
    return Rewrite("bulk_create", code, after, edits)


def _one_statement(
    task: Task, loop: ast.For, manager: str, made: str, after: int, *, certain: bool
) -> Rewrite:
    source = task.source
    indent = source.indent_of(loop)
    heads, outermost = _heads(task, loop)
    inner = f"[{made} {' '.join(heads)}]"
    code = wrapped(f"{manager}.bulk_create(", inner, ")", indent)
    names = bound(*(head.target for head in outermost))
    top = outermost[0]
    certain = (
        certain
        and task.is_safe("bulk_create")
        and went_well(task)
        and alone(task)
        and _plain(task, outermost)
        and isinstance(task.found.statement, ast.Expr)
        and task.found.statement.value is task.call
        and not is_used_after(source, top, names)
        and not names & used(ast.parse(manager))
    )
    edits = (source.replace(task.file, top, code),) if certain else ()
    return Rewrite("bulk_create", code, after, edits)


def _heads(task: Task, loop: ast.For) -> tuple[list[str], list[ast.For]]:
    """``for … in …`` of the loop and of those around it that hold nothing else, outermost first."""
    loops = [loop]
    while True:
        parent = task.source.parents[loops[0]]
        if not isinstance(parent, ast.For) or parent.body != [loops[0]] or parent.orelse:
            break
        loops.insert(0, parent)
    heads = [
        f"for {task.source.text_of(found.target)} in {_iterable(task, found.iter)}"
        for found in loops
    ]
    return heads, loops


def _iterable(task: Task, node: ast.expr) -> str:
    text = task.source.text_of(node)
    # Within a comprehension these need parentheses.
    return f"({text})" if isinstance(node, (ast.Tuple, ast.IfExp, ast.Lambda)) else text


def _plain(task: Task, loops: Sequence[ast.For]) -> bool:
    outermost = loops[0]
    if any(isinstance(target.target, (ast.Attribute, ast.Subscript)) for target in loops):
        return False
    found = type(task.found)(
        site=task.found.site,
        source=task.source,
        call=task.call,
        loop=outermost,
        outer_loop=task.found.outer_loop,
    )
    return plain_for(found) is not None


def collected(
    task: Task, kind: str, manager: str, item: str, more: str, after: int, *, certain: bool = True
) -> Rewrite:
    """The loop stays and collects what it made; one call after it writes.

    ``more`` are further arguments of that call.
    """
    source, call, loop = task.source, task.call, task.found.loop
    assert isinstance(loop, ast.For)
    wishes = ("created", "new_objects") if kind == "bulk_create" else ("changed", "updated")
    name = free_name(source, loop, *wishes)
    indent = source.indent_of(loop)
    bulk = f"{manager}.{kind}({name}{more})"
    place = source.place(loop)
    before = place._replace(end_line=place.line, end_column=place.column)
    behind = place._replace(line=place.end_line, column=place.end_column)
    edits: tuple[Edit, ...] = (
        source.replace(task.file, before, f"{name} = []\n{indent}"),
        source.replace(task.file, call, f"{name}.append({item})"),
        source.replace(task.file, behind, f"\n{indent}{bulk}"),
    )
    plain = plain_for(task.found)
    statement = task.found.statement
    certain = (
        certain
        and plain is not None
        and task.is_safe(kind)
        and went_well(task)
        and alone(task)
        and isinstance(statement, ast.Expr)
        and statement.value is call
        and (kind != "bulk_create" or _is_last_of_simple(plain, statement, item))
    )
    text = source.text_of(loop)
    body = text.replace(source.text_of(call), f"{name}.append({item})", 1)
    code = f"{name} = []\n{_dedent(body, indent)}\n{bulk}"
    return Rewrite(kind, code, after, edits if certain else ())


def _is_last_of_simple(loop: ast.For, statement: ast.stmt, item: str) -> bool:
    """Whether the rest of the body only prepares, and nobody asks for what was made later."""
    rest = [other for other in loop.body if other is not statement]
    return loop.body[-1] is statement and all(is_simple(other, item) for other in rest)


def _dedent(text: str, indent: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first, *(line.removeprefix(indent) for line in rest)])
