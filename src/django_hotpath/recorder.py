"""Runs instruments around a piece of work and gives back a capture.

Nothing in here may change what the work answers or raises: every call to an instrument is
guarded, and one that fails is dropped with a warning in the capture.
"""

from __future__ import annotations

import datetime
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django_hotpath import calibration, redact
from django_hotpath.analysis.findings import find
from django_hotpath.capture import Capture, RequestInfo, Timing, new_id
from django_hotpath.disturbances import disturbances, seen_afterwards
from django_hotpath.environment import describe as describe_environment
from django_hotpath.instruments.base import Active, Instrument, Session, clock, current, to_ms
from django_hotpath.instruments.registry import Spec
from django_hotpath.lineup import Lineup
from django_hotpath.overlap import OverlapCounter
from django_hotpath.plain import describe_error, describe_object, shorten
from django_hotpath.processor import Processor
from django_hotpath.receipt import RECORDER, Receipt

logger = logging.getLogger("hotpath")


class Refused(Exception):
    """The instruments cannot run now, or not together; ``reasons`` are for a user to read."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


class Recorder:
    """One capture in the making.

    ``start`` raises ``Refused`` before anything runs. The work goes between ``start`` and
    ``stop``, a coroutine through ``Steps``; ``capture`` comes last. Work that goes on after its
    answer is ready, chunk by chunk, goes between ``begin_stream`` and ``stop``, each chunk between
    ``resume`` and ``pause``.
    """

    def __init__(self, specs: Sequence[Spec], label: str) -> None:
        self.id = new_id()
        self.label = label
        self.session = Session()
        self.warnings: list[str] = []
        self.exception: dict[str, str] | None = None
        # Set by whoever knows that the CPU time of this thread is not that of the work.
        self.cpu_elsewhere = False
        # Set where nobody asked for this capture.
        self.automatic = False
        self._lineup = Lineup(specs)
        self._instruments: list[Instrument] = []
        # Those that may count time of their own when they are paused and resumed.
        self._counting: list[Instrument] = []
        self._switching_ns = 0
        self._active: Active | None = None
        self._overlap = OverlapCounter(self)
        self.receipt = Receipt()
        self._started_at = ""
        self._cpu_ns = 0
        self._cpu_began: int | None = None
        # None once the work was paused: what ran meanwhile was somebody else's.
        self._processor: Processor | None = Processor()
        self._wall_ns = 0
        # Until a stream began, and what was not the work's own time since.
        self.view_ns = 0
        self.waited_ns = 0
        self._in_stream = False
        self._missed: Counter[str] = Counter()

    def start(self) -> None:
        entered = clock()
        self._started_at = _utc_now()
        calibration.capture_began()
        try:
            self._start()
        except BaseException:
            self._undo_start()
            raise
        if self._processor is not None:
            self._processor.start()
        self.session.started_ns = clock()
        self.receipt.before_ns += self.session.started_ns - entered
        self._cpu_began = time.thread_time_ns()

    def _undo_start(self) -> None:
        active = self._active
        if active is None:
            self._lineup.release()
            calibration.capture_ended()
        else:
            self._instruments = [found for found in self._instruments if found.name in active]
            self.stop()

    def _start(self) -> None:
        classes, reasons = self._lineup.choose()
        self.warnings += self._lineup.warnings
        if reasons:
            raise Refused(reasons)
        self._instruments = [cls(self.session, spec.target) for cls, spec in classes]
        self._guard("disturbances", self._name_disturbances)
        self._guard("overlap", self._overlap.start)
        around = current.get()
        self._active = Active(self, around.alive() if around is not None else None)
        current.set(self._active)
        for instrument in list(self._instruments):
            with self.receipt.timing(self.receipt.before, instrument):
                started = self._guard(instrument.name, instrument.start)
            if started:
                if self._active.parent is not None:
                    instrument.outer = self._active.parent.get(instrument.name)
                self._active[instrument.name] = instrument
            else:
                self._instruments.remove(instrument)
        self._counting = [found for found in self._instruments if found.follows_task]
        around = self._active
        while around is not None and not self.session.frames:
            self.session.frames = not _SEE_FRAMES.isdisjoint(around)
            around = around.parent

    def _name_disturbances(self) -> None:
        found = self._instruments
        self.warnings += disturbances([name for each in found for name in (each.name, each.engine)])

    def own_task_only(self) -> list[str]:
        """Engines that miss the tasks and worker threads of the work."""
        return [found.engine for found in self._instruments if found.own_task_only]

    def pause(self, *, between_chunks: bool = False) -> None:
        """What runs now in this context is somebody else's.

        ``between_chunks``: whoever calls it counts the time that it takes (``spent``).
        """
        if self._in_stream and self._cpu_began is None:
            return
        began = self._own_clock()
        self._processor = None
        if self._cpu_began is not None:
            self._cpu_ns += time.thread_time_ns() - self._cpu_began
            self._cpu_began = None
        for instrument in reversed(self._instruments):
            if instrument.closed:
                continue
            if not self._guard(instrument.name, instrument.pause) and self._in_stream:
                self._end(instrument)
        self._leave_context()
        if self._in_stream:
            self._lineup.release()
        if not between_chunks:
            self._switching_ns += self._own_clock() - began

    def _own_clock(self) -> int:
        """Stands still while an instrument counts time of its own."""
        if not self._counting:
            return clock()
        return clock() - sum([found.overhead_ns for found in self._counting])

    def suspended(self) -> None:
        """The task is suspended, but the capture stays on: its work goes on in another thread."""
        for instrument in reversed(self._counting):
            if not instrument.closed:
                self._guard(instrument.name, instrument.pause)

    def continued(self) -> None:
        """The end of what ``suspended`` began."""
        if self._active is None:
            return
        for instrument in self._counting:
            if not instrument.closed:
                self._guard(instrument.name, instrument.resume)

    def resume(self, *, between_chunks: bool = False) -> None:
        """The end of what ``pause`` began."""
        if self._active is None:
            return
        began = self._own_clock()
        current.set(self._active)
        for instrument in self._instruments:
            if instrument.closed or (self._in_stream and not self._has_turn(instrument)):
                continue
            if not self._guard(instrument.name, instrument.resume) and self._in_stream:
                self._end(instrument)
        if not between_chunks:
            self._switching_ns += self._own_clock() - began
        self._cpu_began = time.thread_time_ns()

    def begin_stream(self) -> None:
        """The answer is ready, its body is made in steps from here on; between them it is paused.

        A stream may never end, and other captures need the engines that are of the whole process:
        those that can be switched on for a step take turns, the others stop here.
        """
        self.view_ns = clock() - self.session.started_ns
        self.pause()
        self._in_stream = True
        for instrument in reversed(self._instruments):
            if instrument.process_wide is not None and not instrument.by_steps:
                self._end(instrument)
                self.warnings.append(
                    f"{instrument.name} ended where the streaming began: it is of the whole "
                    "process, and would keep others from it for as long as the stream lasts"
                )
            else:
                self._guard(instrument.name, instrument.begin_stream)
        self._lineup.release()

    def _has_turn(self, instrument: Instrument) -> bool:
        if not instrument.by_steps or self._lineup.take_turn(instrument):
            return True
        self._missed[instrument.name] += 1
        return False

    def _end(self, instrument: Instrument) -> None:
        """Ends one instrument before the others."""
        instrument.closed = True
        with self.receipt.timing(self.receipt.after, instrument):
            self._guard(instrument.name, instrument.stop)

    def _end_all(self, instruments: list[Instrument]) -> None:
        """From the last one to the first, also those after one that was interrupted."""
        while instruments:
            instrument = instruments.pop()
            try:
                if not instrument.closed:
                    self._end(instrument)
            except BaseException:
                self._end_all(instruments)
                raise

    def stop(self) -> None:
        """Safe to call twice."""
        active = self._active
        if active is None:
            return
        ended = clock()
        if self._cpu_began is not None:
            self._cpu_ns += time.thread_time_ns() - self._cpu_began
        self._wall_ns = ended - self.session.started_ns - self.waited_ns
        if self._processor is not None:
            self._processor.stop()
        try:
            self._end_all(list(self._instruments))
        finally:
            self._guard("overlap", self._overlap.stop)
            active.closed = True
            active.clear()
            self._leave_context()
            self._active = None
            self._lineup.release()
            calibration.capture_ended()
        self.receipt.after_ns += clock() - ended

    def _leave_context(self) -> None:
        """Another capture may have begun inside this one and still run: then it stays."""
        active = self._active
        if active is not None and current.get() is active:
            current.set(active.parent.alive() if active.parent is not None else None)

    def _processor_timing(self) -> dict[str, float]:
        found = self._processor
        if found is None or self.cpu_elsewhere:
            return {}
        timing = {"process_cpu_ms": to_ms(found.process_ns)}
        if found.queued_ns is not None:
            timing["queued_ms"] = to_ms(found.queued_ns)
        return timing

    @property
    def wall_ms(self) -> float:
        """After ``stop``; before it, what there was until a stream began."""
        return to_ms(self._wall_ns or self.view_ns)

    def timing(self) -> dict[str, float]:
        """What the instruments contribute to the capture's ``timing``, before it is built."""
        found: dict[str, float] = {}
        for instrument in self._instruments:
            self._guard(instrument.name, lambda of=instrument: found.update(of.timing()))  # type: ignore[misc]
        return {name: found[name] for name in _TIMINGS & found.keys()}

    def measuring(self, name: str) -> Instrument | None:
        """The instrument of that name, as long as the capture is not built."""
        return next((found for found in self._instruments if found.name == name), None)

    def spent(self, nanoseconds: int) -> None:
        """Time of our own code that is not within the times shown."""
        self.receipt.after_ns += nanoseconds

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

            with self.receipt.timing(self.receipt.after, instrument):
                collected = self._guard(instrument.name, collect)
            if collected:
                timing |= {
                    name: measured["timing"][name] for name in _TIMINGS & measured["timing"].keys()
                }
                instruments[instrument.name] = measured["result"]
            self.warnings += instrument.warnings
            self.receipt.add(instrument, instruments.get(instrument.name))
        self._instruments = []
        self.warnings += [
            f"{name}: {missed:,} of the steps of the stream were not measured: another capture or "
            "profiler was using the engine just then"
            for name, missed in self._missed.items()
        ]
        overlap = self._overlap.result(self._wall_ns + self.waited_ns)
        self.warnings += seen_afterwards(instruments, overlap)
        capture = Capture(
            id=self.id,
            started_at=self._started_at,
            label=self.label,
            request=request,
            timing=Timing(
                wall_ms=to_ms(self._wall_ns),
                cpu_ms=None if self.cpu_elsewhere else to_ms(self._cpu_ns),
                **self._processor_timing(),
                **timing,
            ),
            environment=describe_environment(tuple(dict.fromkeys(self.warnings))),
            overlap=overlap,
            instruments=instruments,
            automatic=self.automatic,
        )
        findings = find(capture)
        self.receipt.after_ns += clock() - entered
        self.receipt.inside[RECORDER] = max(self._switching_ns, 0)
        overhead = self.receipt.overhead(allowed=request is not None)
        return replace(capture, findings=findings, overhead=overhead)

    def _guard(self, name: str, action: Callable[[], object]) -> bool:
        try:
            action()
        except Exception as error:
            logger.exception("%s failed; the work goes on without it", name)
            self.warnings.append(f"{name} failed: {describe_error(error)}")
            return False
        return True


_SEE_FRAMES = frozenset({"calls", "samples"})

_TIMINGS = frozenset({"db_ms", "cache_ms", "template_ms", "http_ms", "gc_ms"})


def _utc_now() -> str:
    now = datetime.datetime.now(datetime.UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def on_request_exception(**kwargs: Any) -> None:
    """Django's signal for a view that raised: it answers with a 500, and we see only that."""
    active = current.get()
    error = sys.exc_info()[1]
    if active is not None and error is not None and isinstance(active.owner, Recorder):
        active.owner.note_exception(error)
