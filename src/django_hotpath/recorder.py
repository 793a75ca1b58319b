"""Runs instruments around a piece of work and gives back a capture.

Nothing in here may change what the work answers or raises: every call to an instrument is
guarded, and one that fails is dropped with a warning in the capture.
"""

from __future__ import annotations

import datetime
import logging
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django_hotpath import locks, redact
from django_hotpath.analysis.findings import find
from django_hotpath.capture import Capture, Overhead, RequestInfo, Timing, new_id
from django_hotpath.disturbances import SLOWED_BY_TRACING, disturbances
from django_hotpath.environment import describe as describe_environment
from django_hotpath.instruments.base import Active, Instrument, Session, clock, current, to_ms
from django_hotpath.instruments.registry import Spec, choose
from django_hotpath.overlap import OverlapCounter
from django_hotpath.plain import describe_error, describe_object, shorten

logger = logging.getLogger("hotpath")


class Refused(Exception):
    """The instruments cannot run now, or not together; ``reasons`` are for a user to read."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


class Recorder:
    """One capture in the making.

    ``start`` raises ``Refused`` before anything runs. The work goes between ``start`` and
    ``stop``, a coroutine through ``Steps``; ``capture`` comes last.
    """

    def __init__(self, specs: Sequence[Spec], label: str) -> None:
        self.id = new_id()
        self.label = label
        self.session = Session()
        self.warnings: list[str] = []
        self.exception: dict[str, str] | None = None
        # Set by whoever knows that the CPU time of this thread is not that of the work.
        self.cpu_elsewhere = False
        self._specs = tuple(specs)
        self._instruments: list[Instrument] = []
        self._locked: list[str] = []
        self._active: Active | None = None
        self._overlap = OverlapCounter(self)
        # Our own time within the times shown, and before and after them.
        self._inside_ns = 0
        self._outside_ns = 0
        self._started_at = ""
        self._cpu_ns = 0
        self._cpu_began: int | None = None
        self._wall_ns = 0

    def start(self) -> None:
        entered = clock()
        self._started_at = _utc_now()
        try:
            self._instruments = self._build()
        except BaseException:
            self._release()
            raise
        self._guard("disturbances", self._name_disturbances)
        self._guard("overlap", self._overlap.start)
        around = current.get()
        self._active = Active(self, around.alive() if around is not None else None)
        current.set(self._active)
        for instrument in list(self._instruments):
            if self._guard(instrument.name, instrument.start):
                if self._active.parent is not None:
                    instrument.outer = self._active.parent.get(instrument.name)
                self._active[instrument.name] = instrument
            else:
                self._instruments.remove(instrument)
        self.session.started_ns = clock()
        self._outside_ns += self.session.started_ns - entered
        self._cpu_began = time.thread_time_ns()

    def _name_disturbances(self) -> None:
        self.warnings += disturbances([instrument.name for instrument in self._instruments])

    def _build(self) -> list[Instrument]:
        classes: list[tuple[type[Instrument], Spec]] = []
        reasons = []
        for spec in self._specs:
            cls, reason = choose(spec)
            if cls is None:
                reasons.append(reason or spec.name)
            else:
                classes.append((cls, spec))
        reasons += _conflicts([cls for cls, _spec in classes])
        if not reasons:
            reasons = self._take(classes)
        if reasons:
            raise Refused(reasons)
        # The dearest goes innermost: it starts last and stops first.
        classes.sort(key=lambda pair: _COST_ORDER.get(pair[0].name, 5))
        return [cls(self.session, spec.target) for cls, spec in classes]

    def _take(self, classes: Sequence[tuple[type[Instrument], Spec]]) -> list[str]:
        for cls, _spec in classes:
            if cls.process_wide is not None:
                if not locks.acquire(cls.process_wide):
                    return [f"{cls.name} ({cls.engine}): another capture is using it just now"]
                self._locked.append(cls.process_wide)
            busy = cls.busy()
            if busy is not None:
                return [f"{cls.name} ({cls.engine}): {busy}"]
        return []

    def _release(self) -> None:
        while self._locked:
            locks.release(self._locked.pop())

    def pause(self) -> None:
        """What runs now in this context is somebody else's."""
        if self._cpu_began is not None:
            self._cpu_ns += time.thread_time_ns() - self._cpu_began
            self._cpu_began = None
        for instrument in reversed(self._instruments):
            self._guard(instrument.name, instrument.pause)
        self._leave_context()

    def resume(self) -> None:
        if self._active is None:
            return
        current.set(self._active)
        for instrument in self._instruments:
            self._guard(instrument.name, instrument.resume)
        self._cpu_began = time.thread_time_ns()

    def stop(self) -> None:
        """Safe to call twice."""
        active = self._active
        if active is None:
            return
        ended = clock()
        if self._cpu_began is not None:
            self._cpu_ns += time.thread_time_ns() - self._cpu_began
        self._wall_ns = ended - self.session.started_ns
        try:
            for instrument in reversed(self._instruments):
                instrument.closed = True
                self._guard(instrument.name, instrument.stop)
            self._guard("overlap", self._overlap.stop)
        finally:
            active.closed = True
            active.clear()
            self._leave_context()
            self._active = None
            self._release()
        self._outside_ns += clock() - ended

    def _leave_context(self) -> None:
        """Another capture may have begun inside this one and still run: then it stays."""
        active = self._active
        if active is not None and current.get() is active:
            current.set(active.parent.alive() if active.parent is not None else None)

    def note_exception(self, error: BaseException) -> None:
        """Never raises: whoever calls it is about to let the application's error go on."""
        name = type(error).__name__
        self.exception = {"type": name, "message": ""}
        self._guard("exception", lambda: self._note_message(name, error))

    def _note_message(self, name: str, error: BaseException) -> None:
        message = shorten(describe_object(error), 500)
        self.exception = {"type": name, "message": redact.message(message)}

    def capture(self, request: RequestInfo | None = None) -> Capture:
        """The record of what ran; call it after ``stop``."""
        entered = clock()
        instruments: dict[str, Any] = {}
        timing: dict[str, float] = {}
        for instrument in self._instruments:
            measured: dict[str, Any] = {}

            def collect(instrument: Instrument = instrument, into: Any = measured) -> None:
                into["timing"] = instrument.timing()
                into["result"] = instrument.result()

            if self._guard(instrument.name, collect):
                timing |= {
                    name: measured["timing"][name] for name in _TIMINGS & measured["timing"].keys()
                }
                instruments[instrument.name] = measured["result"]
            self.warnings += instrument.warnings
            self._inside_ns += instrument.overhead_ns
        self._instruments = []
        overlap = self._overlap.result(self._wall_ns)
        if overlap.requests and "calls" in instruments:
            self.warnings += _pollution(instruments["calls"], overlap.requests, overlap.share)
        names = set(instruments)
        if names & {"calls"} and names & SLOWED_BY_TRACING:
            self.warnings.append(
                "times are inflated: allocations were traced in the same run, which makes code "
                "3 to 10 times slower"
            )
        capture = Capture(
            id=self.id,
            started_at=self._started_at,
            label=self.label,
            request=request,
            timing=Timing(
                wall_ms=to_ms(self._wall_ns),
                cpu_ms=None if self.cpu_elsewhere else to_ms(self._cpu_ns),
                **timing,
            ),
            environment=describe_environment(tuple(dict.fromkeys(self.warnings))),
            overlap=overlap,
            instruments=instruments,
        )
        findings = find(capture)
        self._outside_ns += clock() - entered
        overhead = Overhead(
            hotpath_ms=to_ms(self._inside_ns), note=_overhead_note(to_ms(self._outside_ns), names)
        )
        return replace(capture, findings=findings, overhead=overhead)

    def _guard(self, name: str, action: Callable[[], object]) -> bool:
        try:
            action()
        except Exception as error:
            logger.exception("%s failed; the work goes on without it", name)
            self.warnings.append(f"{name} failed: {describe_error(error)}")
            return False
        return True


