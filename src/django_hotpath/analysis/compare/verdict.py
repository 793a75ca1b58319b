"""The comparison in a sentence, and what to know beside it."""

from __future__ import annotations

from collections.abc import Sequence

from django_hotpath.analysis.compare.model import Counted, Measured
from django_hotpath.analysis.compare.times import more_runs
from django_hotpath.capture import Capture

# Of the speed of the machine; less is not worth a word.
_MACHINE = 0.05

# Named in the sentence when they changed, the queries always.
_NAMED = {"queries": "queries", "allocated": "memory at the peak", "findings": "findings"}


def sentence(wall: Measured, counted: Sequence[Counted]) -> str:
    """``Faster by 41 to 48 % (12 runs each); queries 101 → 2.``"""
    parts = [wall.text]
    for found in counted:
        name = _NAMED.get(found.name)
        if name is None or found.before is None or found.after is None:
            continue
        if found.before != found.after:
            parts.append(
                f"{name} {span(found.before, found.unit)} → {span(found.after, found.unit)}"
            )
        elif found.name == "queries":
            parts.append(f"{name} {span(found.before)} as before")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def span(values: tuple[int, int], unit: str = "") -> str:
    """``101``, or ``99 to 101`` where the runs differ."""
    low, high = (_figure(value, unit) for value in values)
    return low if low == high else f"{low} to {high}"


def _figure(value: int, unit: str) -> str:
    return f"{value / 2**20:,.1f} MiB" if unit == "bytes" else f"{value:,}"


def notes(
    wall: Measured, a: Sequence[Capture], b: Sequence[Capture], cold_a: int, cold_b: int
) -> list[str]:
    """``cold_a``, ``cold_b``: how many first requests of a process were left out."""
    found = []
    for name, number in (("A", cold_a), ("B", cold_b)):
        if number:
            runs = "1 run" if number == 1 else f"{number} runs"
            found.append(
                f"{runs} of {name} left out: the first request of a process loads what later ones "
                "find loaded"
            )
    if wanted := more_runs(wall):
        found.append(f"To see a difference of 5 %, about {wanted} runs each would be needed")
    slower = _slower([*a, *b])
    if slower and wall.outcome in {"less", "more", "same"}:
        found.append(
            f"The times hold what measuring costs: {slower}. Without it, the change in percent may "
            "be another, its direction hardly"
        )
    return found


def of_times(timed: Sequence[Measured], machine: float | None) -> list[str]:
    """What the times say against each other; ``machine`` as in ``machine.speed``."""
    found: list[str] = []
    wall = timed[0]
    if wall.outcome not in {"less", "more"}:
        return found
    if machine is not None and abs(machine - 1) >= _MACHINE:
        more = "more" if machine > 1 else "less"
        with_it = (machine > 1) == (wall.outcome == "more")
        found.append(
            f"Code that did not change took {abs(machine - 1) * 100:.0f} % {more} time in B: "
            + (
                "part of the difference is the machine's"
                if with_it
                else "on an equally busy machine the difference would be larger"
            )
        )
    cpu = next((one for one in timed if one.name == "cpu_ms"), None)
    if cpu is not None and cpu.outcome == "same":
        found.append(
            "The CPU time shows no difference: what changed is waiting, for databases, other "
            "services, or a turn on a busy machine"
        )
    return found


def _slower(captures: Sequence[Capture]) -> str:
    for capture in captures:
        for instrument, told in capture.overhead.engines.items():
            ends = told.get("slower")
            if isinstance(ends, (list, tuple)) and len(ends) == 2 and ends[1] > 1.2:
                return (
                    f"{instrument} by {told.get('engine')} makes Python code up to "
                    f"{ends[1]:.1f} times slower"
                )
    return ""
