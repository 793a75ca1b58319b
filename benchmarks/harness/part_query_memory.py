"""Part two of ``queries.py``: what a recorded statement takes in memory while the request runs."""

from __future__ import annotations

from harness import contenders
from harness.contenders import HOTPATH_QUERIES_KEPT, Contender
from harness.figures import figure
from harness.outcome import Effort, Outcome, Target
from harness.part_queries import KINDS, STATEMENTS, sees
from harness.pool import NOT_INSTALLED, Pool
from harness.tables import MISSING, Table

_LIMIT_BYTES = 1024
_CONTENDERS = (HOTPATH_QUERIES_KEPT, contenders.TOOLBAR_SQL, contenders.SILK)


def measure(effort: Effort, pool: Pool) -> Outcome:
    pool.start((contenders.BARE, *_CONTENDERS))
    table = Table(
        "Memory of a recorded query",
        ("queries", *(contender.label for contender in _CONTENDERS)),
        "Bytes a statement over the bare view, at the end of the view's work: what Python's "
        "allocators gave out (tracemalloc) and the collector would not take back. Peers are asked "
        "for the smaller number only: what they make of the larger one after the view takes "
        "minutes.",
    )
    targets = []
    for kind, where in KINDS.items():
        for count in (STATEMENTS, effort.many):
            row = f"{where}, {count:,}"
            base = _left_behind(pool, contenders.BARE, kind, count)
            texts = []
            for contender in _CONTENDERS:
                kept = _left_behind(pool, contender, kind, count)
                if kept is None or base is None:
                    missing = pool.problems.get(contender.key) == NOT_INSTALLED
                    texts.append(NOT_INSTALLED if missing else MISSING)
                    continue
                found = (kept - base) / count
                table.keep(row, contender.label, figure([found]))
                texts.append(f"{found:,.0f}")
                if contender is HOTPATH_QUERIES_KEPT:
                    text = f"memory of a query {row}"
                    targets.append(Target(text, found, _LIMIT_BYTES, "bytes"))
            table.add(row, texts)
    return Outcome([table], targets)


def _left_behind(pool: Pool, contender: Contender, kind: str, count: int) -> int | None:
    """Bytes that the view left; None where it is not asked, or failed."""
    peer = contender in (contenders.TOOLBAR_SQL, contenders.SILK)
    if not sees(contender, kind) or (peer and count != STATEMENTS):
        return None
    key = contender.key
    pool.ask(key, "call", function="harness.query_memory:fill", count=count)
    function = "harness.query_memory:left_behind"
    answer = pool.ask(key, "call", function=function, contender=key, kind=kind, count=count)
    return None if answer is None else int(answer)
