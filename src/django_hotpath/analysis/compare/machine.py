"""Whether the machine itself was faster for one set: by the code that did not change.

Two sets are made one after the other, and what else runs on the machine slows all of one set. No
statistics of the whole times can tell that from a change of the code. But most functions are
called as often in both sets, and do the same: they are the control.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from django_hotpath.analysis.compare.functions import Key, have_calls, identity
from django_hotpath.capture import Capture

# Fewer functions may all be those that were changed.
_FEWEST = 12
# A change of the code shows in few functions: those that differ most are not asked.
_LEFT_OUT = 5
# Kinds whose time is not the machine's: databases, caches and services have their own.
_ELSEWHERE = frozenset({"sql", "cache", "http"})


def speed(a: Sequence[Capture], b: Sequence[Capture]) -> float | None:
    """How long unchanged code took in B, as a ratio of what it took in A: 0.7 is 30 % less.

    By the own time of the functions that were called equally often in every run, without those
    that differ most. A turn that the process had to wait for may hit any function, so that only
    many of them together tell. None where there are too few, or other versions ran the code.
    """
    if not have_calls([*a, *b]) or _versions(a) != _versions(b):
        return None
    before, after = _steady(a), _steady(b)
    alike = [
        (before[key][1], after[key][1])
        for key in before
        if key in after and before[key][0] == after[key][0]
    ]
    alike.sort(key=lambda times: abs(times[1] - times[0]))
    alike = alike[: len(alike) - _LEFT_OUT]
    was, now = (sum(column) for column in zip(*alike, strict=True)) if alike else (0.0, 0.0)
    return now / was if len(alike) >= _FEWEST and was > 0 and now > 0 else None


def _versions(captures: Sequence[Capture]) -> set[tuple[str, str]]:
    return {(found.environment.python, found.environment.django) for found in captures}


def _steady(captures: Sequence[Capture]) -> dict[Key, tuple[int, float]]:
    """Functions that every run called equally often: how often, and the mean of own times."""
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
        key: (numbers[0], mean(own[key]))
        for key, numbers in calls.items()
        if len(numbers) == len(captures) and len(set(numbers)) == 1
    }
