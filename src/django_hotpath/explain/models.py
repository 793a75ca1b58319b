"""The model of a table, as plain data."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models

from django_hotpath.analysis.plans.tables import Column, Model
from django_hotpath.callsite import locate


@dataclass(frozen=True, kw_only=True)
class Described:
    """What is known of a table from its model; nothing where it has none.

    ``library`` is the label of a model that is not the project's to change.
    """

    model: Model | None = None
    library: str = ""
    columns: Mapping[str, Column] = field(default_factory=dict)
    source: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def declared(self, index: str, columns: Sequence[str], *, unique: bool) -> str:
        """Where the model asks for this index."""
        if index in self.names:
            return self.names[index]
        if len(columns) != 1 or columns[0] not in self.columns:
            return ""
        column = self.columns[columns[0]]
        if unique:
            return f"unique=True of {column.field}" if column.unique else ""
        if not column.indexed:
            return ""
        if column.kind in {"ForeignKey", "OneToOneField"}:
            return f"the {column.kind} {column.field}, which Django gives an index"
        return f"db_index=True of {column.field}"


def described(table: str) -> Described:
    model = _model(table)
    if model is None:
        return Described()
    options = model._meta
    columns = {
        column: _column(found)
        for found in options.local_concrete_fields
        if (column := found.column) is not None
    }
    names = {index.name: "Meta.indexes" for index in options.indexes}
    names |= {constraint.name: "Meta.constraints" for constraint in options.constraints}
    file = getattr(sys.modules.get(model.__module__), "__file__", None)
    where = locate(file) if file else None
    if where is None or where.kind != "project" or options.auto_created or not options.managed:
        return Described(library=options.label, columns=columns, names=names)
    source = _source(Path(file or ""))
    return Described(
        model=Model(label=options.label, file=where.file, line=_line(source, model.__name__)),
        columns=columns,
        source=source,
        names=names,
    )


def _model(table: str) -> type[models.Model] | None:
    """The one model of this table; managed ones before others."""
    wanted = table.casefold()
    found = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table.strip('"').casefold() == wanted and not model._meta.proxy
    ]
    found.sort(key=lambda model: not model._meta.managed)
    return found[0] if found else None


def _column(found: Any) -> Column:
    kind = found.get_internal_type()
    return Column(
        field=found.name,
        kind=kind,
        null=found.null,
        few_values=kind == "BooleanField" or bool(found.choices),
        unique=found.unique,
        indexed=found.db_index,
    )


def _source(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, ValueError):
        return ""


def _line(source: str, name: str) -> int:
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return 0
    found = [node.lineno for node in body if isinstance(node, ast.ClassDef) and node.name == name]
    return found[0] if found else 0
