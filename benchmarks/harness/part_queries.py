"""Part one of ``queries.py``: what recording a statement costs."""

from __future__ import annotations

from harness import contenders, served
from harness.contenders import HOTPATH_QUERIES_KEPT, Contender
from harness.figures import Figure, difference
from harness.outcome import Effort, Outcome, Target, fill
from harness.phases import LATER
from harness.pool import Pool
from harness.served import Row
from harness.tables import MISSING, Table, us

STATEMENTS = 200
# Kinds of ``library.query_views``.
KINDS = {
    "cursor": "by a cursor in a view",
    "orm": "by the ORM in a view",
    "template": "by the ORM in a template",
    "prefetch": "by querysets with a prefetch",
}

_IN_VIEW = "in the view"
_BUILT = "until the capture is built"
_WHOLE = "whole request"
_COLUMNS = (_IN_VIEW, _BUILT, _WHOLE)

_LIMIT_US = 10


def measure(effort: Effort, pool: Pool) -> Outcome:
    tables, targets = [], []
    for kind, where in KINDS.items():
        view = f"queries/{kind}/{STATEMENTS}"
        wanted = [found for found in contenders.QUERIES if sees(found, kind)]
        rounds = served.serve(pool, wanted, view, effort)
        pairs = pool.ask(HOTPATH_QUERIES_KEPT.key, "pairs", view=view, rounds=effort.query_pairs)
        if contenders.BARE.key not in rounds:
            continue
        table = _table(where, rounds, pool.problems | _blind(kind))
        tables.append(table)
        if pairs is not None:
            targets.append(_against_itself(table, where, pairs))
        took = served.spent(rounds, contenders.BARE.key, "view").scaled(1000 / STATEMENTS)
        table.add("(the bare view took, us)", [f"{took.median:.2f}", "", ""])
    return Outcome(tables, targets)


def sees(contender: Contender, kind: str) -> bool:
    # Silk patches the ORM's compiler.
    return kind != "cursor" or contender is not contenders.SILK


def _blind(kind: str) -> dict[str, str]:
    return {
        contender.key: "does not see it"
        for contender in contenders.QUERIES
        if not sees(contender, kind)
    }


def _table(where: str, rounds: served.Rounds, problems: dict[str, str]) -> Table:
    table = Table(
        f"Recording a query, {where}",
        ("contender", *_COLUMNS),
        f"Microseconds a statement over the bare view, by {STATEMENTS} statements in SQLite in "
        "memory (in brackets: quartiles). Processes differ by some microseconds a statement, see "
        'the control; "against itself" is one process, asked and not asked in turn.',
    )

    def cells(contender: Contender) -> list[str]:
        return _cells(table, contender.label, rounds["bare"], rounds[contender.key])

    fill(table, contenders.QUERIES[1:], problems, cells)
    return table


def _against_itself(table: Table, where: str, pairs: list[list[Row]]) -> Target:
    label = f"{HOTPATH_QUERIES_KEPT.label}, against itself"
    plain, asked = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    table.add(label, _cells(table, label, plain, asked))
    found = _added(plain, asked, _IN_VIEW).median
    return Target(f"recording a query {where}, in the request", found, _LIMIT_US, "us over bare")


def _cells(table: Table, label: str, base: list[Row], rows: list[Row]) -> list[str]:
    texts = []
    for column in _COLUMNS:
        if column == _BUILT and "building" not in rows[0]:
            texts.append(MISSING)
            continue
        found = _added(base, rows, column)
        table.keep(label, column, found)
        texts.append(us(found))
    return texts


def _added(base: list[Row], rows: list[Row], column: str) -> Figure:
    """Microseconds a statement."""
    if column == _BUILT:
        steps = ("view", "stopping", "building", f"{LATER}building")
        spent = [sum(row[step] for step in steps) for row in rows]
        return difference(spent, [row["view"] for row in base]).scaled(1e6 / STATEMENTS)
    part = "view" if column == _IN_VIEW else "closed"
    found = difference([row[part] for row in rows], [row[part] for row in base])
    return found.scaled(1e6 / STATEMENTS)
