"""Which index would serve a table of a statement.

Equality columns come first, then either the columns of the order or one that is compared with a
range: behind a range nothing is in order any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.plans import conditions as kinds
from django_hotpath.analysis.plans.conditions import Condition
from django_hotpath.analysis.plans.reading import Block
from django_hotpath.analysis.plans.tables import Table

MAX_COLUMNS = 4
# A condition of constants that fewer rows than this fulfil is worth an index of its own.
FEW = 0.2
_PARTIAL = frozenset({"sqlite", "postgresql"})
# Too long for a key in one database or another, or nothing that a b-tree could order.
_UNFIT = frozenset({"TextField", "BinaryField", "JSONField", "ArrayField", "SearchVectorField"})
_NO_VALUE = object()


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One condition of a partial index; ``lookup`` is ``exact`` or ``isnull``."""

    column: str
    lookup: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class IndexAdvice:
    """An index to create. ``columns`` in order, each with whether it is descending.

    ``kind`` is ``single``, ``composite``, ``partial`` or ``covering``.
    """

    table: str
    columns: tuple[tuple[str, bool], ...]
    kind: str
    condition: tuple[Limit, ...] = ()
    include: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: the block, the name in it, and the values of the placeholders."""

    block: Block
    name: str
    values: Mapping[int, Any]
    """By the number of the placeholder; one that is not held is not in it."""
    vendor: str
    version: tuple[int, ...] = ()

    def value(self, condition: Condition) -> Any:
        given = condition.value
        if given is None:
            return _NO_VALUE
        if given.slot is None:
            return given.literal
        return self.values.get(given.slot, _NO_VALUE)


def advise(wanted: Wanted, table: Table, *, sort: bool, few: bool = False) -> list[IndexAdvice]:
    """The best index first; none where nothing certain can be said, or the table has it.

    ``sort`` asks for the order of the block as well, ``few`` says that few rows fulfil its
    conditions of constants.
    """
    equal, ranges = _searched(wanted, table)
    order = _order(wanted) if sort else ()
    if order is None:
        order = ()
    several = any(found.kind == kinds.IN for found in equal)
    columns = [(found.column.column, False) for found in equal]
    if order and not several and (wanted.block.limited or not ranges):
        columns += [entry for entry in order if entry[0] not in dict(columns)]
    elif ranges:
        columns.append((ranges[0].column.column, False))
    elif order and several:
        # Several values of the first column: each has its own order, not all together.
        order = ()
    return _usable(wanted, table, columns, order=bool(order), few=few)


def advise_group(wanted: Wanted, table: Table, columns: Sequence[str]) -> list[IndexAdvice]:
    """An index along which the groups come in order, so that none has to be collected."""
    equal, ranges = _searched(wanted, table)
    if ranges or any(found.kind == kinds.IN for found in equal):
        return []
    first = [(found.column.column, False) for found in equal]
    rest = [(column, False) for column in columns if column not in dict(first)]
    return _usable(wanted, table, first + rest, order=True, few=False)


def existing(table: Table, columns: Sequence[tuple[str, bool]]) -> str | None:
    """The index that begins with these columns, in these directions or all of them turned."""
    wanted = tuple(columns)
    turned = tuple((column, not down) for column, down in wanted)
    for index in table.indexes:
        head = index.columns[: len(wanted)]
        if not index.partial and len(head) == len(wanted) and head in (wanted, turned):
            return index.name
    return None


def _usable(
    wanted: Wanted,
    table: Table,
    columns: list[tuple[str, bool]],
    *,
    order: bool,
    few: bool,
) -> list[IndexAdvice]:
    if not columns or len(columns) > MAX_COLUMNS or not _fit(table, columns):
        return []
    if existing(table, columns):
        return []
    found = []
    if len(columns) == 1 or not _is_key(table, columns[:-1]):
        found.append(
            IndexAdvice(
                table=table.name,
                columns=tuple(columns),
                kind="single" if len(columns) == 1 else "composite",
                why=_why(wanted, columns, order),
            )
        )
    found += _partial(wanted, table, columns, few)
    found += _covering(wanted, table, columns)
    return found


def partial_only(wanted: Wanted, table: Table) -> list[IndexAdvice]:
    """For an index that is used and whose rows are mostly thrown away: the same, but partial."""
    full = advise(wanted, table, sort=True, few=True)
    return sorted(full, key=lambda advice: advice.kind != "partial")


def _searched(wanted: Wanted, table: Table) -> tuple[list[Condition], list[Condition]]:
    """What is compared with one value (several values last), and what with a range."""
    found = wanted.block.of(wanted.name)
    constant = [one for one in found if one.kind in {kinds.EQUAL, kinds.NULL}]
    several = [one for one in found if one.kind == kinds.IN]
    ranges = [one for one in found if one.kind == kinds.RANGE]
    equal = _distinct(constant + several)
    if not equal and not ranges and any(_filters(wanted, one) for one in found):
        equal = _distinct([one for one in found if _filters(wanted, one)])[:1]
    taken = {one.column.column for one in equal}
    return equal, [one for one in ranges if one.column.column not in taken]


def _filters(wanted: Wanted, condition: Condition) -> bool:
    """Whether it joins to a table whose rows are chosen by conditions of their own."""
    other = condition.other
    if condition.kind != kinds.JOIN or other is None:
        return False
    if other.table not in wanted.block.tables:
        # A column of the statement around this one: looked up for each of its rows.
        return True
    return any(one.kind not in {kinds.JOIN, kinds.NOT_NULL} for one in wanted.block.of(other.table))


def _distinct(found: list[Condition]) -> list[Condition]:
    by_column: dict[str, Condition] = {}
    for condition in found:
        by_column.setdefault(condition.column.column, condition)
    return list(by_column.values())


def _order(wanted: Wanted) -> tuple[tuple[str, bool], ...] | None:
    """The order, if all of it is of this table; what comes after a unique column orders nothing."""
    order = wanted.block.order
    if order is None or any(ref.table != wanted.name for ref, _ in order):
        return None
    if wanted.block.aggregates or wanted.block.distinct or wanted.name in wanted.block.outer:
        return None
    return tuple({ref.column: (ref.column, down) for ref, down in order}.values())


def _fit(table: Table, columns: Sequence[tuple[str, bool]]) -> bool:
    if table.columns and any(name not in table.columns for name, _ in columns):
        return False
    return not any(
        table.columns[name].kind in _UNFIT for name, _ in columns if name in table.columns
    )


def _is_key(table: Table, columns: Sequence[tuple[str, bool]]) -> bool:
    """Whether one of them is unique: then there is one row to find, and no index to add."""
    return any(name in table.columns and table.columns[name].unique for name, _ in columns)


def _partial(
    wanted: Wanted, table: Table, columns: Sequence[tuple[str, bool]], few: bool
) -> list[IndexAdvice]:
    if not few or wanted.vendor not in _PARTIAL:
        return []
    limits = [
        limit
        for condition in wanted.block.of(wanted.name)
        if (limit := _limit(wanted, table, condition)) is not None
    ]
    if not limits:
        return []
    limited = {limit.column for limit in limits}
    # An index must have a column: where none is left, the one that is in the condition.
    rest = tuple(entry for entry in columns if entry[0] not in limited) or (columns[0],)
    return [
        IndexAdvice(
            table=table.name,
            columns=rest,
            kind="partial",
            condition=tuple(limits),
            why="It holds only the few rows that fulfil the condition, so it is small, and writes "
            "of other rows do not touch it.",
        )
    ]


def _limit(wanted: Wanted, table: Table, condition: Condition) -> Limit | None:
    """The condition as one of an index, if its value is the same each time the code runs."""
    column = condition.column.column
    known = table.columns.get(column)
    if condition.kind == kinds.NULL:
        return Limit(column=column, lookup="isnull", value=True)
    if condition.kind != kinds.EQUAL:
        return None
    value = wanted.value(condition)
    if value is _NO_VALUE or not isinstance(value, (str, int, bool)):
        return None
    written = condition.value is not None and condition.value.slot is None
    if known is not None and known.kind == "BooleanField":
        return Limit(column=column, lookup="exact", value=bool(value))
    if isinstance(value, bool) and known is None:
        # SQLite and MySQL write a boolean column alone, and so any other that is taken for one.
        return None
    if written or (known is not None and known.few_values):
        return Limit(column=column, lookup="exact", value=value)
    return None


def _covering(
    wanted: Wanted, table: Table, columns: Sequence[tuple[str, bool]]
) -> list[IndexAdvice]:
    """With what else is read of the table, where that is little: the table is not visited then."""
    block = wanted.block
    if wanted.vendor != "postgresql" or wanted.version[:1] < (11,) or block.selected is None:
        return []
    if block.unread or any(name not in table.columns for name, _ in columns):
        return []
    read = [ref.column for ref in block.selected if ref.table == wanted.name]
    read += [one.column.column for one in block.of(wanted.name)]
    rest = tuple(dict.fromkeys(name for name in read if name not in dict(columns)))
    if not 1 <= len(rest) <= MAX_COLUMNS - 1:
        return []
    if not _fit(table, [(name, False) for name in rest]):
        return []
    return [
        IndexAdvice(
            table=table.name,
            columns=tuple(columns),
            kind="covering",
            include=rest,
            why="It holds every column that is read, so that PostgreSQL need not visit the table "
            "for rows that did not change lately.",
        )
    ]


def _why(wanted: Wanted, columns: Sequence[tuple[str, bool]], order: bool) -> str:
    equal, ranges = len(columns), 0
    by_name = {one.column.column: one for one in wanted.block.of(wanted.name)}
    for place, (name, _) in enumerate(columns):
        found = by_name.get(name)
        if found is None or found.kind == kinds.RANGE:
            equal, ranges = place, int(found is not None)
            break
    names = [name for name, _ in columns]
    parts = []
    if equal:
        compared = "is compared with a value" if equal == 1 else "are compared with values"
        parts.append(f"first {_listed(names[:equal])}, which {compared}")
    if ranges:
        parts.append(f"{'then ' if parts else ''}{names[equal]}, of which a range is asked for")
    elif order and equal < len(names):
        asked = _listed(names[equal:])
        parts.append(f"{'then ' if parts else ''}{asked}, in the order that is asked for")
    return f"Its columns: {'; '.join(parts)}." if parts else ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
