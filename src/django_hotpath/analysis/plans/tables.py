"""What advice needs to know of tables: plain data, gathered by ``django_hotpath.explain``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Column:
    """``kind`` is Django's name of the field's type (``"CharField"``)."""

    field: str
    kind: str
    null: bool = False
    few_values: bool = False
    """It is a boolean or has choices: a condition on a value of it may stand in an index."""
    unique: bool = False
    indexed: bool = False


@dataclass(frozen=True, kw_only=True)
class Index:
    """``columns`` in order, each with whether it is descending; none where it is of expressions."""

    name: str
    columns: tuple[tuple[str, bool], ...]
    unique: bool = False
    primary: bool = False
    partial: bool = False
    declared: str = ""
    """Where the model declares it: ``Meta.indexes``, ``unique=True``, a foreign key; or nothing."""


@dataclass(frozen=True, kw_only=True)
class Model:
    label: str
    file: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        return self.label.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class Table:
    """``rows`` is None where it is not known; ``rows_exact`` is false for an estimate."""

    name: str
    rows: int | None = None
    rows_exact: bool = False
    matching: int | None = None
    """Rows that fulfil the statement's conditions of constants, where they were counted."""
    model: Model | None = None
    library: str = ""
    """The label of its model, where that is not the project's to change."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    """Those that the database has."""
    source: str = field(default="", repr=False)
    """The text of the file that holds the model."""
