"""The call in the project's source that wrote, and the loop that it stands in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.findings.base import Query
from django_hotpath.analysis.sourcecode import (
    Loop,
    Place,
    Source,
    bound,
    called_name,
    project_source,
    uses,
)
from django_hotpath.analysis.writes_groups import WriteGroup
from django_hotpath.capture import CallSite, Capture

_JUMPS = (
    ast.Break,
    ast.Continue,
    ast.Return,
    ast.Raise,
    ast.Yield,
    ast.YieldFrom,
    ast.Await,
    ast.Global,
    ast.Nonlocal,
    ast.Try,
    ast.TryStar,
    ast.With,
    ast.AsyncWith,
    ast.NamedExpr,
)
# Methods of objects, and what may have called one that the project has overridden.
_CALLING = {
    "save": {"save", "create", "get_or_create", "update_or_create"},
    "delete": {"delete"},
}
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True)
class WriteCall:
    """``loop`` is the one in the same function; None where a caller loops, or nothing does."""

    site: CallSite
    source: Source | None = None
    call: ast.Call | None = None
    loop: Loop | None = None
    # Where a caller on the path loops.
    outer_loop: CallSite | None = None
    # Nothing on the path loops, as far as the source shows.
    no_loop: bool = False

    @property
    def statement(self) -> ast.stmt | None:
        if self.source is None or self.call is None:
            return None
        return self.source.statement_of(self.call)


def find_call(capture: Capture, group: WriteGroup) -> WriteCall | None:
    """None where no line of the project is known."""
    query = group.main[0]
    frames = _frames(capture, query)
    if not frames:
        return None
    depth = len(frames) - 1
    read = group.entry.get("read") or {}
    if depth > 0 and _is_super(read.get("text", "")):
        # A save() of the project that calls Django's: who called it is who loops.
        depth -= 1
        read = {}
    frame = frames[depth]
    site = CallSite(file=frame["file"], line=frame["line"], function=frame["function"])
    source = project_source(site.file)
    outer = _outer_loop(frames[:depth])
    repeats = len(set(query["stack"])) < len(query["stack"])
    if source is None:
        return WriteCall(site=site, outer_loop=outer)
    call = _call(source, site, group.method, read)
    if call is None:
        looping = outer or repeats or _line_loops(source, site.line)
        return WriteCall(site=site, source=source, outer_loop=outer, no_loop=not looping)
    loop = source.loop_of(call)
    return WriteCall(
        site=site,
        source=source,
        call=call,
        loop=loop,
        outer_loop=outer,
        no_loop=loop is None and outer is None and not repeats,
    )


def _frames(capture: Capture, query: Query) -> list[Mapping[str, Any]]:
    """The project's functions on the way to a query, outermost first."""
    table = capture.instruments["queries"].get("frames") or ()
    frames = [table[index] for index in query["stack"] if index < len(table)]
    return _functions([frame for frame in frames if frame.get("kind") != "template"])


def has_outer_loop(capture: Capture, query: Query) -> bool:
    """Whether one of those that called the function of a query did it in a loop."""
    return _outer_loop(_frames(capture, query)[:-1]) is not None


def _functions(frames: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without those that only run a comprehension of the next: a frame before Python 3.12."""
    inner = [frame["function"] for frame in frames[1:]] + [""]
    return [
        frame
        for frame, below in zip(frames, inner, strict=True)
        if not below.startswith(f"{frame['function']}.<locals>.<")
        or below.endswith(("<lambda>", "<genexpr>"))
    ]


def _is_super(text: str) -> bool:
    return text.replace(" ", "").startswith(("super().", "super("))


def _call(source: Source, site: CallSite, method: str, read: Mapping[str, Any]) -> ast.Call | None:
    if read.get("line") is not None and read.get("file") == site.file:
        place = Place(read["line"], read["column"], read["end_line"], read["end_column"])
        found = source.expression_at(place)
        if isinstance(found, ast.Call) and source.text_of(found) == read["text"]:
            return found
        return None
    names = _CALLING.get(method, {method})
    calls = [found for name in sorted(names) for found in source.calls(site.line, name)]
    return calls[0] if method and len(calls) == 1 else None


def _outer_loop(frames: Sequence[Mapping[str, Any]]) -> CallSite | None:
    """The innermost frame of these that calls in a loop."""
    for frame in reversed(frames):
        source = project_source(frame["file"])
        if source is not None and _line_loops(source, frame["line"]):
            return CallSite(file=frame["file"], line=frame["line"], function=frame["function"])
    return None


def _line_loops(source: Source, line: int) -> bool:
    """Whether something on the line runs again and again."""
    if source.loop_at(line) is not None:
        return True
    return any(
        isinstance(node, _COMPREHENSIONS) and node.lineno <= line <= (node.end_lineno or 0)
        for node in ast.walk(source.tree)
    )


def plain_for(found: WriteCall) -> ast.For | None:
    """The ``for`` loop, if it runs once, to its end, and its body has no branches that jump."""
    loop, source = found.loop, found.source
    if source is None or not isinstance(loop, ast.For) or loop.orelse or found.outer_loop:
        return None
    if any(isinstance(node, _JUMPS) for part in loop.body for node in ast.walk(part)):
        return None
    outer: ast.AST = loop
    for around in source.around(loop):
        # Whoever catches errors deals with a part that was written.
        if isinstance(around, (ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar)):
            return None
        if isinstance(around, ast.ClassDef):
            return None
        outer = around
    stands_alone = not source.lines[loop.lineno - 1][: source.place(loop).column].strip()
    return loop if stands_alone and outer is not loop else None


def is_used_after(source: Source, loop: ast.For, names: frozenset[str]) -> bool:
    """Whether a name that the loop sets is looked at anywhere else in the function."""
    scope = source.scope_of(loop)
    inside = {id(node) for node in ast.walk(loop)}
    return any(
        id(node) not in inside and isinstance(node.ctx, ast.Load)
        for name in names
        for node in uses(scope, name)
    )


def free_name(source: Source, node: ast.AST, *wishes: str) -> str:
    """The first of the names that nothing in the function has, or else one with a number."""
    taken = bound(source.scope_of(node)) | {
        found.id for found in ast.walk(source.tree) if isinstance(found, ast.Name)
    }
    taken |= bound(*source.tree.body)
    for wish in wishes:
        if wish not in taken and wish.isidentifier():
            return wish
    numbered = (f"{wishes[-1]}_{number}" for number in range(2, 100))
    return next(name for name in numbered if name not in taken)


def model_text(source: Source, expression: ast.expr, model: str) -> str | None:
    """The model class as it is written before ``.objects``: ``models.Book``; None without."""
    name = model.rpartition(".")[2]
    for node in _chain(expression):
        if isinstance(node, ast.Attribute) and _last_name(node.value) == name:
            return source.text_of(node.value)
    return None


def class_in_module(source: Source, model: str) -> str | None:
    """The name by which a module has imported or defined the model."""
    name = model.rpartition(".")[2]
    for statement in source.tree.body:
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if alias.name == name:
                    return alias.asname or alias.name
        elif isinstance(statement, ast.ClassDef) and statement.name == name:
            return name
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Attribute)
            and node.attr == "objects"
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == name
        ):
            return source.text_of(node.value)
    return None


def _chain(expression: ast.expr) -> Iterator[ast.expr]:
    node = expression
    while True:
        yield node
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        else:
            return


def steps(expression: ast.expr) -> list[str]:
    """Names of the methods that a chain calls, the last one first."""
    return [called_name(node) for node in _chain(expression) if isinstance(node, ast.Call)]


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
