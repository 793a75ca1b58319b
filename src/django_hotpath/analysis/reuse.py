"""Where the same question stands twice in a function, or in a loop: asked once, and kept."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.findings.base import Query
from django_hotpath.analysis.orm import Entry, orm_of
from django_hotpath.analysis.sourcecode import (
    Function,
    Place,
    Source,
    bound,
    project_source,
    used,
    uses,
)
from django_hotpath.analysis.writes_groups import path_of
from django_hotpath.analysis.writes_source import free_name, has_outer_loop
from django_hotpath.capture import Capture, Edit

# What gives a value that nobody can change.
_VALUES = frozenset({"count", "exists", "aggregate"})
_ROWS = frozenset({"get", "first", "last", "earliest", "latest"})
# What makes a queryset fetch its rows; it keeps them.
_FETCHING = frozenset({"iterate", "len", "bool"})
_CONDITIONAL = (
    ast.BoolOp,
    ast.IfExp,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.JoinedStr,
)


@dataclass(frozen=True)
class Reuse:
    """``edits`` are empty where the answers may be changed in between, or not be asked for."""

    code: str
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True)
class _Questions:
    """The places in one function that asked the same, in the order of the source."""

    file: str
    source: Source
    nodes: Sequence[ast.expr]
    entry: Entry

    @property
    def first(self) -> ast.expr:
        return self.nodes[0]

    @property
    def text(self) -> str:
        return self.source.text_of(self.first)


def reuse(capture: Capture, group: Sequence[Query]) -> Reuse | None:
    """None where the questions do not stand in one function, spelled alike."""
    found = _questions(capture, group)
    if found is None:
        return None
    if len(found.nodes) == 1:
        once = len({path_of(query) for query in group}) == 1
        return _before_the_loop(found, once=once and not has_outer_loop(capture, group[0]))
    if len(found.nodes) != len(group):
        return None
    return _kept(found) or _before_the_first(found)


def _questions(capture: Capture, group: Sequence[Query]) -> _Questions | None:
    entries = [orm_of(capture, query) for query in group]
    places = [_place_of(entry) for entry in entries]
    spelled = {(found["file"], found["function"], found["text"]) for found in places if found}
    if None in places or len(spelled) != 1:
        return None
    ((file, _function, text),) = spelled
    source = project_source(file)
    if source is None:
        return None
    distinct = sorted({_where(found) for found in places if found})
    nodes = [source.expression_at(place) for place in distinct]
    if any(node is None or source.text_of(node) != text for node in nodes):
        return None
    known = [node for node in nodes if node is not None]
    scope = source.scope_of(known[0])
    if not isinstance(scope, Function) or any(source.scope_of(node) is not scope for node in known):
        return None
    return _Questions(file, source, known, entries[0])


def _place_of(entry: Entry) -> Mapping[str, Any] | None:
    method = entry.get("method")
    if method in _FETCHING:
        found: Mapping[str, Any] | None = entry.get("made")
    else:
        found = entry.get("read") if method in _VALUES | _ROWS else None
    return found if found and found.get("text") else None


def _where(found: Mapping[str, Any]) -> Place:
    return Place(found["line"], found["column"], found["end_line"], found["end_column"])


def _before_the_loop(found: _Questions, *, once: bool) -> Reuse | None:
    """The expression has nothing to do with the loop that it stands in, which ran once."""
    source, node = found.source, found.first
    loop = source.loop_of(node)
    if not isinstance(loop, ast.For) or used(node) & bound(loop) or _has_calls(found):
        return None
    name = _name(found)
    code = f"{name} = {found.text}"
    certain = (
        once
        and source.loop_of(loop) is None
        and found.entry.get("method") in _VALUES
        and _is_always_asked(found, node)
        and source.statement_of(node) in loop.body
        and _may_stand_before(source, loop)
    )
    edits = (_insert(found, loop, code), source.replace(found.file, node, name)) if certain else ()
    return Reuse(code, edits)


def _kept(found: _Questions) -> Reuse | None:
    """The first answer has a name already: ``total = books.count()``."""
    source, first = found.source, found.first
    statement = source.parents[first]
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target = statement.targets[0]
    if not isinstance(target, ast.Name):
        return None
    scope = source.scope_of(first)
    stored = [node for node in uses(scope, target.id) if not isinstance(node.ctx, ast.Load)]
    if len(stored) != 1 or not _is_same(found, statement):
        return None
    edits = tuple(source.replace(found.file, node, target.id) for node in found.nodes[1:])
    certain = found.entry.get("method") in _VALUES
    return Reuse(f"{target.id} = {found.text}", edits if certain else ())


def _before_the_first(found: _Questions) -> Reuse | None:
    source, first = found.source, found.first
    statement = source.statement_of(first)
    if not _is_same(found, statement):
        return None
    name = _name(found)
    code = f"{name} = {found.text}"
    method = found.entry.get("method")
    certain = (
        _is_always_asked(found, first)
        and _may_stand_before(source, statement)
        and (method in _VALUES or all(_is_only_read(found, node) for node in found.nodes))
    )
    replaced = tuple(source.replace(found.file, node, name) for node in found.nodes)
    return Reuse(code, (_insert(found, statement, code), *replaced) if certain else ())


def _is_same(found: _Questions, statement: ast.stmt) -> bool:
    """Whether all follow the statement, and what they use stays what it was there."""
    source, scope = found.source, found.source.scope_of(found.first)
    block = source.block_of(statement)
    begin = next(number for number, other in enumerate(block) if other is statement)
    later = {id(inner) for other in block[begin:] for inner in ast.walk(other)}
    if any(id(node) not in later or source.loop_of(node) for node in found.nodes):
        return False
    if _has_calls(found):
        return False
    last = max(node.lineno for node in found.nodes)
    names = used(found.first)
    return not any(
        not isinstance(node.ctx, ast.Load) and statement.lineno <= node.lineno <= last
        for name in names
        for node in uses(scope, name)
    )


def _has_calls(found: _Questions) -> bool:
    """Whether something besides the chain itself is called, which may answer anew each time."""
    chain: set[int] = set()
    node: ast.expr = found.first
    while isinstance(node, (ast.Call, ast.Attribute)):
        chain.add(id(node))
        node = node.func if isinstance(node, ast.Call) else node.value
    return any(
        isinstance(inner, (ast.Call, ast.Await, ast.Yield, ast.NamedExpr))
        and id(inner) not in chain
        and not (isinstance(inner, ast.Call) and _is_of_orm(inner))
        for inner in ast.walk(found.first)
    )


def _is_of_orm(call: ast.Call) -> bool:
    """``F("price")``, ``Sum("pages")``: they only describe."""
    return isinstance(call.func, ast.Name) and call.func.id[:1].isupper()


def _is_always_asked(found: _Questions, node: ast.expr) -> bool:
    """Whether the statement asks it whatever happens, and before it calls anything else."""
    source = found.source
    inner: ast.AST = node
    for outer in source.around(node):
        if isinstance(outer, ast.stmt):
            return not isinstance(outer, ast.While) and not _calls_before(source, outer, node)
        # The first of what a comprehension goes through is asked for once, and always.
        first = getattr(outer, "generators", [None])[0]
        if isinstance(outer, _CONDITIONAL) and inner is not first:
            return False
        if isinstance(outer, ast.comprehension) and inner is not outer.iter:
            return False
        inner = outer
    return False


def _calls_before(source: Source, statement: ast.stmt, node: ast.expr) -> bool:
    begin = source.place(node)[:2]
    own = {id(inner) for inner in ast.walk(node)}
    return any(
        isinstance(inner, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom))
        and id(inner) not in own
        and source.place(inner)[2:] <= begin
        for inner in ast.walk(statement)
    )


def _may_stand_before(source: Source, statement: ast.stmt) -> bool:
    """Whether a line can be put before it: it begins its line, and is no ``elif``."""
    place = source.place(statement)
    line = source.lines[place.line - 1]
    return not line[: place.column].strip() and not line[place.column :].startswith("elif")


def _is_only_read(found: _Questions, node: ast.expr) -> bool:
    """Whether nobody can change the objects: fields of theirs are looked at, and nothing else."""
    source = found.source
    parent = source.parents[node]
    if found.entry.get("method") in _ROWS:
        return _is_field(source, node)
    if isinstance(parent, ast.For) and parent.iter is node:
        scope: Sequence[ast.AST] = parent.body
    elif isinstance(parent, ast.comprehension) and parent.iter is node:
        scope = [source.parents[parent]]
    elif isinstance(parent, ast.Call) and isinstance(parent.func, ast.Name):
        return parent.func.id in {"len", "bool"}
    else:
        return False
    target = parent.target
    if not isinstance(target, ast.Name):
        return False
    return all(
        _is_field(source, name)
        for part in scope
        for name in uses(part, target.id)
        if name is not target
    )


def _is_field(source: Source, node: ast.expr) -> bool:
    parent = source.parents[node]
    if not isinstance(parent, ast.Attribute) or not isinstance(parent.ctx, ast.Load):
        return False
    above = source.parents[parent]
    return not (isinstance(above, ast.Call) and above.func is parent)


def _name(found: _Questions) -> str:
    model = str(found.entry.get("model", "")).rpartition(".")[2].lower() or "found"
    method = str(found.entry.get("method"))
    wish = {
        "count": f"{model}_count",
        "exists": f"has_{model}",
        "aggregate": f"{model}_totals",
    }.get(method, model if method in _ROWS else f"{model}s")
    return free_name(found.source, found.first, wish, f"known_{wish}")


def _insert(found: _Questions, statement: ast.stmt, line: str) -> Edit:
    place = found.source.place(statement)
    before = place._replace(end_line=place.line, end_column=place.column)
    indent = found.source.indent_of(statement)
    return found.source.replace(found.file, before, f"{line}\n{indent}")


def callers(capture: Capture, group: Sequence[Query]) -> Iterator[str]:
    """The line that called for each, where all were asked by one line: ``shop/views.py:12``."""
    table = capture.instruments["queries"].get("frames") or ()
    for query in group:
        stack = query["stack"]
        if len(stack) > 1 and stack[-2] < len(table):
            frame = table[stack[-2]]
            yield f"{frame['file']}:{frame['line']}"
