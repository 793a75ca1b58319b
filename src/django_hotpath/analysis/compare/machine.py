"""Whether the machine itself was faster for one set: by the code that did not change.

Two sets are made one after the other, and what else runs on the machine slows all of one set. No
statistics of the whole times can tell that from a change of the code. But most functions are
called as often in both sets, and do the same: they are the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from django_hotpath.analysis.compare.functions import Key, have_calls, identity
from django_hotpath.capture import Capture

# Fewer functions may all be those that were changed.
_FEWEST = 12
_LOOKED_AT = 60
# Kinds whose time is not the machine's: databases, caches and services have their own.
_ELSEWHERE = frozenset({"sql", "cache", "http"})


def speed(a: Sequence[Capture], b: Sequence[Capture]) -> float | None:
    """How long unchanged code took in B, as a ratio of what it took in A: 0.7 is 30 % less.

    The median of the functions with the most own time among those that were called equally often
    in every run. None where there are too few of them, or other versions ran the code.
    """
    if not have_calls([*a, *b]) or _versions(a) != _versions(b):
        return None
    before, after = _steady(a), _steady(b)
    alike = [
        (before[key][1], after[key][1])
        for key in before
        if key in after and before[key][0] == after[key][0]
    ]
    alike.sort(key=lambda times: -max(times))
    ratios = [now / was for was, now in alike[:_LOOKED_AT] if was > 0 and now > 0]
    return median(ratios) if len(ratios) >= _FEWEST else None


def _versions(captures: Sequence[Capture]) -> set[tuple[str, str]]:
    return {(found.environment.python, found.environment.django) for found in captures}


def _steady(captures: Sequence[Capture]) -> dict[Key, tuple[int, float]]:
    """Functions that every run called equally often: how often, and the median of own times."""
    calls: dict[Key, list[int]] = {}
    own: dict[Key, list[float]] = {}
    for capture in captures:
        here: dict[Key, tuple[int, float]] = {}
        for row in capture.instruments["calls"]["functions"]:
            if row["kind"] in _ELSEWHERE:
                continue
            key = identity(row)
            number, time = here.get(key, (0, 0.0))
            here[key] = number + row["calls"], time + row["own_ms"]
        for key, (number, time) in here.items():
            calls.setdefault(key, []).append(number)
            own.setdefault(key, []).append(time)
    return {
        key: (numbers[0], median(own[key]))
        for key, numbers in calls.items()
        if len(numbers) == len(captures) and len(set(numbers)) == 1
    }
