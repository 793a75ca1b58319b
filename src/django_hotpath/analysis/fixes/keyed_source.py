"""A query in a loop as it stands in the source, as far as it can be taken out of the loop."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import NamedTuple

from django_hotpath.analysis.fixes.loop import place_of, source_at
from django_hotpath.analysis.orm import Entry
from django_hotpath.analysis.sourcecode import Comprehension, Place, Source, bound, used
from django_hotpath.capture import Edit

_TERMINAL = {
    **{name: name for name in ("get", "first", "count", "exists", "get_or_create")},
    **{f"a{name}": name for name in ("get", "first", "count", "exists")},
}
_KEPT = frozenset(["order_by", "select_related", "prefetch_related", "exclude", "distinct"])


@dataclass(frozen=True, kw_only=True)
class Asked:
    """``manager.filter(field=key, others)`` and then ``method``, in ``each`` of a loop.

    ``each`` is the loop as a comprehension has it ("for essay in rows"), ``first_line`` what has
    to come before it; ``rest`` are the steps that are kept; ``column`` the one of values_list().
    """

    method: str
    manager: str
    field: str
    attribute: str
    key: str
    others: str
    rest: str
    column: str
    each: str
    first_line: tuple[str, ...]
    is_async: bool
    name: str
    row: str
    text: str
    _source: Source
    _file: str
    _statement: Place
    _read: Place
    _header: tuple[Place, str] | None

    def condition(self, keys: str) -> str:
        return f"{self.field}__in={keys}" + (f", {self.others}" if self.others else "")

    @property
    def line(self) -> str:
        return " ".join(self.text.split())

    def edits(self, before: list[str], new: str) -> tuple[Edit, ...]:
        """The lines before the statement of the loop, and the other expression in it."""
        line = self._source.lines[self._statement.line - 1]
        indent = line[: len(line) - len(line.lstrip())]
        at = Place(*([self._statement.line, self._statement.column] * 2))
        lines = "".join(f"{text}\n{indent}" for text in before)
        found = [
            Edit(file=self._file, **at._asdict(), old="", new=lines),
            self._source.replace(self._file, self._read, new),
        ]
        if self._header is not None:
            place, text = self._header
            found.insert(1, self._source.replace(self._file, place, text))
        return tuple(found)


class _Found(NamedTuple):
    """The query's expression, and the loop around it."""

    source: Source
    file: str
    node: ast.expr
    manager: ast.expr
    calls: list[ast.Call]
    loop: ast.For | ast.AsyncFor | ast.While | Comprehension
    target: ast.expr
    iterable: ast.expr


def read_asked(entry: Entry) -> Asked | None:
    """None where the loop cannot be rewritten with certainty."""
    method = entry.get("method")
    place = entry.get("made") if method in {"iterate", "len", "bool"} else entry.get("read")
    source = source_at(place)
    node = source.expression_at(place_of(place)) if source is not None and place else None
    if source is None or node is None or place is None:
        return None
    call = node.value if isinstance(node, ast.Await) else node
    loop = source.loop_of(node)
    over = _over(loop)
    steps = _steps(call)
    if loop is None or over is None or steps is None:
        return None
    manager, calls = steps
    target, iterable = over
    if any(isinstance(outer, ast.Try) for outer in source.around(node)):
        # It may count on DoesNotExist.
        return None
    found = _Found(source, place["file"], node, manager, calls, loop, target, iterable)
    return _asked(found, entry)


def _over(loop: ast.AST | None) -> tuple[ast.expr, ast.expr] | None:
    if isinstance(loop, (ast.For, ast.AsyncFor)) and not loop.orelse:
        return loop.target, loop.iter
    if isinstance(loop, (ast.ListComp, ast.SetComp)) and len(loop.generators) == 1:
        generator = loop.generators[0]
        return None if generator.is_async else (generator.target, generator.iter)
    return None


def _steps(node: ast.expr) -> tuple[ast.expr, list[ast.Call]] | None:
    """The manager and the calls after it, the first one first."""
    calls: list[ast.Call] = []
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        calls.insert(0, node)
        node = node.func.value
    if not calls or not isinstance(node, ast.Attribute) or not node.attr.endswith("objects"):
        return None
    return node, calls


