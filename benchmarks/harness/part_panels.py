"""Part four: what the panels for debug-toolbar cost, off and on."""

from __future__ import annotations

from harness import served
from harness.contenders import Contender
from harness.outcome import VIEWS, Effort, Outcome, Target, fill
from harness.pool import Pool
from harness.served import Row
from harness.tables import Table, ms_and_ratio, us
from harness.toolbar_contenders import EMPTY, FINDINGS, OFF, RECORDING, TOOLBARS, WITHOUT

STATEMENTS = 200
_KINDS = {"cursor": "by a cursor", "orm": "by the ORM", "template": "in a template"}
_LIMIT_US = 10
_IN_VIEW, _WHOLE = "in the view", "whole request"


def measure(effort: Effort, pool: Pool) -> Outcome:
    added, targets = _requests(effort, pool)
    recording, more = _recording(effort, pool)
    return Outcome([*added, *recording], [*targets, *more])


def _requests(effort: Effort, pool: Pool) -> tuple[list[Table], list[Target]]:
    whole = Table(
        "Panels: what is added to the whole request",
        ("contender", *VIEWS),
        "Until the last byte, over debug-toolbar with its Timer alone. In brackets: times as long.",
    )
    inside = Table(
        "Panels: what is added inside the view",
        ("contender", *VIEWS),
        "By how much the view itself gets slower: the distortion of what the panels then show.",
    )
    rounds = {view: served.serve(pool, TOOLBARS, view, effort) for view in VIEWS}
    if WITHOUT.key in pool.problems:
        return [], []
    for table, part in ((whole, "total"), (inside, "view")):

        def cells(contender: Contender, table: Table = table, part: str = part) -> list[str]:
            found = []
            for view in VIEWS:
                added = served.added(rounds[view], contender.key, part, WITHOUT.key)
                times = served.times_as_long(rounds[view], contender.key, part, WITHOUT.key)
                table.keep(contender.label, f"{view}, ms added", added)
                table.keep(contender.label, f"{view}, ratio", times)
                found.append(ms_and_ratio(added, times))
            return found

        fill(table, TOOLBARS[1:], pool.problems, cells)
        base = [served.spent(rounds[view], WITHOUT.key, part) for view in VIEWS]
        table.add("(the toolbar with its Timer took)", [f"{found.median:.3f} ms" for found in base])
    targets = []
    if not {OFF.key, EMPTY.key} & set(pool.problems):
        # On the view that does nothing there is the least noise.
        over = served.added(rounds["hello"], OFF.key, "total", EMPTY.key).median
        targets.append(
            Target("all panels off, over as many that do nothing, whole request", over, 0.1, "ms")
        )
    return [whole, inside], targets


def _recording(effort: Effort, pool: Pool) -> tuple[list[Table], list[Target]]:
    tables, targets = [], []
    for kind, where in _KINDS.items():
        view = f"queries/{kind}/{STATEMENTS}"
        rounds = served.serve(pool, RECORDING, view, effort)
        pairs = pool.ask(FINDINGS.key, "pairs", view=view, rounds=effort.query_pairs)
        if WITHOUT.key not in rounds:
            continue
        table = Table(
            f"Panels: recording a query {where}",
            ("contender", _IN_VIEW, _WHOLE),
            f"Microseconds a statement over the toolbar with its Timer, by {STATEMENTS} statements "
            "in SQLite in memory (in brackets: quartiles). The whole request has the findings, and "
            'what the toolbar shows of them; "against itself" is one process, with the panel '
            "switched on and off in turn.",
        )

        def cells(
            contender: Contender, rounds: served.Rounds = rounds, table: Table = table
        ) -> list[str]:
            return _cells(table, contender.label, rounds[WITHOUT.key], rounds[contender.key])

        fill(table, RECORDING[1:], pool.problems, cells)
        if pairs is not None:
            label = f"{FINDINGS.label}, against itself"
            plain, asked = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
            table.add(label, _cells(table, label, plain, asked))
            found = served.a_statement(plain, asked, "view", STATEMENTS).median
            text = f"FindingsPanel, a query {where}, in the request"
            targets.append(Target(text, found, _LIMIT_US, "us over the panel switched off"))
        took = served.spent(rounds, WITHOUT.key, "view").scaled(1000 / STATEMENTS)
        table.add("(the bare view took, us)", [f"{took.median:.2f}", ""])
        tables.append(table)
    return tables, targets


def _cells(table: Table, label: str, base: list[Row], rows: list[Row]) -> list[str]:
    texts = []
    for column, part in ((_IN_VIEW, "view"), (_WHOLE, "total")):
        found = served.a_statement(base, rows, part, STATEMENTS)
        table.keep(label, column, found)
        texts.append(us(found))
    return texts
