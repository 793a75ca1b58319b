"""What measuring cost, as one line of the report's head and what opens below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django_hotpath.analysis.slowdown import clauses, words
from django_hotpath.capture import Capture, Overhead
from django_hotpath.report.formats import decimal, ms, percent, share

# Named in the line; the others are below it.
_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Milliseconds of our own code, of one instrument."""

    name: str
    inside_ms: float
    before_ms: float
    after_ms: float


@dataclass(frozen=True, kw_only=True)
class Slowdown:
    """How many times slower an engine makes code, from and to."""

    name: str
    engine: str
    low: float
    high: float
    measured: bool

    @property
    def text(self) -> str:
        return words(self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class ReceiptView:
    line: str
    costs: tuple[Cost, ...]
    before_ms: float | None
    after_ms: float | None
    hotpath_ms: float
    slowed: tuple[Slowdown, ...]

    @property
    def unmeasured(self) -> bool:
        return any(not found.measured for found in self.slowed)


def receipt_view(capture: Capture) -> ReceiptView | None:
    """None for a capture that says nothing of what it cost."""
    overhead = capture.overhead
    if not overhead.by_instrument and not overhead.hotpath_ms:
        return None
    costs = tuple(sorted(_costs(overhead), key=lambda cost: -cost.inside_ms))
    slowed = tuple(_slowed(overhead))
    return ReceiptView(
        line="; ".join((_own(overhead, costs, capture.timing.wall_ms), *clauses(overhead.engines))),
        costs=costs,
        before_ms=overhead.before_ms,
        after_ms=overhead.after_ms,
        hotpath_ms=overhead.hotpath_ms,
        slowed=slowed,
    )


def _costs(overhead: Overhead) -> Iterator[Cost]:
    for name, times in overhead.by_instrument.items():
        yield Cost(
            name=name,
            inside_ms=times["inside_ms"],
            before_ms=times["before_ms"],
            after_ms=times["after_ms"],
        )


def _slowed(overhead: Overhead) -> Iterator[Slowdown]:
    for name, found in overhead.engines.items():
        low, high = found["slower"]
        yield Slowdown(
            name=name, engine=found["engine"], low=low, high=high, measured=found["measured"]
        )


def _own(overhead: Overhead, costs: tuple[Cost, ...], wall_ms: float) -> str:
    part = percent(share(overhead.hotpath_ms, wall_ms))
    text = f"{ms(overhead.hotpath_ms)} within the times shown ({part})"
    # What would read 0.00 says nothing.
    named = [cost for cost in costs if cost.inside_ms >= 0.005]
    if not named:
        return text
    listed = ", ".join(f"{cost.name} {decimal(cost.inside_ms)}" for cost in named[:_NAMED])
    return f"{text}: {listed}{' …' if len(named) > _NAMED else ''}"
