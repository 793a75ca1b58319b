"""Part four: how long the answer waits after the view."""

from __future__ import annotations

from statistics import median

from harness import contenders, served
from harness.contenders import Contender
from harness.figures import figure
from harness.outcome import VIEWS, Effort, Outcome, Target, fill
from harness.pool import Pool
from harness.tables import MISSING, Table, ratio

_STEPS = ("stopping", "building", "storing", "rendering")
_LIMIT_MS = 5


def measure(effort: Effort, pool: Pool) -> Outcome:
    tables, targets = [], []
    for view in VIEWS:
        rounds = served.serve(pool, contenders.AFTER, view, effort)
        if contenders.BARE.key not in rounds:
            continue
        tables.append(_table(view, rounds, pool.problems))
        for contender in (contenders.HOTPATH_PAGE, contenders.HOTPATH_KEPT):
            if contender.key in rounds:
                took = served.spent(rounds, contender.key, "after").median
                text = f"after the view {view}, {contender.label}"
                targets.append(Target(text, took, _LIMIT_MS, "ms"))
    return Outcome(tables, targets)


def _table(view: str, rounds: served.Rounds, problems: dict[str, str]) -> Table:
    table = Table(
        f"After the view: {view}",
        (
            "contender",
            "after the view",
            "of bare",
            *_STEPS,
            "rest",
            "once it has left",
            "before the view",
        ),
        "Milliseconds between the end of the view and the last byte of the answer, and where they "
        "go; of bare: as a multiple of what the whole bare request takes in the same round. Once "
        "it has left: what is done when the server closes the response; nobody waits for it.",
    )

    def cells(contender: Contender) -> list[str]:
        rows = rounds[contender.key]
        whole = served.spent(rounds, contender.key, "after")
        multiple = figure(
            [row["after"] / bare["total"] for row, bare in zip(rows, rounds["bare"], strict=True)]
        )
        table.keep(contender.label, "after, ms", whole)
        table.keep(contender.label, "of bare", multiple)
        texts = [f"{whole.median:.2f}", ratio(multiple.median)]
        if "building" in rows[0]:
            for step in _STEPS:
                spent = served.spent(rounds, contender.key, step)
                table.keep(contender.label, f"{step}, ms", spent)
                texts.append(f"{spent.median:.2f}")
            rest = median(row["after"] - sum(row[step] for step in _STEPS) for row in rows)
            texts.append(f"{rest * 1000:.2f}")
        else:
            texts += [MISSING] * (len(_STEPS) + 1)
        later = figure([row["closed"] - row["total"] for row in rows]).scaled(1000)
        table.keep(contender.label, "once it has left, ms", later)
        before = served.spent(rounds, contender.key, "before")
        table.keep(contender.label, "before, ms", before)
        return [*texts, f"{later.median:.2f}", f"{before.median:.2f}"]

    fill(table, contenders.AFTER, problems, cells)
    return table
