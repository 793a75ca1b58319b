"""The place that reads a relation: a Python expression or a line of a template."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.fixes.expressions import Chain, chain_from
from django_hotpath.analysis.fixes.loop import Loop, place_of, source_at
from django_hotpath.analysis.sourcecode import Source, bound, project_source
from django_hotpath.analysis.templatecode import template_line
from django_hotpath.capture import Edit

_IDENTIFIER = re.compile(r"\w+")


@dataclass(frozen=True)
class Reading:
    """``chain`` is what was read; ``edit_to`` puts something else in its place."""

    chain: Chain
    in_template: bool
    _file: str
    _old: str
    _line: int
    _column: int
    _end_line: int
    _end_column: int

    def edit_to(self, new: str) -> Edit:
        return Edit(
            file=self._file,
            line=self._line,
            column=self._column,
            end_line=self._end_line,
            end_column=self._end_column,
            old=self._old,
            new=new,
        )


def reading(loop: Loop, key: str = "read") -> Reading | None:
    """``key``: "read" for the expression that ran the query, "made" for the queryset in it."""
    site = loop.queries[0].get("call_site") or {}
    accessor = str(loop.entry.get("accessor") or "")
    if not accessor:
        return None
    if site.get("template"):
        return _in_template(site["template"], site["template_line"], accessor)
    place = loop.entry.get(key)
    source = source_at(place)
    if place is None or source is None:
        return None
    chain = chain_from(place["text"], accessor)
    if chain is None:
        return None
    at = place_of(place)
    return Reading(chain, False, place["file"], place["text"], *at)


def _in_template(file: str, line: int, accessor: str) -> Reading | None:
    text = template_line(file, line)
    if not text:
        return None
    name = re.escape(accessor)
    found = [*re.finditer(rf"(?<![\w.])([A-Za-z_]\w*(?:\.\w+)*?)\.{name}((?:\.\w+)*)(?!\w)", text)]
    if len(found) != 1:
        # Twice on one line: which of them it was cannot be told.
        return None
    steps = tuple((step, "") for step in _IDENTIFIER.findall(found[0][2]))
    chain = Chain(found[0][1], steps, (), "")
    begin, end = found[0].span()
    return Reading(chain, True, file, found[0][0], line, begin, line, end)


def free_of_the_loop(loop: Loop, chain: Chain) -> bool:
    """Whether the arguments of the steps mean the same where the queryset is made."""
    names = {
        node.id
        for call in chain.calls
        for given in (*call.args, *(keyword.value for keyword in call.keywords))
        for node in ast.walk(given)
        if isinstance(node, ast.Name)
    }
    if chain.subscript and not re.fullmatch(r"\[[\d: ]*\]", chain.subscript):
        return False
    if not names:
        return True
    made, read = loop.root_entry.get("made"), loop.entry.get("read")
    source = source_at(made)
    if source is None or made is None or read is None or made["file"] != read["file"]:
        return False
    known = _global(source)
    if made["function"] == read["function"]:
        known |= _settled_before(source, made["line"])
    return names <= known


def _settled_before(source: Source, line: int) -> frozenset[str]:
    """Names of the function around a line that have their value there and keep it."""
    function = source.function_at(line)
    if function is None:
        return frozenset()
    early, late = set(bound(function.args)), set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            (early if node.lineno < line else late).add(node.id)
    return frozenset(early - late)


def _global(source: Source) -> frozenset[str]:
    """Names of the module, which no function gives another value."""
    top: set[str] = set()
    inner: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            top.add(node.name)
            inner |= bound(node) - {node.name}
        elif isinstance(node, ast.ClassDef):
            top.add(node.name)
        else:
            top |= bound(node)
    return frozenset(top - inner)


def imported(loop: Loop, module: str, *names: str) -> tuple[str, ...]:
    """The import lines that the origin's file lacks."""
    named = loop.root_entry.get("made") or loop.root_entry.get("class") or {"file": ""}
    source = project_source(named["file"])
    known = _global(source) if source is not None else frozenset()
    return tuple(f"from {module} import {name}" for name in names if name not in known)


def model_name(loop: Loop) -> str:
    return str(loop.entry.get("model", "")).rpartition(".")[2]


def attribute(loop: Loop, name: str) -> str:
    """A name for what is annotated that is no field of the model."""
    taken: Any = loop.root_entry.get("columns") or ()
    return f"{name}_found" if name in taken else name
