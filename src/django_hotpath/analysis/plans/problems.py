"""What is wrong with a plan, seen beside what the statement asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django_hotpath.analysis.plans import conditions
from django_hotpath.analysis.plans import node as kinds
from django_hotpath.analysis.plans.node import Node
from django_hotpath.analysis.plans.reading import Block
from django_hotpath.analysis.plans.tables import Table

# A table, or a sort, of fewer rows than this is not worth an index.
SMALL = 1_000
# From this share of the rows on, reading them all is the best way.
MOST = 0.25
# Rows read and thrown away, of all that are read.
DISCARDED = 0.8

FULL_SCAN = "full_scan"
TEMPORARY_TABLE = "temporary_table"
UNINDEXED_SORT = "unindexed_sort"
DISCARDED_ROWS = "discarded_rows"
KINDS = frozenset({FULL_SCAN, TEMPORARY_TABLE, UNINDEXED_SORT, DISCARDED_ROWS})


@dataclass(frozen=True, kw_only=True)
class Problem:
    """``block`` and ``name`` are what the statement says of it, where that could be read.

    ``read`` rows are looked at (or sorted, or collected), ``wanted`` of them are needed; None where
    that is not known.
    """

    kind: str
    node: Node
    table: Table | None = None
    block: Block | None = None
    name: str | None = None
    read: float | None = None
    wanted: float | None = None
    sorts: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The statement: its blocks, the tables by name, and how many rows it returned."""

    blocks: tuple[Block, ...]
    tables: Mapping[str, Table]
    returned: int | None = None


def problems(plan: Node, asked: Asked) -> list[Problem]:
    """All of a plan, a scan together with the sort that one index would serve as well."""
    found: list[Problem] = []
    sort = _sort(plan, asked)
    for step in plan.walk():
        if step.kind == kinds.FULL_SCAN:
            problem = _scan(step, plan, asked, sort)
        elif step.kind in kinds.READS:
            problem = _discarding(step, asked)
        else:
            continue
        if problem is not None:
            found.append(problem)
    if sort is not None and not any(problem.sorts for problem in found):
        found.append(sort)
    found += _temporary(plan, asked)
    return found


def _place(step: Node, asked: Asked) -> tuple[Table | None, Block | None, str | None]:
    """The table that a step reads, and the one place in the statement that names it."""
    places = []
    for block in asked.blocks:
        for name in (step.alias, step.table):
            if name is None:
                continue
            names = [name] if name in block.tables else block.names(name)
            places += [(block, found) for found in names]
            if names:
                break
    if len(places) != 1:
        real = step.table or ""
        return asked.tables.get(real.casefold()), None, None
    block, name = places[0]
    return asked.tables.get(block.tables[name].casefold()), block, name


def _scan(step: Node, plan: Node, asked: Asked, sort: Problem | None) -> Problem | None:
    table, block, name = _place(step, asked)
    if table is None or table.rows is None or table.rows < SMALL:
        return None
    if block is None or name is None:
        return None
    own = block.of(name)
    chosen = [one for one in own if one.kind not in {conditions.JOIN, conditions.NOT_NULL}]
    sorts = (
        sort is not None
        and sort.block is block
        and sort.name == name
        and (block.limited or bool(chosen))
    )
    if not own and not block.unread and not sorts:
        return None
    if not chosen and not block.unread and not sorts and not _joined(block, name):
        return None
    wanted = _wanted(step, plan, asked, block, table, chosen=bool(chosen))
    read: float | None = table.rows
    if sorts and block.limited:
        wanted = asked.returned
    elif block.limited and not any(other.kind == kinds.SORT for other in plan.walk()):
        read, wanted = _until_limit(step, asked, block, table)
    if read is None or read < SMALL or (wanted is not None and wanted > read * MOST):
        return None
    return Problem(
        kind=FULL_SCAN,
        node=step,
        table=table,
        block=block,
        name=name,
        read=read,
        wanted=wanted,
        sorts=sorts,
    )


def _joined(block: Block, name: str) -> bool:
    """Whether its rows are those that belong to chosen rows of another table."""
    for one in block.of(name):
        other = one.other
        if other is None:
            continue
        if other.table not in block.tables:
            return True
        if any(
            two.kind not in {conditions.JOIN, conditions.NOT_NULL} for two in block.of(other.table)
        ):
            return True
    return False


def _wanted(
    step: Node, plan: Node, asked: Asked, block: Block, table: Table, *, chosen: bool
) -> float | None:
    """How many rows of the table are needed, as far as anybody counted or estimated them."""
    loops = max(step.loops or 1, 1)
    if chosen or block.unread:
        if step.rows_actual is not None:
            return step.rows_actual * loops
        if table.matching is not None:
            return table.matching
        if step.kept is not None and step.kept < 1 and step.rows is not None:
            return step.rows * step.kept
        # PostgreSQL's estimate is of what is left after the filter; that of the others is before.
        if step.rows is not None and step.kept is None:
            return step.rows
    if block is asked.blocks[0] and not (block.aggregates or block.distinct or block.limited):
        return asked.returned
    if not chosen and plan.rows_actual is not None:
        return plan.rows_actual
    return None


