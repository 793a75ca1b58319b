"""``samples`` by vmprof, whose timer looks at the stack from a signal handler.

vmprof's own ``disable`` is not used: it looks for the names of all code objects, which takes 10
to 20 ms and keeps some 575 KB each time. An address in its file is the ``id`` of a code object;
the file itself names those that were freed meanwhile.
"""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from types import CodeType
from typing import Any, ClassVar

from django_hotpath import locks
from django_hotpath.conf import settings
from django_hotpath.instruments.base import Session
from django_hotpath.instruments.engines.code_objects import by_address
from django_hotpath.instruments.engines.vmprof_file import read
from django_hotpath.instruments.engines.vmprof_signals import SignalState, in_use
from django_hotpath.instruments.engines.vmprof_work import (
    Interval,
    memory_over_time,
    own_samples,
)
from django_hotpath.instruments.engines.work_stack import frame_of_step, frames_at_start
from django_hotpath.instruments.samples import PERIOD_MS, Samples, StackTree

_PERIOD = PERIOD_MS / 1000
_DEEPER = "(deeper than vmprof sees)"

_PLATFORM, _VERSION = sys.platform, sys.version_info[:2]
_CRASHES = {
    (3, 11): "in tests on Python 3.11 it crashed the process 32 times in 81,000 samples",
    (3, 12): "in tests on Python 3.12 it crashed the process 77 times in 65,000 samples",
}
# Python frees the memory of a deep stack while the frame in it is still the current one, and the
# handler reads that: where a generator is made just there, again and again, that is soon.
_CRASHES_SINCE = (
    "in tests on Python 3.13 it crashed the process in 9 of 130 captures of deep stacks"
)


