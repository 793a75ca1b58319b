"""Part three of ``queries.py``: a request with as many statements as a capture keeps."""

from __future__ import annotations

from statistics import median
from typing import Any

from harness import contenders
from harness.contenders import HOTPATH_QUERIES_KEPT, HOTPATH_QUERIES_PAGE
from harness.figures import figure
from harness.outcome import Effort, Outcome
from harness.part_queries import KINDS
from harness.phases import LATER
from harness.pool import Pool
from harness.tables import Table

_COLUMNS = (
    "bare view",
    "view",
    "building",
    "of it findings",
    "storing",
    "JSON, MB",
    "writing it",
    "reading it",
    "report page",
    "page, MB",
)


def measure(effort: Effort, pool: Pool) -> Outcome:
    table = Table(
        f"{effort.many:,} queries in one request",
        ("queries", *_COLUMNS),
        "Milliseconds: of the view without and with recording; of building the capture once the "
        "answer has left, with the part that looks for findings, and of storing it; of writing and "
        "reading its JSON; and of rendering the report. Sizes are not compressed.",
    )
    wanted = (contenders.BARE, HOTPATH_QUERIES_KEPT, HOTPATH_QUERIES_PAGE)
    if len(pool.start(wanted)) == len(wanted):
        for key in (contender.key for contender in wanted):
            pool.ask(key, "call", function="harness.query_memory:fill", count=effort.many)
        for kind, where in KINDS.items():
            _add(table, where, _rounds(pool, kind, effort))
    return Outcome([table], [])


def _rounds(pool: Pool, kind: str, effort: Effort) -> list[dict[str, Any] | None]:
    return [_round(pool, f"queries/{kind}/{effort.many}") for _ in range(effort.many_rounds)]


def _round(pool: Pool, view: str) -> dict[str, Any] | None:
    """Milliseconds and megabytes, by column; None when something failed."""
    rows = {}
    for key in (contenders.BARE.key, HOTPATH_QUERIES_KEPT.key, HOTPATH_QUERIES_PAGE.key):
        found = pool.ask(key, "run", view=view, times=1)
        if found is None:
            return None
        rows[key] = found[0]
    kept, page = rows[HOTPATH_QUERIES_KEPT.key], rows[HOTPATH_QUERIES_PAGE.key]
    size = {
        key: _size(pool, key, view) for key in (HOTPATH_QUERIES_KEPT.key, HOTPATH_QUERIES_PAGE.key)
    }
    if None in size.values():
        return None
    capture = size[HOTPATH_QUERIES_KEPT.key]
    return {
        "bare view": rows[contenders.BARE.key]["view"] * 1000,
        "view": kept["view"] * 1000,
        "building": (kept["building"] + kept[f"{LATER}building"]) * 1000,
        "of it findings": capture["finding"] * 1000,
        "storing": (kept["storing"] + kept[f"{LATER}storing"]) * 1000,
        "JSON, MB": capture["bytes"] / 1e6,
        "writing it": capture["writing"] * 1000,
        "reading it": capture["reading"] * 1000,
        "report page": page["rendering"] * 1000,
        "page, MB": size[HOTPATH_QUERIES_PAGE.key]["page"] / 1e6,
    }


def _size(pool: Pool, key: str, view: str) -> Any:
    function = "harness.query_memory:capture_size"
    return pool.ask(key, "call", function=function, contender=key, view=view)


def _add(table: Table, where: str, rounds: list[dict[str, Any] | None]) -> None:
    found = [row for row in rounds if row is not None]
    if not found:
        table.add_absent(where, "failed")
        return
    texts = []
    for column in _COLUMNS:
        table.keep(where, column, figure([row[column] for row in found]))
        middle = median(row[column] for row in found)
        texts.append(f"{middle:.2f}" if "MB" in column else f"{middle:,.0f}")
    table.add(where, texts)
