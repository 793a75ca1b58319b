"""Loops of ``get_or_create()`` and ``update_or_create()``: what to paste, for a person to judge."""

from __future__ import annotations

import ast

from django_hotpath.analysis.sourcecode import receiver
from django_hotpath.analysis.writes_count import bulk_create
from django_hotpath.analysis.writes_rewrite import Rewrite, Task, wrapped
from django_hotpath.analysis.writes_source import model_text


def of_upsert(task: Task) -> Rewrite | None:
    """``bulk_create()`` that leaves rows alone which are there, or changes them.

    Never to the letter: it needs a unique constraint on what is looked for.
    """
    manager, loop = receiver(task.call), task.found.loop
    if manager is None or not isinstance(loop, ast.For) or task.call.args:
        return None
    source = task.source
    model = model_text(source, manager, task.group.model)
    if model is None:
        return None
    sought = [
        word for word in task.call.keywords if word.arg not in {"defaults", "create_defaults"}
    ]
    if any(word.arg is None or "__" in word.arg for word in sought):
        return None
    defaults = next((word.value for word in task.call.keywords if word.arg == "defaults"), None)
    given = _items(task, defaults)
    if given is None:
        return None
    values = [source.text_of(word) for word in sought] + [f"{name}={text}" for name, text in given]
    objects = f"[{model}({', '.join(values)}) for {source.text_of(loop.target)}"
    objects += f" in {source.text_of(loop.iter)}]"
    unique = ", ".join(f'"{word.arg}"' for word in sought)
    changed = ", ".join(f'"{name}"' for name, _text in given)
    if task.group.method == "update_or_create" and changed:
        more = f"update_conflicts=True, unique_fields=[{unique}], update_fields=[{changed}]"
    else:
        more = "ignore_conflicts=True"
    indent = source.indent_of(loop)
    code = wrapped(f"{source.text_of(manager)}.bulk_create(", f"{objects}, {more}", ")", indent)
    note = (
        f"The database must know that {' and '.join(word.arg or '' for word in sought)} "
        f"{'is' if len(sought) == 1 else 'are'} unique (unique=True or a UniqueConstraint)."
    )
    return Rewrite("bulk_create", code, bulk_create(task.capture, task.group), note=note)


def _items(task: Task, defaults: ast.expr | None) -> list[tuple[str, str]] | None:
    """Names and values of ``defaults``; None where they are not written out."""
    if defaults is None:
        return []
    if not isinstance(defaults, ast.Dict):
        return None
    found = []
    for key, value in zip(defaults.keys, defaults.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return None
        found.append((key.value, task.source.text_of(value)))
    return found
