"""How many rows fulfil a statement's conditions, where the database's plan does not count them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.analysis.plans import conditions
from django_hotpath.analysis.plans.reading import Block
from django_hotpath.analysis.plans.tables import Table
from django_hotpath.explain import facts


def with_matching(
    connection: BaseDatabaseWrapper,
    tables: dict[str, Table],
    blocks: Sequence[Block],
    values: Mapping[int, Any],
) -> dict[str, Table]:
    """Counts the rows that fulfil the conditions of constants, for databases that do not."""
    found = dict(tables)
    for block in blocks:
        for name, real in block.tables.items():
            table = found.get(real.casefold())
            wanted = _constants(block, name, values)
            if table is None or not wanted or table.matching is not None:
                continue
            matching = facts.count_matching(connection, table.name, wanted)
            found[real.casefold()] = replace(table, matching=matching)
    return found


def _constants(block: Block, name: str, values: Mapping[int, Any]) -> list[tuple[str, Any]]:
    """The columns with the one value each must have; none where there are other conditions."""
    if block.unread:
        return []
    found: list[tuple[str, Any]] = []
    for one in block.of(name):
        if one.kind == conditions.JOIN:
            continue
        if one.kind == conditions.NULL:
            found.append((one.column.column, None))
            continue
        value = one.value
        if one.kind != conditions.EQUAL or value is None:
            return []
        constant = value.literal if value.slot is None else values.get(value.slot)
        if constant is None:
            return []
        found.append((one.column.column, constant))
    return found
