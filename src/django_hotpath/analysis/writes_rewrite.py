"""What a rewritten loop is, and what all rewrites share."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.findings.base import Query, queries_of
from django_hotpath.analysis.orm import orm_of
from django_hotpath.analysis.sourcecode import Place, Source
from django_hotpath.analysis.statements import nature
from django_hotpath.analysis.verbs import called, changes
from django_hotpath.analysis.writes_care import reasons
from django_hotpath.analysis.writes_groups import WriteGroup
from django_hotpath.analysis.writes_source import WriteCall
from django_hotpath.capture import Capture, Edit

_WIDTH = 100
# Aggregates, parts and unions cannot be updated or deleted.
_SHAPED = ("DISTINCT", "GROUP BY", "UNION", "INTERSECT", "EXCEPT", "LIMIT", "FETCH FIRST")


@dataclass(frozen=True)
class Rewrite:
    """``after``: how many statements take the place of the loop's and of ``replaced``.

    ``edits`` only where what is written stays the same for certain; ``note`` says what else to
    know.
    """

    kind: str
    code: str
    after: int
    edits: tuple[Edit, ...] = ()
    imports: tuple[str, ...] = ()
    replaced: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Task:
    """A loop of writes with all that is known of it."""

    capture: Capture
    group: WriteGroup
    found: WriteCall
    source: Source
    call: ast.Call

    def is_safe(self, kind: str) -> bool:
        """Whether what such a fix leaves out is known, and is nothing."""
        facts = self.group.facts
        return facts is not None and not reasons(kind, self.group.model, facts)

    @property
    def file(self) -> str:
        return self.found.site.file


def wrapped(prefix: str, inner: str, suffix: str, indent: str) -> str:
    """``prefix(inner)suffix`` on one line, or on three where it would be too long."""
    line = f"{prefix}{inner}{suffix}"
    if len(indent) + len(line) <= _WIDTH and "\n" not in line:
        return line
    return f"{prefix}\n{indent}    {inner}\n{indent}{suffix}"


def is_simple(statement: ast.stmt, owner: str = "") -> bool:
    """An assignment to a name, or to an attribute of the owner, that leaves nothing else behind."""
    targets = assigned(statement)
    for target in targets:
        if isinstance(target, ast.Attribute):
            if not (isinstance(target.value, ast.Name) and target.value.id == owner):
                return False
        elif not all(
            isinstance(part, (ast.Name, ast.Tuple, ast.Store)) for part in ast.walk(target)
        ):
            return False
    return bool(targets) and is_quiet(statement)


def assigned(statement: ast.stmt) -> list[ast.expr]:
    """The targets of an assignment; none of any other statement."""
    if isinstance(statement, ast.Assign):
        return statement.targets
    if isinstance(statement, ast.AugAssign):
        return [statement.target]
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return [statement.target]
    return []


def is_quiet(node: ast.AST) -> bool:
    """Whether its calls only ask, by their names."""
    return not any(
        isinstance(found, ast.Call) and (not called(found) or changes(called(found)))
        for found in ast.walk(node)
    )


def alone(task: Task) -> bool:
    """Whether nothing else was written meanwhile, and nobody looked at what was."""
    first, last = task.group.statements[0]["index"], task.group.statements[-1]["index"]
    own = {query["index"] for query in task.group.statements}
    return all(
        nature(query["sql"]).reads and task.group.table not in query["sql"]
        for query in queries_of(task.capture)
        if first < query["index"] < last and query["index"] not in own
    )


def went_well(task: Task) -> bool:
    return not any(query.get("error") for query in task.group.statements)


def selected_by(task: Task, loop: ast.For) -> Query | None:
    """The one query that fetched the objects for this loop, from a queryset that is made for it."""
    made = task.source.made_by(loop.iter)
    if made is None:
        return None
    first = task.group.statements[0]["index"]
    found = []
    for query in queries_of(task.capture):
        entry = orm_of(task.capture, query)
        if entry.get("method") != "iterate" or query["index"] > first:
            continue
        # Before Python 3.13 what asks for the rows is the loop as a whole.
        if _stands_at(task, made, entry.get("made")) and any(
            _stands_at(task, node, entry.get("read")) for node in (loop.iter, loop)
        ):
            found.append(query)
    return found[0] if len(found) == 1 else None


def _stands_at(task: Task, node: ast.expr | ast.stmt, place: Mapping[str, Any] | None) -> bool:
    if not place or place["file"] != task.file:
        return False
    at = Place(place["line"], place["column"], place["end_line"], place["end_column"])
    return task.source.place(node) == at and task.source.text_of(node) == place["text"]


def is_whole(task: Task, select: Query) -> bool:
    """Whether ``update()`` and ``delete()`` can be called on the queryset instead."""
    entry = orm_of(task.capture, select)
    if entry.get("model") != task.group.model or select["alias"] != task.group.main[0]["alias"]:
        return False
    if any(entry.get(key) for key in ("sliced", "values", "combinator", "raw", "prefetch_related")):
        return False
    sql = select["sql"].upper()
    return not any(word in sql for word in _SHAPED)
