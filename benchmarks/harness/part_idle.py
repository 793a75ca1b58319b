"""Part one: what a request pays that is not profiled."""

from __future__ import annotations

from statistics import median

from harness.contenders import idle_contender
from harness.figures import Figure, difference, figure
from harness.idle_subjects import BARE, HOTPATH, NO_WRAPPER, NOOP, PASS_ON, SUBJECTS, WAYS
from harness.outcome import Effort, Outcome, Target
from harness.pool import Pool
from harness.tables import Table, us

_QUERY = "query"
_LIMIT_US = 1

# way -> process -> subject -> seconds a call, round by round
Measured = dict[str, list[dict[str, list[float]]]]


def measure(effort: Effort, pool: Pool) -> Outcome:
    # Where memory lies differs from process to process and moves figures by some 10 ns.
    keys = pool.start(idle_contender(number) for number in range(effort.idle_processes))
    measured: Measured = {way: [{} for _ in keys] for way in (*WAYS, _QUERY)}
    for _ in range(effort.idle_turns):
        for way, by_process in measured.items():
            for key, found in zip(keys, by_process, strict=True):
                values = pool.ask(key, "idle", way=way, rounds=effort.idle_rounds) or {}
                for label, seconds in values.items():
                    found.setdefault(label, []).extend(seconds)
    if not keys or any(key in pool.problems for key in keys):
        return Outcome([], [])
    targets: list[Target] = []
    tables = [_middleware_table(measured, targets), _query_table(measured)]
    return Outcome(tables, targets)


def _over(by_process: list[dict[str, list[float]]], label: str, base: str) -> Figure:
    """Microseconds over the base: the median of the processes, and how far they lie apart.

    With one process, its quartiles.
    """
    found = [difference(one[label], one[base]).scaled(1e6) for one in by_process]
    if len(found) == 1:
        return found[0]
    medians = [each.median for each in found]
    return Figure(median(medians), min(medians), max(medians))


def _middleware_table(measured: Measured, targets: list[Target]) -> Table:
    table = Table(
        "Idle: a request that is not profiled",
        ("middleware", *WAYS.values()),
        "Microseconds a request over a no-op middleware class (in brackets: the range of several "
        "processes, the quartiles where there is one). What the control shows is noise.",
    )
    bare_us = {
        way: median(value for one in measured[way] for value in one[BARE]) * 1e6 for way in WAYS
    }
    for subject in SUBJECTS:
        if not subject.installed:
            table.add_absent(subject.label, "not installed")
            continue
        cells = []
        for way in WAYS:
            by_process = measured[way]
            if subject.label not in by_process[0]:
                cells.append("sync only")
                continue
            found = _over(by_process, subject.label, NOOP)
            table.keep(subject.label, WAYS[way], found)
            cells.append("0" if subject.label == NOOP else us(found))
            if subject.label == HOTPATH:
                targets.append(_target(way, found, bare_us[way]))
        table.add(subject.label, cells)
    table.add("(bare took, us)", [f"{value:.2f}" for value in bare_us.values()])
    return table


def _target(way: str, found: Figure, bare_us: float) -> Target:
    text = f"idle, {WAYS[way]}, over the no-op"
    if way == "asgi":
        # "Not measurable" as a figure: its thread hops vary by more than a per cent.
        return Target(text, found.median / bare_us * 100, 1, "% of the request")
    return Target(text, found.median, _LIMIT_US, "us")


def _query_table(measured: Measured) -> Table:
    by_process = measured[_QUERY]
    table = Table(
        "Idle: a statement that is not recorded",
        ("execute wrapper", "over none", "over passing on"),
        "Microseconds a `SELECT 1` through Django's cursor.",
    )
    for label in by_process[0]:
        cells = []
        for base in (NO_WRAPPER, PASS_ON):
            found = _over(by_process, label, base)
            table.keep(label, f"over {base}", found)
            cells.append("0" if label == base else us(found))
        table.add(label, cells)
    took = figure([value for one in by_process for value in one[NO_WRAPPER]]).scaled(1e6)
    table.add("(with no wrapper it took, us)", [f"{took.median:.2f}", ""])
    return table
