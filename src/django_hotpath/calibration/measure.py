"""How many times slower an engine makes code: a few tiny workloads, bare and under it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from statistics import median
from time import get_clock_info, perf_counter_ns, process_time_ns, thread_time_ns

from django_hotpath import locks
from django_hotpath.calibration.workloads import WORKLOADS, Work
from django_hotpath.instruments.base import Active, Instrument, Session, current

Range = tuple[float, float]

ROUNDS = 7
# A slow engine does with fewer rounds, so that all of it takes less than half a second.
_ENOUGH_NS = 300_000_000
_MIN_ROUNDS = 2


class NotNow(Exception):
    """Somebody else uses the engine, or a capture begins: it may be tried again later."""


def slowdown(
    cls: type[Instrument],
    target: str | None = None,
    *,
    before_run: Callable[[], object] = lambda: None,
    works: Sequence[Work] = WORKLOADS,
    clock: Callable[[], int] | None = None,
) -> Range:
    """From and to how many times slower, by workload: the median of the runs under the engine by
    the median of those without, made in turns.

    ``before_run`` is called before each run, and raises ``NotNow`` to end it. Raises ``NotNow``
    too when the engine is taken, and whatever the engine raises.
    """
    clock = clock or cpu_clock(cls)
    runs: tuple[Callable[[Work], int], ...] = (
        functools.partial(_bare, clock=clock),
        functools.partial(_under, cls, target, clock=clock),
    )
    # Medians: the quickest runs under a sampler are those in which it took no sample.
    taken: list[tuple[list[int], list[int]]] = [([], []) for _ in works]
    began = perf_counter_ns()
    for number in range(ROUNDS):
        if number >= _MIN_ROUNDS and perf_counter_ns() - began > _ENOUGH_NS:
            break
        for work, times in zip(works, taken, strict=True):
            for run, of_run in zip(runs, times, strict=True):
                before_run()
                of_run.append(run(work))
    ratios = [median(under) / max(median(bare), 1) for bare, under in taken]
    # Quicker than without is noise.
    return round(max(min(ratios), 1.0), 2), round(max(*ratios, 1.0), 2)


def cpu_clock(cls: type[Instrument]) -> Callable[[], int]:
    """CPU time, which other processes do not disturb; wall time where it is too coarse."""
    if get_clock_info("thread_time").resolution > _FINE_SECONDS:
        return perf_counter_ns
    # A sampler does its work in a thread of its own, everybody else in the one that is measured.
    return process_time_ns if cls.name == "samples" else thread_time_ns


_FINE_SECONDS = 1e-5


def _bare(work: Work, *, clock: Callable[[], int]) -> int:
    began = clock()
    work()
    return clock() - began


def _under(
    cls: type[Instrument], target: str | None, work: Work, *, clock: Callable[[], int]
) -> int:
    engine = cls.process_wide
    if engine is not None and not locks.acquire(engine):
        raise NotNow(f"{engine} is in use")
    try:
        if busy := cls.busy():
            raise NotNow(busy)
        return _run(cls(Session(subject=work), target), work, clock)
    finally:
        if engine is not None:
            locks.release(engine)


def _run(instrument: Instrument, work: Work, clock: Callable[[], int]) -> int:
    active = Active(instrument, None)
    token = current.set(active)
    try:
        with instrument:
            active[instrument.name] = instrument
            if instrument.warnings:
                # It does not measure as usual: tracemalloc was tracing already, say.
                raise NotNow(instrument.warnings[0])
            return _bare(work, clock=clock)
    finally:
        active.closed = True
        active.clear()
        current.reset(token)
