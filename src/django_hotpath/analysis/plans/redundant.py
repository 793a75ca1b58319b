"""Indexes of a table that another one makes superfluous."""

from __future__ import annotations

from collections.abc import Iterator

from django_hotpath.analysis.plans.tables import Index, Table


def redundant(table: Table) -> Iterator[str]:
    """A sentence for each index that could go.

    One that ensures that values are unique is never superfluous, nor is a partial one.
    """
    plain = [index for index in table.indexes if index.columns and not index.partial]
    for place, index in enumerate(plain):
        if index.unique or index.primary:
            continue
        for other_place, other in enumerate(plain):
            if other is index or not _covers(other, index):
                continue
            equal = other.columns == index.columns
            if equal and not (other.unique or other.primary) and other_place > place:
                # Of two that are the same the later one is named.
                continue
            yield _sentence(table, index, other, equal)
            break


def _covers(other: Index, index: Index) -> bool:
    return other.columns[: len(index.columns)] == index.columns


def _sentence(table: Table, index: Index, other: Index, equal: bool) -> str:
    plural = "" if len(index.columns) == 1 else "s"
    how = f"is on the same column{plural}" if equal else f"begins with the same column{plural}"
    declared = f" It is declared by {index.declared}." if index.declared else ""
    return (
        f"{index.name} of {table.name} on {_columns(index)} is superfluous: "
        f"{_label(other)} {how}.{declared}"
    )


def _label(index: Index) -> str:
    """The name, unless the database gave none."""
    kind = "the primary key" if index.primary else "a unique constraint" if index.unique else ""
    name = "" if index.name.startswith("__") or index.primary else index.name
    words = " ".join(part for part in (kind, name) if part)
    return f"{words} ({index.declared})" if index.declared else words


def _columns(index: Index) -> str:
    return f"({', '.join(f'{name} DESC' if down else name for name, down in index.columns)})"
