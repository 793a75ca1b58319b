"""Part two: what a request pays that is profiled."""

from __future__ import annotations

from harness import contenders, served
from harness.contenders import Contender
from harness.outcome import VIEWS, Effort, Outcome, fill
from harness.pool import Pool
from harness.tables import Table, ms_and_ratio


def measure(effort: Effort, pool: Pool) -> Outcome:
    whole = Table(
        "Active: what is added to the whole request",
        ("contender", *VIEWS),
        "Until the last byte of the answer: measuring, storing, rendering. In brackets: times as "
        "long as the bare view.",
    )
    inside = Table(
        "Active: what is added inside the view",
        ("contender", *VIEWS),
        "By how much the view itself gets slower: the distortion of what the tool then reports.",
    )
    rounds = {view: served.serve(pool, contenders.ACTIVE, view, effort) for view in VIEWS}
    if contenders.BARE.key in pool.problems:
        return Outcome([], [])
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

        fill(table, contenders.ACTIVE[1:], pool.problems, cells)
        base = [served.spent(rounds[view], "bare", part) for view in VIEWS]
        table.add("(the bare view took)", [f"{found.median:.3f} ms" for found in base])
    return Outcome([whole, inside], [])