def _asked(found: _Found, entry: Entry) -> Asked | None:
    source, node, calls, loop = found.source, found.node, found.calls, found.loop
    statement = source.statement_of(loop)
    names = bound(found.target)
    inner = bound(loop) if isinstance(loop, (ast.For, ast.AsyncFor)) else names
    last = calls[-1].func.attr if isinstance(calls[-1].func, ast.Attribute) else ""
    method = _TERMINAL.get(last, "")
    filtering: list[ast.keyword] = []
    rest, column = "", ""
    for call in calls:
        step = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        if step == "filter" or (call is calls[-1] and method in {"get", "get_or_create"}):
            if call.args:
                return None
            filtering += call.keywords
        elif step == "values_list" and method == "get":
            column = _flat_column(call)
            if not column:
                return None
        elif step in _KEPT:
            if any(used(value) & inner for value in given):
                return None
            texts = [source.text_of(argument) for argument in call.args]
            texts += [source.text_of(keyword) for keyword in call.keywords]
            rest += f".{step}({', '.join(texts)})"
        elif step != "all" and not (call is calls[-1] and method and not given):
            return None
    if rest and method not in {"", "first"}:
        return None
    if method == "first" and ".order_by(" not in rest and entry.get("ordered"):
        # Neither the code nor the model said an order: then Django takes the key.
        rest += '.order_by("pk")'
    parted = _parted(source, filtering, names, inner, entry, method)
    if parted is None:
        return None
    field, attribute, key, others = parted
    model = str(entry.get("model", "")).rpartition(".")[2].lower() or "row"
    function = source.function_of(statement)
    taken = bound(function) | used(function) if function is not None else bound(source.tree)
    if taken & {f"{model}_by_{field}", "rows", f"a_{model}"}:
        return None
    is_async = isinstance(node, ast.Await)
    each, first, header = _gone_through(source, loop, found.target, found.iterable)
    return Asked(
        method=method,
        manager=source.text_of(found.manager),
        field=field,
        attribute=attribute,
        key=key,
        others=others,
        rest=rest,
        column=column,
        each=each,
        first_line=first,
        is_async=is_async,
        name=f"{model}_by_{field}",
        row=f"a_{model}",
        text=source.text_of(node),
        _source=source,
        _file=found.file,
        _statement=source.place(statement),
        _read=source.place(node),
        _header=header,
    )


def _gone_through(
    source: Source, loop: ast.AST, target: ast.expr, iterable: ast.expr
) -> tuple[str, tuple[str, ...], tuple[Place, str] | None]:
    """The loop for a second time: what can be gone through once only is kept in a list."""
    names, text = source.text_of(target), source.text_of(iterable)
    again = isinstance(iterable, (ast.Name, ast.Tuple, ast.List)) or (
        isinstance(iterable, ast.Call)
        and isinstance(iterable.func, ast.Name)
        and iterable.func.id == "range"
    )
    if isinstance(loop, ast.AsyncFor):
        begin, end = source.place(loop), source.place(iterable)
        header = begin._replace(end_line=end.end_line, end_column=end.end_column)
        kept = f"rows = [row async for row in {text}]"
        return f"for {names} in rows", (kept,), (header, f"for {names} in rows")
    if again:
        return f"for {names} in {text}", (), None
    place = source.place(iterable)
    return f"for {names} in rows", (f"rows = list({text})",), (place, "rows")


def _flat_column(call: ast.Call) -> str:
    flat = [keyword.arg for keyword in call.keywords] == ["flat"]
    argument = call.args[0] if len(call.args) == 1 else None
    if flat and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    return ""


def _parted(
    source: Source,
    keywords: list[ast.keyword],
    names: frozenset[str],
    inner: frozenset[str],
    entry: Entry,
    method: str,
) -> tuple[str, str, str, str] | None:
    """(field, attribute of a row, key, the other conditions): one is another each time."""
    changing = [word for word in keywords if used(word.value) & inner and word.arg != "defaults"]
    if len(changing) != 1 or not used(changing[0].value) & inner <= names:
        return None
    others = []
    for word in keywords:
        if word is changing[0]:
            continue
        if word.arg == "defaults" and method == "get_or_create":
            continue
        if word.arg is None:
            return None
        others.append(source.text_of(word))
    field, value = changing[0].arg, changing[0].value
    columns = set(entry.get("columns") or ())
    if field is None or "__" in field:
        return None
    key = source.text_of(value)
    if field == "pk" or field in columns:
        return field, field, key, ", ".join(others)
    if f"{field}_id" not in columns:
        return None
    # The object itself, where its key will do.
    if isinstance(value, ast.Name) and value.id in names:
        return field, f"{field}_id", f"{key}.pk", ", ".join(others)
    if key.endswith((".pk", ".id", "_id")):
        return field, f"{field}_id", key, ", ".join(others)
    return None
