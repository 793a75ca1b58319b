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
    name = f"{index.name} of {table.name} on {_columns(index)}"
    declared = f" It is declared by {index.declared}." if index.declared else ""
    reason = f" ({other.declared})" if other.declared else ""
    if equal:
        kind = "the primary key" if other.primary else "unique" if other.unique else "an index"
        return (
            f"{name} is superfluous: {other.name}{reason} is {kind} on the same column"
            f"{'' if len(index.columns) == 1 else 's'}.{declared}"
        )
    return f"{name} is superfluous: {other.name}{reason} begins with the same columns.{declared}"


def _columns(index: Index) -> str:
    return f"({', '.join(f'{name} DESC' if down else name for name, down in index.columns)})"
