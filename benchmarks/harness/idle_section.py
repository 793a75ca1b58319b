"""The first part of ``overhead.py``: what a request pays that is not profiled."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from harness.contenders import idle_contender
from harness.figures import Figure, difference, figure
from harness.pool import Pool
from harness.sections import Effort, Outcome, Target
from harness.tables import Table, us

_MIDDLEWARE = {
    "direct": "sync, called directly",
    "wsgi": "sync, WSGIHandler",
    "async direct": "async, called directly",
    "async handler": "async, ASGIHandler",
}
_QUERY = "query"

# way -> process -> subject -> seconds a call, round by round
Measured = dict[str, list[dict[str, list[float]]]]


def idle(effort: Effort, folder: Path) -> Outcome:
    # Where memory lies differs from process to process and moves figures by some 10 ns.
    names = [f"idle {number}" for number in range(effort.idle_processes)]
    measured: Measured = {}
    with Pool([(name, idle_contender()) for name in names], folder) as pool:
        for way in (*_MIDDLEWARE, _QUERY):
            measured[way] = [{} for _ in names]
        for _ in range(effort.idle_turns):
            for way, by_process in measured.items():
                for name, found in zip(names, by_process, strict=True):
                    if name not in pool.workers:
                        continue
                    for label, values in (
                        pool.ask(name, "idle", way=way, rounds=effort.idle_rounds) or {}
                    ).items():
                        found.setdefault(label, []).extend(values)
        problems = dict(pool.problems)
    measured = {way: [found for found in all_ if found] for way, all_ in measured.items()}
    if not all(measured.values()):
        return Outcome([], [], problems)
    targets: list[Target] = []
    tables = [_middleware_table(measured, targets), _query_table(measured)]
    return Outcome(tables, targets, problems)


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
    # Known without Django being set up here, and listed where they are not installed.
    from harness.idle_subjects import BARE, CONTROL, HOTPATH, NOOP, SUBJECTS, find_spec

    table = Table(
        "Idle: a request that is not profiled",
        ("middleware", *_MIDDLEWARE.values()),
        "Microseconds a request over a no-op middleware class (in brackets: the range of several "
        "processes, the quartiles where there is one). What the control shows is noise.",
    )
    for subject in SUBJECTS:
        if find_spec(subject.needs) is None:
            table.add_absent(subject.label, "not installed")
            continue
        cells = []
        for way, by_process in measured.items():
            if way == _QUERY:
                continue
            if subject.label not in by_process[0]:
                cells.append("sync only")
                continue
            found = _over(by_process, subject.label, NOOP)
            table.keep(subject.label, _MIDDLEWARE[way], found)
            cells.append("0" if subject.label == NOOP else us(found))
            if subject.label == HOTPATH:
                text = f"idle, {_MIDDLEWARE[way]}, over the no-op"
                noise = _over(by_process, CONTROL, NOOP)
                targets.append(Target(text, found.median, 1 + max(noise.high, 0), "us"))
        table.add(subject.label, cells)
    took = {
        way: figure([value for one in by_process for value in one[BARE]]).scaled(1e6).median
        for way, by_process in measured.items()
        if way != _QUERY
    }
    table.add("(bare took, us)", [f"{value:.2f}" for value in took.values()])
    return table


def _query_table(measured: Measured) -> Table:
    from harness.idle_subjects import NO_WRAPPER, PASS_ON

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
