"""Part two of ``truth.py``: a profiled request beside others."""

from __future__ import annotations

from typing import Any

from harness.contenders import asked_for
from harness.outcome import Truth
from harness.pool import Pool
from harness.registered import Engine, engines
from harness.tables import MISSING, Table
from harness.visits import FAILED

BESIDE = {"threads": (0, 1, 4, 8), "tasks": (0, 10, 50)}
_QUICK = {"threads": (0, 4), "tasks": (0, 10)}
_TARGET = ":library.company.own_work+library.company.leaf"
_INSTRUMENTS = ("calls", "samples", "lines")

_COLUMNS = ("engine", "K", "foreign", "shown", "wall", "CPU", "alone", "shown/wall", "shown/alone")

_NOTES = {
    "threads": "K threads serve requests that nobody profiles, without a pause, while one is "
    "profiled; all of them work, so that each has to wait for Python's lock (the GIL).",
    "tasks": "K tasks of the same event loop serve requests that nobody profiles; the profiled "
    "one is suspended 20 times.",
}
_NOTE = (
    " Foreign: calls, samples or hits of a line in the capture that were made for the others (at "
    "least: of what can be told), of all in it; the most of any round. Shown: the time of the "
    "profiled function in the capture; beside it what the function noted itself, while it was "
    "profiled: its wall time, which includes waiting for the GIL, and the CPU time of its thread. "
    "Alone: the CPU time of the same function when nothing is profiled and nothing else runs. "
    "Medians, milliseconds."
)


def measure(pool: Pool, *, quick: bool) -> Truth:
    truth = Truth()
    rounds = 2 if quick else 9
    subjects = [found for found in engines() if found.instrument in _INSTRUMENTS]
    for kind, beside in (_QUICK if quick else BESIDE).items():
        table = Table(
            f"Beside K busy {kind}",
            _COLUMNS,
            _NOTES[kind] + _NOTE,
        )
        truth.tables.append(table)
        for engine in subjects:
            for others in beside:
                found = _ask(pool, engine, kind, others, rounds)
                if "problem" in found:
                    table.add(engine.label, [MISSING, "not measured", *[""] * 6])
                    reasons = truth.failed if _fails(found["problem"]) else truth.reasons
                    reasons[f"{engine.label}, beside {kind}"] = found["problem"]
                    break
                table.add(engine.label, _cells(others, found))
                table.figures.setdefault(engine.label, {})[str(others)] = found
    return truth


def _ask(pool: Pool, engine: Engine, kind: str, others: int, rounds: int) -> dict[str, Any]:
    if engine.word is None:
        return {"problem": engine.reason or "?"}
    words = engine.word + (_TARGET if engine.instrument == "lines" else "")
    # Each engine in a process of its own.
    contender = asked_for(words)
    pool.start([contender])
    found = pool.ask(
        contender.key,
        "call",
        function="harness.company_run:measure",
        words=words,
        instrument=engine.instrument,
        kind=kind,
        others=others,
        rounds=rounds,
    )
    return {"problem": pool.problems[contender.key]} if found is None else dict(found)


def _cells(others: int, found: dict[str, Any]) -> list[str]:
    times = [found["shown"], found["wall"], found["cpu"], found["alone"]]
    return [
        str(others),
        f"{found['foreign']:,} of {found['seen']:,}",
        *(f"{time:.1f}" for time in times),
        f"{found['shown'] / found['wall']:.2f}",
        f"{found['shown'] / found['alone']:.2f}",
    ]


def _fails(problem: str) -> bool:
    return problem.startswith(FAILED)
