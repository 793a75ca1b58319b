"""Part one of ``truth.py``: how much of a tree is on paths where the time was not spent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import paths
from harness.contenders import TRUTH
from harness.outcome import Truth
from harness.pool import NOT_INSTALLED, Pool
from harness.tables import MISSING, Table

PROGRAMS = {
    "shared_helper": "two parents, one helper",
    "dispatch": "dispatch by caller",
    "template": "template",
    "nplus1": "nplus1",
    "changelist": "admin changelist",
}

_OWN_NOTE = (
    "Of the own time that a tree shows, the part that is on paths where it was not spent. Each "
    "function is given its true time first, so that this is only about where a tool puts it, and "
    "recursion is folded, in favour of those that cannot show it. The truth: of the first two "
    "programs the work that they note themselves, of pages a tracer in pure Python. Medians of "
    "several runs, path by path; the control shows how much of a figure is noise."
)
_CALLS_NOTE = (
    "The same for calls, which are the same in each run and need no clock. In brackets: at how "
    "many paths, with every level of a recursion, the number of calls is not that of the "
    "reference. A sampler counts no calls."
)
_SHOWN_NOTE = (
    "What is left out cannot be on a wrong path; above 100 % the same time is shown repeatedly."
)

# Program -> tool -> what ``paths.measure`` gives.
Found = dict[str, dict[str, dict[str, Any]]]


def measure(pool: Pool, *, quick: bool) -> Truth:
    pool.start([TRUTH])
    found: Found = {}
    for program in PROGRAMS:
        answer = pool.ask(
            TRUTH.key,
            "call",
            function="harness.paths:measure",
            program=program,
            repeats=3 if quick else 15,
            seconds=0.3 if quick else 3.0,
        )
        if answer is None:
            return Truth(failed={program: pool.problems[TRUTH.key]})
        found[program] = answer
    return _truth(found)


def _truth(found: Found) -> Truth:
    columns = ("tree", *PROGRAMS.values())
    own = Table("Own time on wrong paths", columns, _OWN_NOTE)
    calls = Table("Calls on wrong paths", columns, _CALLS_NOTE)
    shown = Table("How much of the own time a tree shows", columns, _SHOWN_NOTE)
    truth = Truth([own, calls, shown])
    for tool in paths.TOOLS:
        by_program = [found[program][tool] for program in PROGRAMS]
        problems = [judged["problem"] for judged in by_program if "problem" in judged]
        if problems:
            if problems[0] != NOT_INSTALLED:
                truth.reasons[tool] = problems[0]
            for table in truth.tables:
                table.add_absent(tool, NOT_INSTALLED if tool not in truth.reasons else MISSING)
            continue
        _add(own, tool, by_program, "own", _percent)
        _add(calls, tool, by_program, "calls", _percent, "paths")
        if "shown" in by_program[0]:
            _add(shown, tool, by_program, "shown", _much)
        else:
            _add(shown, tool, by_program, "samples", "{:,} samples".format)
    there = [found[program][paths.REFERENCE]["all paths"] for program in PROGRAMS]
    calls.add("(paths there are)", [f"{number:,}" for number in there])
    return truth


def _add(
    table: Table,
    tool: str,
    by_program: list[dict[str, Any]],
    part: str,
    text: Callable[[Any], str],
    beside: str | None = None,
) -> None:
    cells = []
    for title, judged in zip(PROGRAMS.values(), by_program, strict=True):
        if part not in judged:
            cells.append(MISSING)
            continue
        figures = table.figures.setdefault(tool, {}).setdefault(title, {})
        figures[part] = judged[part]
        if beside is not None:
            figures[beside] = judged[beside]
        more = f" ({judged[beside]:,})" if beside is not None else ""
        cells.append(f"{text(judged[part])}{more}")
    table.add(tool, cells)


def _percent(share: float) -> str:
    # Sums of floats are equal up to their last digits.
    return "0 %" if share < 1e-12 else f"{share * 100:.1f} %"


def _much(share: float) -> str:
    return f"{share * 100:.0f} %" if share < 10 else f"{share:,.0f} times"