class VmprofSamples(Samples):
    engine = "vmprof"
    requires = "vmprof"
    extra = "vmprof"
    process_wide: ClassVar[str | None] = "vmprof"
    MODES = ("wall", "cpu", "memory")
    measures = (
        "Which stack the work was in, looked at every millisecond by vmprof: where the time goes, "
        "waiting included. samples:cpu leaves waiting out, samples:memory notes the memory of the "
        "process with each sample."
    )
    cost = "1 to 5 % slower"
    disturbed_by = (
        "Rare functions are rough, or missing. Only the thread that does the work is sampled, no "
        "other thread and no async work (the engine thread does that). It uses the signal SIGALRM "
        "(samples:cpu SIGPROF): code that sets an alarm of its own ends the sampling. "
        "samples:cpu gets a sample every 4 ms on most systems, whatever is asked."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.mode = target or "wall"
        self._vmprof: Any = None
        self._file = -1
        self._process = 0
        self._signals: SignalState | None = None
        self._now: Interval | None = None
        self._intervals: list[Interval] = []
        self._active_ns = 0
        self._ended_at = 0
        # Those that the work is inside of cannot be freed, and are known beforehand.
        self._known: dict[int, CodeType] = {}
        self._data = b""

    @classmethod
    def available(cls) -> str | None:
        return _unsafe() or super().available()

    @classmethod
    def busy(cls) -> str | None:
        if _in_event_loop():
            return "it cannot follow async work from task to task and into worker threads"
        if importlib.import_module("_vmprof").is_enabled():
            return "vmprof is already enabled in this process"
        return in_use(signal.ITIMER_REAL, signal.SIGALRM) or in_use(
            signal.ITIMER_PROF, signal.SIGPROF
        )

    @classmethod
    def unsuited(cls) -> str | None:
        if locks.taken(cls.process_wide or ""):
            return "another capture is using it just now"
        return cls.busy()

    @classmethod
    def check_target(cls, target: str) -> str | None:
        if target in cls.MODES:
            return None
        return f"samples takes {', '.join(cls.MODES)}, not {target!r}"

    def start(self) -> None:
        vmprof: Any = importlib.import_module("_vmprof")
        frames, _shared = frames_at_start(sys._getframe(1))
        outermost = frames[-1].f_back if frames else None
        while outermost is not None:
            frames.append(outermost)
            outermost = outermost.f_back
        codes = [frame.f_code for frame in reversed(frames)]
        del frames, outermost
        self._process = os.getpid()
        timer = signal.ITIMER_PROF if self.mode == "cpu" else signal.ITIMER_REAL
        self._signals = SignalState(timer, _PERIOD)
        self._file = _new_file()
        try:
            self._begin(codes, step=False)
            cpu, memory = self.mode == "cpu", self.mode == "memory"
            # file, seconds, memory, lines, native, real time
            vmprof.enable(self._file, _PERIOD, int(memory), 0, 0, int(not cpu))
        except BaseException:
            self._now = None
            self._close()
            self._signals.put_back()
            raise
        self._vmprof = vmprof
        self._signals.vmprof_is_on()
        _running.add(self)

    def stop(self) -> None:
        self.pause()
        vmprof, signals = self._vmprof, self._signals
        if vmprof is None or signals is None:
            return
        self._vmprof = None
        _running.discard(self)
        if os.getpid() != self._process:
            # A child of the process: vmprof is off here, and has closed the file.
            return
        try:
            signals.vmprof_goes_off()
            vmprof.disable()
            self._data = _contents(self._file)
        finally:
            signals.put_back()
            self._close()
        if signals.taken_over:
            self.warnings.append(
                "samples: the application set an alarm or timer of its own, which ended the "
                "sampling: what ran after that is missing"
            )

    def pause(self) -> None:
        interval, self._now = self._now, None
        if interval is None or self._vmprof is None or os.getpid() != self._process:
            return
        self._vmprof.stop_sampling()
        if self.mode != "cpu":
            self._vmprof.remove_real_time_thread()
        self._active_ns += self._clock() - interval.began_ns
        end = os.lseek(self._file, 0, os.SEEK_CUR)
        # One without samples is only time, else a million steps would be a million intervals.
        if end > self._ended_at:
            self._ended_at = end
            self._intervals.append(interval._replace(end_offset=end))

    def resume(self) -> None:
        if self._now is not None or self._vmprof is None or os.getpid() != self._process:
            return
        frame = frame_of_step(sys._getframe(1))
        codes = []
        while frame is not None:
            codes.append(frame.f_code)
            frame = frame.f_back
        self._begin(codes[::-1], step=True)
        if self.mode != "cpu":
            self._vmprof.insert_real_time_thread()
        self._vmprof.start_sampling()

    def abandon(self) -> None:
        """In a child of the process, where vmprof's handlers have come along without the rest."""
        if self._signals is not None:
            self._signals.put_back()

    def result(self) -> dict[str, Any]:
        samples, freed = read(self._data)
        self._data = b""
        own = list(own_samples(samples, self._intervals))
        wanted = {address for found in own for address in found.stack}
        codes = by_address(wanted, self._known, freed)
        tree = StackTree()
        for found in own:
            stack = [codes[address] for address in found.stack]
            tree.add([_DEEPER, *stack] if found.cut_off else stack, found.weight_ns)
        plain = self._result(tree, "cpu" if self.mode == "cpu" else "wall")
        if self.mode == "memory":
            plain["memory"] = memory_over_time(own)
        return plain

    def _begin(self, codes: Sequence[CodeType], *, step: bool) -> None:
        self._known.update((id(code), code) for code in codes)
        around = tuple(map(id, codes))
        if self._intervals and self._intervals[-1].around == around:
            around = self._intervals[-1].around
        self._now = Interval(_thread_state(), around, step, self._clock(), self._active_ns)

    def _clock(self) -> int:
        """The clock that vmprof reads for each sample."""
        cpu = self.mode == "cpu"
        return time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID if cpu else time.CLOCK_MONOTONIC)

    def _close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def _unsafe() -> str | None:
    if _PLATFORM not in {"linux", "darwin"}:
        return "works on Linux and macOS only"
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return "cannot look at a running thread on a Python without the GIL"
    if not settings.VMPROF_UNSAFE:
        return (
            f"is refused on Python {_VERSION[0]}.{_VERSION[1]}: "
            f"{_CRASHES.get(_VERSION, _CRASHES_SINCE)}. "
            'HOTPATH["VMPROF_UNSAFE"] = True allows it all the same'
        )
    return None


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _thread_state() -> int:
    """What vmprof writes to tell threads apart."""
    state = ctypes.pythonapi.PyThreadState_Get
    state.restype = ctypes.c_void_p
    return int(state() or 0)


def _new_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("hotpath-samples")
    file, path = tempfile.mkstemp(prefix="hotpath-samples-")
    os.unlink(path)
    return file


def _contents(file: int) -> bytes:
    size = os.lseek(file, 0, os.SEEK_END)
    os.lseek(file, 0, os.SEEK_SET)
    parts = []
    while size > 0 and (part := os.read(file, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


_running: set[VmprofSamples] = set()


def _after_fork_in_child() -> None:
    for samples in _running:
        samples.abandon()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
