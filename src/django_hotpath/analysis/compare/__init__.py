"""Two sets of captures compared: what changed, by how much, and how sure that is.

Times are noisy, so that they are judged by statistics (``statistics.py``); queries, calls and
what else is counted are compared as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django_hotpath.analysis.compare import runs
from django_hotpath.analysis.compare.counts import counts
from django_hotpath.analysis.compare.findings import findings
from django_hotpath.analysis.compare.functions import functions, layers
from django_hotpath.analysis.compare.machine import speed
from django_hotpath.analysis.compare.model import Comparison
from django_hotpath.analysis.compare.queries import queries
from django_hotpath.analysis.compare.times import times
from django_hotpath.analysis.compare.verdict import notes, of_times, sentence
from django_hotpath.capture import Capture

__all__ = ["Comparison", "compare"]

Part = TypeVar("Part")


def compare(
    captures_a: Capture | Iterable[Capture], captures_b: Capture | Iterable[Capture]
) -> Comparison:
    """Compares B, the later code, with A; each is a capture or a set of captures of one request.

    First requests of a process are left out where a set has others. Time is judged from five runs
    each on, and only where both sets were measured by the same instruments and engines; everything
    else is compared with any number. Raises ``ValueError`` for an empty set.
    """
    a, cold_a = runs.warm(_ordered("A", captures_a))
    b, cold_b = runs.warm(_ordered("B", captures_b))
    refused = runs.refusal(a, b)
    problems: list[str] = []

    def part(name: str, build: Callable[[Sequence[Capture], Sequence[Capture]], Part]) -> Part:
        """Of captures that another version made, or that were edited by hand, the rest counts."""
        try:
            return build(a, b)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            problems.append(f"{name} cannot be compared: {type(error).__name__}: {error}"[:300])
            return build((), ())

    machine = part("Functions", speed) if refused is None else None
    timed = times(a, b, refused, machine)
    counted = part("What is counted", counts)
    parts: dict[str, Any] = {
        "layers": tuple(part("Layers", layers)),
        "functions": tuple(part("Functions", functions)),
        "queries": tuple(part("Queries", queries)),
        "findings": tuple(part("Findings", findings)),
    }
    return Comparison(
        verdict=sentence(timed[0], counted),
        outcome=timed[0].outcome,
        a=runs.side(a, cold_a),
        b=runs.side(b, cold_b),
        times=tuple(timed),
        counts=tuple(counted),
        **parts,
        cautions=(*dict.fromkeys(problems), *runs.cautions(a, b), *of_times(timed, machine)),
        notes=tuple(notes(timed[0], a, b, len(cold_a), len(cold_b))),
    )


def _ordered(name: str, captures: Capture | Iterable[Capture]) -> list[Capture]:
    found = runs.in_order([captures] if isinstance(captures, Capture) else captures)
    if not found:
        raise ValueError(f"{name} holds no capture")
    return found
