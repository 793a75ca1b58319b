"""The verdict on times: by statistics, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

from django_hotpath.analysis.compare.model import Measured, Outcome
from django_hotpath.analysis.compare.statistics import (
    ALPHA,
    Difference,
    difference,
    drift,
    enough,
    fewest_runs,
)
from django_hotpath.capture import Capture

LEAST = 0.02
"""Differences below are not called such, however certain: a process that starts anew has its
memory elsewhere, and is a little faster or slower for that alone."""

SCATTERED = 2.0
"""Where not even twice the time would show, "no difference" would promise too much."""

_TIMES: tuple[tuple[str, str], ...] = (
    ("wall_ms", "Wall time"),
    ("cpu_ms", "CPU time"),
    ("db_ms", "Database"),
    ("cache_ms", "Cache"),
    ("template_ms", "Templates"),
    ("gc_ms", "Garbage collector"),
)
# Of figures below, in milliseconds, the clock and the calls to it are a good part.
_TINY_MS = 0.05


def times(
    a: Sequence[Capture],
    b: Sequence[Capture],
    refused: str | None,
    machine: float | None = None,
) -> list[Measured]:
    """One for each time that both sets have; ``refused`` says why they cannot be compared.

    ``machine``: how long unchanged code took in B, as a ratio of what it took in A.
    """
    found = []
    for name, label in _TIMES:
        before, after = _values(a, name), _values(b, name)
        # Where only some of the runs have it, nothing can be said of the sets.
        if len(before) != len(a) or len(after) != len(b):
            continue
        if name != "wall_ms" and max(*before, *after, 0.0, 0.0) == 0:
            continue
        found.append(measured(name, label, before, after, refused, machine))
    return found


def _values(captures: Sequence[Capture], name: str) -> list[float]:
    found = (getattr(capture.timing, name) for capture in captures)
    return [value for value in found if value is not None and math.isfinite(value)]


def measured(
    name: str,
    label: str,
    before: Sequence[float],
    after: Sequence[float],
    refused: str | None = None,
    machine: float | None = None,
) -> Measured:
    """The verdict on one time, from its values in the order of the runs."""
    values: dict[str, Any] = {
        "name": name,
        "label": label,
        "before": tuple(before),
        "after": tuple(after),
        "median_before": median(before) if before else None,
        "median_after": median(after) if after else None,
    }
    if refused is not None:
        return Measured(**values, outcome="refused", text=f"cannot be compared: {refused}")
    if not enough(len(before), len(after)):
        return Measured(**values, outcome="too_few", text=too_few(len(before), len(after)))
    found = difference(before, after)
    outcome, text = _judged(found, before, after, machine)
    return Measured(
        **values,
        outcome=outcome,
        text=text,
        p=found.p,
        change=_change(found.ratio),
        change_low=_change(found.ratio_low),
        change_high=_change(found.ratio_high),
        shift_ms=found.shift,
        shift_low_ms=found.shift_low,
        shift_high_ms=found.shift_high,
    )


def _change(ratio: float | None) -> float | None:
    return None if ratio is None else ratio - 1


def _judged(
    found: Difference, before: Sequence[float], after: Sequence[float], machine: float | None
) -> tuple[Outcome, str]:
    runs = runs_each(len(before), len(after))
    small = abs(found.shift) < _TINY_MS or (
        found.ratio is not None and abs(found.ratio - 1) < LEAST
    )
    if not found.certain or small:
        if (found.ratio_high or 0.0) > SCATTERED and not small:
            return "unclear", f"cannot tell: the runs differ too much among themselves ({runs})"
        return "same", f"no measurable difference ({_within(found)}; {runs})"
    more = found.shift > 0
    text = f"{_by(found)} ({runs})"
    if unsteady := _by_machine(found, machine) or _drifting(found, before, after):
        return "unclear", f"cannot tell: {unsteady}. Taken as it is: {text}"
    return ("more" if more else "less"), text


def too_few(before: int, after: int) -> str:
    runs = "one run each" if before == after == 1 else runs_each(before, after)
    return f"{runs}: cannot tell time ({needed(before, after)})"


def needed(before: int, after: int) -> str:
    """How many runs lead to a verdict."""
    each = fewest_runs()
    if max(before, after) > each and min(before, after) > 0:
        return f"the smaller set needs {fewest_runs(max(before, after))} runs"
    return f"{each} runs each are the fewest that can, 10 tell more"


def runs_each(before: int, after: int) -> str:
    one = "1 run" if before == 1 else f"{before} runs"
    return f"{one} each" if before == after else f"{before} and {after} runs"


def _by(found: Difference) -> str:
    """``faster by 41 to 48 %``."""
    low, high = found.ratio_low, found.ratio_high
    word = "slower" if found.shift > 0 else "faster"
    if low is None or high is None:
        least, most = sorted((abs(found.shift_low), abs(found.shift_high)))
        return f"{word} by {_range(least, most, 2)} ms"
    if low >= 2:
        return f"{_range(low, high, 1)} times as slow"
    least, most = sorted((abs(1 - low) * 100, abs(1 - high) * 100))
    return f"{word} by {_range(least, most, 0 if least >= 3 else 1)} %"


def _range(low: float, high: float, digits: int) -> str:
    first, last = f"{low:.{digits}f}", f"{high:.{digits}f}"
    return first if first == last else f"{first} to {last}"


def _within(found: Difference) -> str:
    if found.ratio_low is None or found.ratio_high is None:
        return f"within ±{max(abs(found.shift_low), abs(found.shift_high)):.2f} ms"
    most = max(abs(1 - found.ratio_low), abs(1 - found.ratio_high)) * 100
    return f"within ±{most:.0f} %" if most >= 9.95 else f"within ±{most:.1f} %"


def _by_machine(found: Difference, machine: float | None) -> str | None:
    """Whether the machine may be all that there is."""
    if machine is None or found.ratio is None:
        return None
    change, own = math.log(found.ratio), math.log(machine)
    if change * own <= 0 or abs(own) < abs(change) / 2:
        return None
    return (
        f"code that did not change took {abs(machine - 1) * 100:.0f} % "
        f"{'less' if machine < 1 else 'more'} time in B as well, so that the machine was busier "
        f"during {'A' if machine < 1 else 'B'}. Run both again when it is calm"
    )


def _drifting(found: Difference, before: Sequence[float], after: Sequence[float]) -> str | None:
    """Whether a trend within a set goes the same way and may be all that there is."""
    change = found.ratio - 1 if found.ratio is not None else None
    if change is None:
        return None
    for name, values in (("A", before), ("B", after)):
        trend = drift(values)
        same_way = trend.change * change > 0
        if trend.p <= ALPHA and same_way and abs(trend.change) >= abs(change) / 2:
            word = "slower" if trend.change > 0 else "faster"
            return (
                f"the runs of {name} became {word} one after the other, by about "
                f"{abs(trend.change) * 100:.0f} % in all, as much as would explain the difference"
            )
    return None


def more_runs(found: Measured, wanted: float = 0.05) -> int | None:
    """About how many runs each would show a difference of ``wanted`` as a share; None: these do.

    An interval narrows with the root of the number of runs.
    """
    if found.outcome != "same" or found.change_low is None or found.change_high is None:
        return None
    half = (found.change_high - found.change_low) / 2
    if half <= wanted:
        return None
    number = min(len(found.before), len(found.after)) * (half / wanted) ** 2
    return math.ceil(number / 5) * 5
