"""What measuring cost: our own time by instrument, and how much slower engines made the code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django_hotpath import calibration
from django_hotpath.analysis.slowdown import clauses
from django_hotpath.calibration import events
from django_hotpath.capture import Overhead
from django_hotpath.instruments.base import Instrument, clock, to_ms

Times = Counter[str]

# Pausing and resuming all of them, whenever async work is suspended.
RECORDER = "recorder"


class Receipt:
    """Nanoseconds of our own by instrument: before, within and after the times shown.

    ``before_ns`` and ``after_ns`` are all there was, also of what belongs to no instrument.
    """

    def __init__(self) -> None:
        self.before: Times = Counter()
        self.inside: Times = Counter()
        self.after: Times = Counter()
        self.before_ns = 0
        self.after_ns = 0
        self._used: list[tuple[type[Instrument], str | None]] = []

    def timing(self, into: Times, instrument: Instrument) -> _Timing:
        """Adds the time of a block."""
        return _Timing(into, instrument)

    def add(self, instrument: Instrument, result: Mapping[str, Any] | None) -> None:
        """One that ran: what it counted itself, and an estimate of what it could not see."""
        name = instrument.name
        self._used.append((type(instrument), instrument.target))
        self.inside[name] += instrument.overhead_ns
        if result is not None and type(instrument).__module__.startswith("django_hotpath."):
            self.inside[name] += events.count(name, result) * calibration.event_ns(name)

    def overhead(self, *, allowed: bool) -> Overhead:
        """``allowed``: see ``calibration.want``."""
        calibration.want(self._used, allowed=allowed)
        engines = {
            cls.name: {
                "engine": cls.engine,
                "slower": [found.low, found.high],
                "measured": found.measured,
            }
            for cls, target in self._used
            if (found := calibration.slower(cls, target)) is not None
        }
        inside, before, after = sum(self.inside.values()), self.before_ns, self.after_ns
        return Overhead(
            hotpath_ms=to_ms(inside),
            note=note(to_ms(before + after), engines),
            by_instrument={name: self._figures(name) for name in self._names()},
            before_ms=to_ms(before),
            after_ms=to_ms(after),
            engines=engines,
        )

    def _names(self) -> list[str]:
        names = [cls.name for cls, _target in self._used]
        return [*names, RECORDER] if self.inside[RECORDER] else names

    def _figures(self, name: str) -> dict[str, float]:
        return {
            "inside_ms": to_ms(self.inside[name]),
            "before_ms": to_ms(self.before[name]),
            "after_ms": to_ms(self.after[name]),
        }


class _Timing:
    __slots__ = ("_began", "_into", "_name")

    def __init__(self, into: Times, instrument: Instrument) -> None:
        self._into = into
        self._name = instrument.name

    def __enter__(self) -> None:
        self._began = clock()

    def __exit__(self, *error: object) -> None:
        self._into[self._name] += clock() - self._began


def note(outside_ms: float, engines: Mapping[str, Mapping[str, Any]]) -> str:
    """The receipt in a sentence."""
    parts = [
        "django-hotpath's own code within the times shown",
        f"{outside_ms:.1f} ms more before and after them",
        *clauses(engines),
    ]
    return "; ".join(parts)
