"""Classes in the source, and what they assign to their attributes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from django_hotpath.analysis.sourcecode import Source, project_source

Assigned = ast.Assign | ast.AnnAssign


def class_line(named: Mapping[str, Any]) -> int:
    """The line that says which objects a generic view takes; of an admin class its first.

    ``named`` is the "class" of an entry of the ORM.
    """
    line: int = named["line"]
    source = project_source(named["file"])
    found = find_class(source, named) if source is not None else None
    if found is None or named.get("admin"):
        return line
    attribute = assigned(found, "queryset")
    return attribute.lineno if attribute is not None else line


def find_class(source: Source, named: Mapping[str, Any]) -> ast.ClassDef | None:
    name = str(named["name"]).rpartition(".")[2]
    candidates = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name == name
    ]
    # With decorators the first line is theirs.
    return min(candidates, key=lambda node: abs(node.lineno - named["line"]), default=None)


def assigned(found: ast.ClassDef, name: str) -> Assigned | None:
    """The statement of the class that gives the attribute its value."""
    for node in found.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            assert isinstance(node, (ast.Assign, ast.AnnAssign))
            return node
    return None
