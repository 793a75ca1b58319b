"""The four parts of ``overhead.py``: each asks its workers for rounds and fills tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from harness import contenders, served
from harness.contenders import Contender
from harness.figures import Figure, difference, figure
from harness.pool import Pool
from harness.tables import MISSING, Table, ms_and_ratio, ratio, us

# The statements of the views nplus1 and nplus1-template.
STATEMENTS = 201

VIEWS = ("hello", "template", "nplus1")


@dataclass(frozen=True)
class Effort:
    """How much is measured: processes and rounds."""

    idle_processes: int
    idle_turns: int
    idle_rounds: int
    hello_rounds: int
    view_rounds: int
    query_rounds: int

    def rounds(self, view: str) -> int:
        return self.hello_rounds if view == "hello" else self.view_rounds


FULL = Effort(
    idle_processes=3,
    idle_turns=5,
    idle_rounds=40,
    hello_rounds=25,
    view_rounds=15,
    query_rounds=25,
)
QUICK = Effort(
    idle_processes=1, idle_turns=1, idle_rounds=25, hello_rounds=3, view_rounds=2, query_rounds=3
)


@dataclass(frozen=True)
class Target:
    """A promise, held against what was measured."""

    text: str
    measured: float
    limit: float
    unit: str

    def __str__(self) -> str:
        verdict = "holds" if self.measured <= self.limit else "MISSED"
        return f"{verdict}: {self.text}: {self.measured:.2f} {self.unit}, limit {self.limit:g}"


@dataclass(frozen=True)
class Outcome:
    tables: list[Table]
    targets: list[Target]
    problems: dict[str, str]


def _pool(wanted: Iterable[Contender], folder: Path) -> Pool:
    return Pool([(contender.key, contender) for contender in wanted], folder)


def _fill(
    table: Table,
    wanted: Iterable[Contender],
    problems: dict[str, str],
    cells: Callable[[Contender], list[str]],
) -> None:
    for contender in wanted:
        if contender.key in problems:
            table.add_absent(contender.label, problems[contender.key])
        else:
            table.add(contender.label, cells(contender))


def active(effort: Effort, folder: Path) -> Outcome:
    whole = Table(
        "Active: what is added to the whole request",
        ("contender", *VIEWS),
        "Until the last byte of the answer: measuring, storing, rendering. In brackets: times as "
        "long as the bare view.",
    )
    inside = Table(
        "Active: inside the view alone",
        ("contender", *VIEWS),
        "By how much the view itself gets slower, which is what the tool then reports as its time.",
    )
    with _pool(contenders.ACTIVE, folder) as pool:
        rounds = {
            view: served.serve(pool, view, effort.rounds(view), 5 if view == "hello" else 1)
            for view in VIEWS
        }
        problems = dict(pool.problems)
    for table, part in ((whole, "total"), (inside, "view")):

        def cells(contender: Contender, table: Table = table, part: str = part) -> list[str]:
            found = []
            for view in VIEWS:
                added = served.added(rounds[view], contender.key, part)
                times = served.times_as_long(rounds[view], contender.key, part)
                table.keep(contender.label, f"{view}, ms added", added)
                table.keep(contender.label, f"{view}, ratio", times)
                found.append(ms_and_ratio(added, times))
            return found

        _fill(table, contenders.ACTIVE, problems, cells)
        base = [served.spent(rounds[view], "bare", part) for view in VIEWS]
        table.add("(the bare view took)", [f"{found.median:.3f} ms" for found in base])
    return Outcome([whole, inside], [], problems)


def queries(effort: Effort, folder: Path) -> Outcome:
    views = {"nplus1": "in a view", "nplus1-template": "in a template"}
    table = Table(
        "Recording a query",
        ("contender", *(f"{part}, {where}" for where in views.values() for part in _QUERY_PARTS)),
        f"Microseconds a statement over the bare view, by 1 + {STATEMENTS - 1} statements in SQLite "
        "in memory; in brackets the quartiles.",
    )
    with _pool(contenders.QUERIES, folder) as pool:
        rounds = {view: served.serve(pool, view, effort.query_rounds) for view in views}
        problems = dict(pool.problems)
    targets = []

    def each(contender: Contender, view: str, part: str) -> Figure:
        found = rounds[view]
        if part == _BUILT:
            mine = [_built(row) for row in found[contender.key]]
            base = [row["view"] for row in found["bare"]]
            return difference(mine, base).scaled(1e6 / STATEMENTS)
        return served.added(found, contender.key, _QUERY_PARTS[part]).scaled(1e3 / STATEMENTS)

    def cells(contender: Contender) -> list[str]:
        found = []
        for view, where in views.items():
            for part in _QUERY_PARTS:
                if part == _BUILT and "building" not in rounds[view][contender.key][0]:
                    found.append(MISSING)
                    continue
                added = each(contender, view, part)
                table.keep(contender.label, f"{part}, {where}", added)
                found.append(us(added))
            if contender is contenders.HOTPATH_QUERIES_KEPT:
                recorded = each(contender, view, "in the view").median
                text = f"recording a query {where}, in the request"
                targets.append(Target(text, recorded, 10, "us over bare"))
        return found

    _fill(table, contenders.QUERIES, problems, cells)
    return Outcome([table], targets, problems)


_BUILT = "until the capture is built"
# What is counted: the part of the request it is read from.
_QUERY_PARTS = {"in the view": "view", _BUILT: "", "whole request": "total"}


def _built(row: dict[str, float]) -> float:
    return row["view"] + row["stopping"] + row["building"]


def after(effort: Effort, folder: Path) -> Outcome:
    tables = []
    targets = []
    with _pool(contenders.AFTER, folder) as pool:
        rounds = {view: served.serve(pool, view, effort.rounds(view)) for view in VIEWS}
        problems = dict(pool.problems)
    for view in VIEWS:
        found = rounds[view]
        table = Table(
            f"After the view: {view}",
            ("contender", "after the view", "over bare", *_AFTER_PARTS, "rest", "before the view"),
            "Milliseconds between the end of the view and the last byte of the answer; over bare: "
            "as a multiple of what the whole bare request takes.",
        )

        def cells(
            contender: Contender, table: Table = table, found: served.Rounds = found
        ) -> list[str]:
            rows = found[contender.key]
            whole = served.spent(found, contender.key, "after")
            added = [row["after"] for row in rows]
            multiple = figure(
                [mine / row["total"] for mine, row in zip(added, found["bare"], strict=True)]
            )
            table.keep(contender.label, "after, ms", whole)
            texts = [f"{whole.median:.2f}", ratio(multiple.median)]
            if "building" in rows[0]:
                for part in _AFTER_PARTS:
                    spent = served.spent(found, contender.key, part)
                    table.keep(contender.label, f"{part}, ms", spent)
                    texts.append(f"{spent.median:.2f}")
                rest = median(row["after"] - sum(row[p] for p in _AFTER_PARTS) for row in rows)
                texts.append(f"{rest * 1000:.2f}")
            else:
                texts += [MISSING] * (len(_AFTER_PARTS) + 1)
            return [*texts, f"{served.spent(found, contender.key, 'before').median:.2f}"]

        _fill(table, contenders.AFTER, problems, cells)
        tables.append(table)
        if contenders.HOTPATH_PAGE.key in found:
            took = served.spent(found, contenders.HOTPATH_PAGE.key, "after").median
            targets.append(Target(f"after the view {view}, ?profile=1", took, 5, "ms"))
    return Outcome(tables, targets, problems)


_AFTER_PARTS = ("stopping", "building", "storing", "rendering")
