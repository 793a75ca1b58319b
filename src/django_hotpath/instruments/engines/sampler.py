"""``samples`` by a thread of our own that looks at the stack of the measured work."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import CodeType
from typing import Any, NamedTuple

from django_hotpath.instruments.base import Session, clock, current
from django_hotpath.instruments.engines import sampler_thread
from django_hotpath.instruments.engines.stack_look import Stack
from django_hotpath.instruments.engines.work_stack import (
    Base,
    base_of,
    frame_of_step,
    frames_at_start,
)
from django_hotpath.instruments.engines.worker_stacks import HandedOver, waits_for_async
from django_hotpath.instruments.samples import Samples, StackTree


class Interval(NamedTuple):
    """The work runs, in this thread, since ``began_ns``; it had run for ``before_ns`` by then.

    ``bases``: the frames that the work may begin in, by their ids.
    ``shared``: other tasks may run in the thread meanwhile.
    """

    thread: int
    bases: dict[int, Base]
    shared: bool
    began_ns: int
    before_ns: int

    def active_ns(self, now: int) -> int:
        return self.before_ns + now - self.began_ns

    def own_part(self, stack: Stack | None) -> list[CodeType] | None:
        """The codes since the work began; None when something else runs in the thread."""
        if stack is None:
            return None
        codes, frames = stack
        outside = [*frames[1:], id(None)]
        for depth, frame in enumerate(frames):
            base = self.bases.get(frame)
            if (
                base is not None
                and base.code is codes[depth]
                and base.outside in {None, outside[depth]}
            ):
                return codes[: depth + 1]
        return None


class ThreadSamples(Samples):
    engine = "thread"
    measures = (
        "Which stack the work was in, looked at every millisecond by a thread: where the time "
        "goes, waiting included, without slowing functions down."
    )
    cost = "5 to 15 % slower; meanwhile all threads of the process take turns more often"
    disturbed_by = (
        "Short or rare functions are rough, or missing. A stack can be seen only where Python lets "
        "go of it (calls, loops, waiting): time in a long C call is its caller's. Busy threads "
        "beside it make samples rarer. Of async work, the request's own task is sampled and what "
        "it hands to worker threads (sync_to_async, to_thread); not other tasks it starts, nor "
        "threads that it starts itself."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.tree = StackTree()
        # The capture in whose context workers run.
        self.capture: object = None
        # Replaced as a whole, never changed: that it is the same as before tells the sampler that
        # the work was neither suspended nor resumed while it looked.
        self.on: Interval | None = None
        self._began_ns = 0
        self._active_ns = 0
        # The two clocks at the last sample: while the work ran, and while it was suspended.
        self._seen_active = self._seen_waiting = 0
        # At the last look the thread waited for async work that it had handed over.
        self._waited = False

    @classmethod
    def available(cls) -> str | None:
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            return "cannot look at a running thread on a Python without the GIL"
        return super().available()

    @classmethod
    def check_target(cls, target: str) -> str | None:
        from django_hotpath.instruments.engines.vmprof import VmprofSamples

        problem = VmprofSamples.check_target(target)
        if problem is not None or target in cls.MODES:
            return problem
        # What stands in vmprof's way for the moment is said by the capture.
        reason = VmprofSamples.available()
        return f"samples:{target} needs the engine vmprof, which {reason}" if reason else None

    def start(self) -> None:
        if self.target not in {None, *self.MODES}:
            self.warnings.append(
                f"samples: {self.target} is measured by vmprof only, which could not be used "
                f"({_vmprof_reason()}); wall time was sampled instead"
            )
        self.capture = current.get()
        frames, shared = frames_at_start(sys._getframe(1))
        bases = {id(frame): base_of(frame) for frame in frames}
        del frames
        # Starting the thread may take a while, which is none of the work's.
        sampler_thread.add(self)
        self._began_ns = clock()
        self.on = Interval(sampler_thread.ident(), bases, shared, self._began_ns, 0)

    def stop(self) -> None:
        self.pause()
        sampler_thread.remove(self)
        self.capture = None

    def pause(self) -> None:
        on, self.on = self.on, None
        if on is not None:
            self._active_ns = on.active_ns(clock())

    def resume(self) -> None:
        if self.on is None:
            frame = frame_of_step(sys._getframe(1))
            bases = {} if frame is None else {id(frame): base_of(frame)}
            self.on = Interval(sampler_thread.ident(), bases, False, clock(), self._active_ns)
            sampler_thread.wake()

    def result(self) -> dict[str, Any]:
        return self._result(self.tree, "wall")

    # The sampler's thread calls what follows, ``on`` being what it was when the stacks were taken.

    def may_have_workers(self, on: Interval | None) -> bool:
        """The work is suspended, waited for async work just now, or is a task among others."""
        return on is None or on.shared or self._waited

    def count(
        self,
        now: int,
        on: Interval | None,
        own: list[CodeType] | None,
        workers: Sequence[HandedOver],
    ) -> None:
        """Adds what was seen at ``now``: the work's own stack, or else those of its workers.

        A sample stands for the time since the last one, of the sort it was taken in: running or
        suspended. Several workers at once share it, so that the sum is never more than the wall
        time. Suspended without any worker is waiting for something outside, and no sample.
        """
        if not self._began_ns:
            return
        active = on.active_ns(now) if on is not None else self._active_ns
        self._waited = own is not None and waits_for_async(own)
        stacks = _joined(own, workers if own is None or self._waited else ())
        if on is None:
            waiting = now - self._began_ns - active
            weight = max(waiting - self._seen_waiting, 0)
            self._seen_waiting = waiting
        else:
            weight = max(active - self._seen_active, 0)
            self._seen_active = active
        for stack in stacks:
            self.tree.add(stack[::-1], weight // len(stacks))


def _vmprof_reason() -> str:
    from django_hotpath.instruments.engines.vmprof import VmprofSamples

    return VmprofSamples.available() or VmprofSamples.unsuited() or "thread was asked for"


def _joined(own: list[CodeType] | None, workers: Sequence[HandedOver]) -> list[list[CodeType]]:
    """The stacks of the workers, on top of that of the thread which waits for them, if known."""
    waiting = [worker for worker in workers if worker.waits]
    running = [worker for worker in workers if not worker.waits]
    below = own or []
    if not running:
        return [worker.stack + below for worker in waiting] or ([own] if own else [])
    between = waiting[0].stack if len(waiting) == 1 else []
    return [worker.stack + (between if worker.from_sync else []) + below for worker in running]