_TIMINGS = frozenset({"db_ms", "cache_ms", "template_ms", "gc_ms"})

# Memory is read outside everything else that allocates.
_COST_ORDER = {
    "memory": 0,
    "gc": 1,
    "queries": 2,
    "cache": 3,
    "templates": 4,
    "allocations": 8,
    "calls": 9,
}


def _conflicts(classes: Sequence[type[Instrument]]) -> list[str]:
    reasons = []
    for cls in classes:
        for other in classes:
            if {other.name, other.engine} & cls.conflicts:
                reasons.append(f"{cls.name} ({cls.engine}) cannot run beside {other.name}")
    return reasons


def _pollution(calls: dict[str, Any], requests: int, share: float) -> list[str]:
    if calls.get("engine") != "cprofile":
        return []
    from django_hotpath.instruments.engines.cprofile import SEES_ALL_THREADS

    if not SEES_ALL_THREADS:
        return []
    others = "1 other request" if requests == 1 else f"{requests} other requests"
    warning = (
        f"calls is polluted: {others} ran for {share:.0%} of the time, and on this Python cProfile "
        "sees every thread"
    )
    return [warning]


def _overhead_note(outside_ms: float, instruments: set[str]) -> str:
    own = "django-hotpath's own code within the times shown"
    notes = [own, f"{outside_ms:.1f} ms more before and after them"]
    if "calls" in instruments:
        notes.append("cProfile itself made Python code about 2 to 3 times slower")
    if "allocations" in instruments:
        notes.append("tracemalloc made allocating code 3 to 10 times slower")
    return "; ".join(notes)


def _utc_now() -> str:
    now = datetime.datetime.now(datetime.UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def on_request_exception(**kwargs: Any) -> None:
    """Django's signal for a view that raised: it answers with a 500, and we see only that."""
    active = current.get()
    error = sys.exc_info()[1]
    if active is not None and error is not None and isinstance(active.owner, Recorder):
        active.owner.note_exception(error)
