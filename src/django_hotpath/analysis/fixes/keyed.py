"""Queries in a loop that no relation stands behind: ask once, look up by key in the loop."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from django_hotpath.analysis.findings.base import Query
from django_hotpath.analysis.fixes.loop import place_of, source_at
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.analysis.orm import Entry
from django_hotpath.analysis.sourcecode import Place, Source, used
from django_hotpath.capture import CallSite, Capture, Edit, Fix

_SUMMARY = (
    "Collect the keys first and ask once: in_bulk() for one object a key, filter(...__in=keys) "
    "for several, and look them up in the loop."
)


@dataclass(frozen=True)
class _Asked:
    """``manager.get(field=value)`` or ``manager.filter(field=value)`` in a loop."""

    manager: str
    method: str
    field: str
    value: str
    names: frozenset[str]


def ask_once(capture: Capture, queries: list[Query], entry: Entry, site: CallSite | None) -> Fix:
    """``queries`` are the loop's; with edits where the loop is simple enough."""
    written = _written(entry)
    edits, code = written if written is not None else ((), None)
    return Fix(
        summary=_SUMMARY,
        code=code,
        predicted=predicted(capture, queries, 1),
        kind="in_bulk",
        at=site,
        edits=edits,
    )


def _written(entry: Entry) -> tuple[tuple[Edit, ...], str] | None:
    read = entry.get("read")
    source = source_at(read)
    node = source.expression_at(place_of(read)) if source is not None and read else None
    if source is None or node is None or read is None:
        return None
    asked = _asked(source, node)
    loop = source.loop_of(node)
    if asked is None or loop is None:
        return None
    over = _over(source, loop)
    if over is None:
        return None
    target, iterable = over
    if not asked.names or not asked.names <= used_names(target):
        return None
    statement = source.statement_of(loop)
    if statement is not loop and not isinstance(statement, (ast.Assign, ast.Return, ast.Expr)):
        return None
    model = asked.manager.rpartition(".")[0].rpartition(".")[2].lower() or "row"
    keys = f"[{asked.value} for {target} in {iterable}]"
    if asked.method == "get":
        name, before = _bulk(asked, model, keys)
        new = f"{name}[{asked.value}]"
    else:
        name, before = _grouped(asked, model, keys)
        new = f"{name}.get({asked.value}, [])"
    indent = source.indent_of(statement)
    lines = "".join(f"{line}\n{indent}" for line in before)
    start = source.place(statement)
    at = Place(start.line, start.column, start.line, start.column)
    edits = (
        Edit(file=read["file"], **at._asdict(), old="", new=lines),
        source.replace(read["file"], place_of(read), new),
    )
    return edits, "\n".join([*before, f"# and in the loop: {new}"])


def used_names(target: str) -> frozenset[str]:
    return frozenset(node.id for node in ast.walk(ast.parse(target)) if isinstance(node, ast.Name))


def _asked(source: Source, node: ast.expr) -> _Asked | None:
    while (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"list", "tuple"}
        and len(node.args) == 1
    ):
        node = node.args[0]
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return None
    method = node.func.attr
    if method not in {"get", "filter"} or node.args or len(node.keywords) != 1:
        return None
    keyword = node.keywords[0]
    manager = source.text_of(node.func.value)
    if keyword.arg is None or "__" in keyword.arg or not manager.endswith(".objects"):
        return None
    value = source.text_of(keyword.value)
    return _Asked(manager, method, keyword.arg, value, used(keyword.value))


def _over(source: Source, loop: ast.AST) -> tuple[str, str] | None:
    """The target and the iterable, where the iterable can be gone through twice."""
    if isinstance(loop, ast.For):
        target, iterable = loop.target, loop.iter
    elif isinstance(loop, (ast.ListComp, ast.SetComp)) and len(loop.generators) == 1:
        generator = loop.generators[0]
        target, iterable = generator.target, generator.iter
    else:
        return None
    if not isinstance(iterable, ast.Name):
        return None
    return source.text_of(target), source.text_of(iterable)


def _bulk(asked: _Asked, model: str, keys: str) -> tuple[str, list[str]]:
    name = f"{model}_by_key"
    by = "" if asked.field in {"pk", "id"} else f', field_name="{asked.field}"'
    return name, [f"{name} = {asked.manager}.in_bulk({keys}{by})"]


def _grouped(asked: _Asked, model: str, keys: str) -> tuple[str, list[str]]:
    name = f"{model}_by_key"
    return name, [
        f"{name} = {{}}",
        f"for found in {asked.manager}.filter({asked.field}__in={keys}):",
        f"    {name}.setdefault(found.{asked.field}, []).append(found)",
    ]