def _until_limit(
    step: Node, asked: Asked, block: Block, table: Table
) -> tuple[float | None, float | None]:
    """The rows read and kept of a scan that a LIMIT may end: nobody knows how far it came, unless
    they were counted or none was found."""
    if step.discarded is not None and step.rows_actual is not None:
        loops = max(step.loops or 1, 1)
        return (step.discarded + step.rows_actual) * loops, step.rows_actual * loops
    if block is asked.blocks[0] and asked.returned == 0:
        return table.rows, 0
    return None, None


def _sort(plan: Node, asked: Asked) -> Problem | None:
    """A sort of many rows whose order an index of one table could give."""
    steps = [step for step in plan.walk() if step.kind == kinds.SORT]
    blocks = [block for block in asked.blocks if block.order]
    if len(steps) != 1 or len(blocks) != 1 or any(block.order is None for block in asked.blocks):
        return None
    step, block = steps[0], blocks[0]
    assert block.order is not None
    names = {ref.table for ref, _ in block.order}
    if len(names) != 1 or block.aggregates or block.distinct:
        return None
    (name,) = names
    table = asked.tables.get(block.tables.get(name, "").casefold())
    if table is None or table.rows is None or table.rows < SMALL:
        return None
    rows = _sorted_rows(step, plan, asked, block, table)
    if rows is not None and rows < SMALL and not block.limited:
        return None
    return Problem(
        kind=UNINDEXED_SORT,
        node=step,
        table=table,
        block=block,
        name=name,
        read=rows,
        wanted=asked.returned if block is asked.blocks[0] else None,
    )


def _sorted_rows(step: Node, plan: Node, asked: Asked, block: Block, table: Table) -> float | None:
    below = step.children[0] if step.children else None
    if below is not None and (below.rows_actual is not None or below.rows is not None):
        return below.rows_actual if below.rows_actual is not None else below.rows
    if table.matching is not None:
        return table.matching
    if not block.limited and block is asked.blocks[0]:
        return asked.returned
    if not block.conditions and not block.unread:
        return table.rows
    return None


def _discarding(step: Node, asked: Asked) -> Problem | None:
    """An index that finds many rows of which few are kept; told by ANALYZE, or estimated."""
    loops = max(step.loops or 1, 1)
    if step.discarded is not None and step.rows_actual is not None:
        read, wanted = (step.discarded + step.rows_actual) * loops, step.rows_actual * loops
    elif step.kept is not None and step.kept < 1 and step.rows is not None:
        read, wanted = step.rows, step.rows * step.kept
    else:
        return None
    if read - wanted < SMALL or wanted > read * (1 - DISCARDED):
        return None
    if read <= loops:
        # One row is looked up each time: what is too much is how often, not the index.
        return None
    table, block, name = _place(step, asked)
    if table is None:
        return None
    return Problem(
        kind=DISCARDED_ROWS,
        node=step,
        table=table,
        block=block,
        name=name,
        read=read,
        wanted=wanted,
    )


def _temporary(plan: Node, asked: Asked) -> list[Problem]:
    """Rows collected aside, of tables that are not small."""
    steps = [step for step in plan.walk() if step.kind == kinds.TEMPORARY or step.on_disk]
    if not steps:
        return []
    read = [
        step.rows_actual if step.rows_actual is not None else step.rows
        for step in steps[0].walk()
        if step.kind in kinds.READS
    ]
    sizes = [table.rows or 0 for step in plan.walk() if (table := _place(step, asked)[0])]
    known = [rows for rows in read if rows is not None]
    rows = max(known, default=None) if known else max(sizes, default=0)
    if rows is None or rows < SMALL:
        return []
    blocks = [block for block in asked.blocks if block.group != () or block.distinct]
    block = blocks[0] if len(blocks) == 1 else None
    columns = grouped(block) if block is not None else ()
    names = {ref.table for ref in columns}
    name = names.pop() if len(names) == 1 else None
    table = None
    if block is not None and name is not None:
        table = asked.tables.get(block.tables.get(name, "").casefold())
    return [
        Problem(kind=TEMPORARY_TABLE, node=steps[0], table=table, block=block, name=name, read=rows)
    ]


def grouped(block: Block) -> tuple[conditions.Ref, ...]:
    """The columns that rows are grouped by, or that are distinct; none where that is not plain."""
    if block.group:
        return block.group
    return (block.selected or ()) if block.distinct else ()
