"""Part three of ``truth.py``: what is counted, beside what is known."""

from __future__ import annotations

from harness.contenders import asked_for
from harness.outcome import Truth
from harness.pool import Pool
from harness.tables import Table

_CONTENDER = asked_for("1")


def measure(pool: Pool, *, quick: bool) -> Truth:
    """The same whether quick or not."""
    pool.start([_CONTENDER])
    found = pool.ask(_CONTENDER.key, "call", function="harness.counts:measure")
    if found is None:
        return Truth(failed={"counts": pool.problems[_CONTENDER.key]})
    table = Table(
        "Counts",
        ("what", "known", "measured", "note"),
        "How often things happen in programs of which that is known.",
    )
    truth = Truth([table])
    for what, known, measured, reason in found:
        if measured is None:
            table.add(what, [str(known), "not measured", ""])
            truth.reasons[what] = reason
            continue
        table.add(what, [str(known), str(measured), "" if known == measured else "differs"])
        table.figures[what] = {"known": known, "measured": measured}
    return truth
