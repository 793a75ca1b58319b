"""The one thread that samples for all captures by ``thread``; it ends when nobody samples.

While it runs, Python's switch interval is short. At the usual 5 ms a sampler gets its turn only
where the work lets go of the interpreter by itself: in a page of many short queries it then saw
2 stacks in 600 ms, and 93 % of the time in queries that took 12 %. The interval belongs to the
whole process: no other request does anything else for it, threads only take turns more often.
"""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from time import thread_time_ns
from typing import TYPE_CHECKING

from django_hotpath.instruments.base import clock
from django_hotpath.instruments.engines.stack_look import Stack, look
from django_hotpath.instruments.engines.worker_stacks import HandedOver, handed_over
from django_hotpath.instruments.samples import PERIOD_MS
from django_hotpath.plain import describe_error

if TYPE_CHECKING:
    from django_hotpath.instruments.engines.sampler import ThreadSamples

logger = logging.getLogger("hotpath")

# A quarter of it, and the wait for a turn takes all the time that there is (measured).
SWITCH_INTERVAL = 0.000_02

_PERIOD_NS = int(PERIOD_MS * 1_000_000)
_PR_SET_TIMERSLACK, _SLACK_NS = 29, 1_000
# Deep stacks take long to look at: the sampler never works for more than a twentieth of the time.
# Its own clocks do not tell, they count the wait for a turn as well.
_FRAME_NS = 300
_WORK_SHARE = 20
# After that many looks in which all work was suspended it looks seldom, until some is resumed: a
# stream may stay open for hours.
_IDLE_LOOKS = 200
_IDLE_NS = 20_000_000
# No longer than a fork may wait for it.
_JOIN_SECONDS = 1.0


class _Sampler:
    def __init__(self) -> None:
        # Also held while stacks are added: a capture that was removed does not change any more.
        self._lock = threading.RLock()
        self._wake = threading.Lock()
        self._wake.acquire()
        self._watched: tuple[ThreadSamples, ...] = ()
        self._thread: threading.Thread | None = None
        self._ends = False
        self._idle = 0
        self.resting = False
        self._interval: float | None = None

    def add(self, samples: ThreadSamples) -> None:
        """Raises ``RuntimeError`` when no thread can be started."""
        with self._lock:
            self._watched = (*self._watched, samples)
            try:
                self._start()
                self.wake()
            except BaseException:
                self.remove(samples)
                raise

    def wake(self) -> None:
        with self._lock:
            if self.resting:
                self._work()
                self._wake.release()

    def remove(self, samples: ThreadSamples) -> None:
        with self._lock:
            self._watched = tuple(known for known in self._watched if known is not samples)
            if not self._watched:
                self.restore_interval()

    def restore_interval(self) -> None:
        usual, self._interval = self._interval, None
        # Somebody else may have set it meanwhile: then it is theirs.
        if usual is not None and abs(sys.getswitchinterval() - SWITCH_INTERVAL) < 1e-7:
            sys.setswitchinterval(usual)

    def before_fork(self) -> None:
        """Leaves no second thread of ours, of which Python would warn the application."""
        self._lock.acquire()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._ends = True
            if self._wake.locked():
                self._wake.release()
            self._lock.release()
            thread.join(_JOIN_SECONDS)
            self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        try:
            if self._watched:
                self._start()
        finally:
            self._lock.release()

    def _start(self) -> None:
        self._ends = False
        if not self.resting:
            self._work()
        if self._thread is None:
            self._wake.acquire(blocking=False)
            thread = threading.Thread(target=self._run, name="hotpath-sampler", daemon=True)
            thread.start()
            self._thread = thread

    def _work(self) -> None:
        self._idle = 0
        self.resting = False
        if self._interval is None:
            usual = sys.getswitchinterval()
            if usual > SWITCH_INTERVAL:
                self._interval = usual
                sys.setswitchinterval(SWITCH_INTERVAL)

    def _rest(self) -> None:
        self._idle += 1
        if self._idle == _IDLE_LOOKS:
            self.resting = True
            self.restore_interval()

    def _run(self) -> None:
        _wake_in_time()
        due = clock()
        while True:
            with self._lock:
                if self._ends or not self._watched:
                    self._thread = None
                    self.resting = False
                    return
                began, frames = clock(), 0
                try:
                    frames, busy = _look(self._watched)
                    if busy:
                        self._work()
                    else:
                        self._rest()
                except Exception as error:
                    self._give_up(error)
                period = _IDLE_NS if self.resting else _PERIOD_NS
            due += period
            if due < clock():
                # It had to wait for its turn: two looks in a row would see the same.
                due = began + period
            due = max(due, began + frames * _FRAME_NS * _WORK_SHARE)
            self._wake.acquire(timeout=max(due - clock(), 0) / 1_000_000_000)

    def _give_up(self, error: Exception) -> None:
        logger.exception("the sampler failed; the work goes on without it")
        for samples in self._watched:
            samples.warnings.append(f"samples ended early: {describe_error(error)}")
        self._watched = ()
        self.restore_interval()


def _look(watched: tuple[ThreadSamples, ...]) -> tuple[int, bool]:
    """Takes the stacks of this moment, gives each capture its own.

    How many frames it saw, and whether any of the work or of its workers runs.
    """
    worked = thread_time_ns()
    before = [(samples, samples.on) for samples in watched]
    everyone = any(samples.may_have_workers(on) for samples, on in before)
    stacks = look(None if everyone else {on.thread for _samples, on in before if on is not None})
    now = clock()
    # Suspended or resumed while the stacks were taken: whose they are cannot be told.
    sure = [(samples, on) for samples, on in before if samples.on is on]
    workers = _workers(stacks) if everyone else {}
    for samples, on in sure:
        own = on.own_part(stacks.get(on.thread)) if on is not None else None
        samples.count(now, on, own, workers.get(id(samples.capture), ()))
    share = (thread_time_ns() - worked) // len(watched)
    for samples in watched:
        samples.overhead_ns += share
    busy = bool(workers) or any(on is not None for _samples, on in sure)
    return sum(len(stack.codes) for stack in stacks.values()), busy


def _workers(stacks: Mapping[int, Stack]) -> dict[int, list[HandedOver]]:
    """What threads do for captures now, by the capture's id; also for those around a capture."""
    found: dict[int, list[HandedOver]] = {}
    for thread, stack in stacks.items():
        work = handed_over(thread, stack)
        active = work.active if work is not None else None
        while work is not None and active is not None:
            found.setdefault(id(active), []).append(work)
            active = active.parent
    return found


def _wake_in_time() -> None:
    """Linux lets a thread oversleep by 50 microseconds, more than the switch interval.

    A wait for the interpreter would last that long, and mostly end where the work lets go of it
    by itself. The setting is of this thread alone.
    """
    if sys.platform == "linux":
        with suppress(Exception):
            ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, _SLACK_NS, 0, 0, 0)


ident = threading.get_ident

_sampler = _Sampler()


def add(samples: ThreadSamples) -> None:
    _sampler.add(samples)


def wake() -> None:
    """Some work goes on."""
    if _sampler.resting:
        _sampler.wake()


def remove(samples: ThreadSamples) -> None:
    """The tree of these samples does not change any more."""
    _sampler.remove(samples)


def _after_fork_in_child() -> None:
    global _sampler
    _sampler.restore_interval()
    _sampler = _Sampler()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _sampler.before_fork(),
        after_in_parent=lambda: _sampler.after_fork_in_parent(),
        after_in_child=_after_fork_in_child,
    )
