"""``allocations`` by tracemalloc: what was allocated where and is still alive, and the peak."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import Any, ClassVar

from django_hotpath.instruments.allocation_groups import Traces, group, plain_groups, raw_traces
from django_hotpath.instruments.base import Instrument, Session
from django_hotpath.instruments.engines import tracemalloc_switch
from django_hotpath.instruments.memory import resident_set_size

MAX_FRAMES = 25
_COLLECT = "collect"


class TracemallocAllocations(Instrument):
    name = "allocations"
    engine = "tracemalloc"
    measures = (
        "Memory that Python allocated and still holds when the answer is ready, by line, by file "
        "and by traceback, and the peak meanwhile. allocations:10 keeps ten frames of each "
        "allocation; allocations:collect runs the garbage collector before and after."
    )
    cost = (
        "makes code that allocates 3 to 10 times slower, with ten frames 12 to 80 times: the times "
        "of such a run mean nothing"
    )
    disturbed_by = (
        "It traces the whole process: allocations of other requests count. Memory that extensions "
        "take from the operating system by themselves is not seen, nor what was freed of memory "
        "allocated before: an entry that takes an older one's place in a cache looks like growth. "
        "The answer itself is alive too. When tracing was on already, nothing is compared: a "
        "snapshot of a traced heap takes seconds."
    )
    process_wide: ClassVar[str | None] = "tracemalloc"
    takes_target = True

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        words = target.split(":") if target else []
        self._collect = _COLLECT in words
        self._nframe = next((int(word) for word in words if word.isdecimal()), 1)
        self._foreign = False
        self._sentinel: object = None
        self._traces: Traces | None = None
        self._traced_before = self._traced_after = self._peak = 0
        self._garbage: int | None = None
        self._rss_before: int | None = None
        self._blocks_before = self._blocks_after = 0
        self._modules = 0

    @classmethod
    def check_target(cls, target: str) -> str | None:
        words = target.split(":")
        numbers = [word for word in words if word != _COLLECT]
        fits = len(numbers) <= 1 and all(
            word.isascii() and word.isdecimal() and 1 <= int(word[:9]) <= MAX_FRAMES
            for word in numbers
        )
        if fits and len(words) == len(set(words)):
            return None
        return (
            f"allocations:{target} is not understood: write the number of frames to keep, 1 to "
            f"{MAX_FRAMES} (allocations:10), {_COLLECT}, or both (allocations:10:{_COLLECT})"
        )

    def start(self) -> None:
        if self._collect:
            gc.collect()
        self._rss_before = resident_set_size()
        self._blocks_before = sys.getallocatedblocks()
        self._modules = len(sys.modules)
        self._foreign = tracemalloc.is_tracing()
        if self._foreign:
            self.warnings.append(
                "allocations: tracemalloc was already tracing, so only its counters are shown; "
                "the peak is the highest since tracing began"
            )
        else:
            tracemalloc_switch.start(self._nframe)
            self._sentinel = object()
        self._traced_before, _ = tracemalloc.get_traced_memory()

    def stop(self) -> None:
        self._modules = len(sys.modules) - self._modules
        if not tracemalloc.is_tracing():
            self.warnings.append("allocations: the application stopped tracemalloc meanwhile")
            self._blocks_after = sys.getallocatedblocks()
            return
        self._traced_after, self._peak = tracemalloc.get_traced_memory()
        if self._collect:
            self._garbage = gc.collect()
        self._blocks_after = sys.getallocatedblocks()
        if self._foreign:
            return
        # A trace that does not know what we allocated first is not the one that we began.
        if tracemalloc.get_object_traceback(self._sentinel) is None:
            self._foreign = True
            self.warnings.append(
                "allocations: the application started tracemalloc anew or cleared its traces "
                "meanwhile: nothing can be compared, and its tracing is left on"
            )
            return
        try:
            self._traces = raw_traces(tracemalloc.take_snapshot())
        finally:
            tracemalloc_switch.stop()

    def result(self) -> dict[str, Any]:
        traces, self._traces = self._traces, None
        return {
            "engine": self.engine,
            "nframe": tracemalloc.get_traceback_limit() if self._foreign else self._nframe,
            "foreign": self._foreign,
            "traced_before": self._traced_before,
            "traced_after": self._traced_after,
            "traced_peak": self._peak,
            **plain_groups(group(traces or ())),
            "garbage": self._garbage,
            "rss_before": self._rss_before,
            "blocks_before": self._blocks_before,
            "blocks_after": self._blocks_after,
            "modules_loaded": max(self._modules, 0),
        }
