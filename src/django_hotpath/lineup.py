"""Which instruments run together now, in which order, and whose engines are held for them."""

from __future__ import annotations

from collections.abc import Sequence

from django_hotpath import locks
from django_hotpath.conflicts import refusals
from django_hotpath.instruments.base import Instrument
from django_hotpath.instruments.registry import Spec, choose

Chosen = list[tuple[type[Instrument], Spec]]


class Lineup:
    """Of one capture. What ``choose`` took is held until ``release``, also where it refuses."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self.warnings: list[str] = []
        """Why optional ones do not run."""
        self._specs = tuple(specs)
        self._locked: list[str] = []

    def choose(self) -> tuple[Chosen, list[str]]:
        """Those that run, in the order of their starts, and why they cannot; one is empty."""
        classes: Chosen = []
        reasons: list[str] = []
        for spec in self._specs:
            cls, reason = choose(spec)
            if cls is None:
                (self.warnings if spec.optional else reasons).append(reason or spec.name)
            else:
                classes.append((cls, spec))
        self.warnings += _leave_out(classes)
        reasons += refusals([cls for cls, _spec in classes])
        reasons = reasons or self._take(classes)
        if reasons:
            return [], reasons
        # The dearest goes innermost: it starts last and stops first.
        return sorted(classes, key=lambda pair: _COST_ORDER.get(pair[0].name, 5)), []

    def _take(self, classes: Chosen) -> list[str]:
        """Why one that must run cannot; optional ones that cannot are taken out of the list."""
        for cls, spec in list(classes):
            reason = self._take_one(cls)
            if reason is not None and not spec.optional:
                return [reason]
            if reason is not None:
                classes.remove((cls, spec))
                self.warnings.append(reason)
        return []

    def _take_one(self, cls: type[Instrument]) -> str | None:
        engine = cls.process_wide
        if engine is not None and not locks.acquire(engine):
            return f"{cls.name} ({cls.engine}): another capture is using it just now"
        busy = cls.busy()
        if engine is not None and busy is None:
            self._locked.append(engine)
        elif engine is not None:
            locks.release(engine)
        return None if busy is None else f"{cls.name} ({cls.engine}): {busy}"

    def take_turn(self, instrument: Instrument) -> bool:
        """Whether it may run for a step of a stream, until ``release``."""
        engine = instrument.process_wide
        if engine is not None and not locks.acquire(engine):
            return False
        if engine is not None:
            self._locked.append(engine)
        return instrument.busy() is None

    def release(self) -> None:
        while self._locked:
            locks.release(self._locked.pop())


_COST_ORDER = {
    "gc": 1,
    "queries": 2,
    "cache": 3,
    "templates": 4,
    "http": 4.5,
    "usage": 5,
    "objects": 7,
    "samples": 7,
    "lines": 7,
    # Inside what takes memory to start and frees it, outside what would record the reading.
    "memory": 7.5,
    "allocations": 8,
    # It looks whether allocations are traced.
    "line_memory": 8.5,
    # Its view is the one that others have not wrapped.
    "middleware": 8.6,
    # What the others take to start and stop is no part of the steps that it times.
    "eventloop": 8.8,
    "calls": 9,
}


def _leave_out(classes: Chosen) -> list[str]:
    """Takes optional ones that conflict with others out of the list, and says so."""
    reasons = []
    for cls, spec in reversed(list(classes)):
        others = [other for other, _spec in classes if other is not cls]
        refused = set(refusals([cls, *others])) - set(refusals(others))
        if spec.optional and refused:
            classes.remove((cls, spec))
            reasons += sorted(refused)
    return reasons
