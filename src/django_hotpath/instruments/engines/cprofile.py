"""``calls`` by cProfile: callers and callees, no stacks."""

from __future__ import annotations

import asyncio
import cProfile
import sys
from typing import Any, ClassVar

from django_hotpath.instruments.base import Instrument, Session
from django_hotpath.instruments.calls import function_table
from django_hotpath.overlap import thread_states, threads_that_ran

SEES_ALL_THREADS = sys.version_info >= (3, 12)


class CProfileCalls(Instrument):
    name = "calls"
    engine = "cprofile"
    measures = "Every Python function called: how often, its own time, and with all it called."
    cost = "makes Python code 2 to 3 times slower while it runs"
    disturbed_by = (
        "Many small calls look slower than they are. On Python 3.12 and later cProfile sees every "
        "thread of the process: calls of other requests are in the table, and the report says when "
        "there were any. Time in built-in functions counts as own time of the caller."
    )
    process_wide: ClassVar[str | None] = "cprofile" if SEES_ALL_THREADS else None

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._profile = cProfile.Profile(builtins=False)
        self._on = False
        self._stolen = False
        self._others: dict[int, tuple[str, int | tuple[int, int]]] | None = None

    @classmethod
    def busy(cls) -> str | None:
        holder = slot_holder()
        return f"another profiler is active in this process ({holder})" if holder else None

    def start(self) -> None:
        if SEES_ALL_THREADS and not _in_event_loop():
            self._others = thread_states()
        self._profile.enable()
        self._on = True

    def stop(self) -> None:
        self.pause()
        ran = threads_that_ran(self._others) if self._others is not None else []
        if ran:
            self.warnings.append(
                "calls: other threads ran meanwhile, and on this Python cProfile sees them: their "
                f"calls are in the table ({', '.join(ran[:5])})"
            )
        if self._stolen:
            self.warnings.append(
                "calls: another profiler took over while the work ran: the table is incomplete"
            )

    def pause(self) -> None:
        if self._on:
            self._on = False
            # Before 3.12 the last profiler that is switched on has the slot, without a word.
            holder: object = sys.getprofile()
            if not SEES_ALL_THREADS and holder is not self._profile:
                self._stolen = True
                return
            self._profile.disable()

    def resume(self) -> None:
        if not self._on:
            self._profile.enable()
            self._on = True

    def result(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "builtins": False,
            **function_table(self._profile.getstats()),
        }


def _in_event_loop() -> bool:
    """Work of a task may go on in worker threads of its own: those are not others."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def slot_holder() -> str | None:
    """Who profiles now, by name: the process, or before Python 3.12 this thread."""
    if sys.version_info < (3, 12):
        holder = sys.getprofile()
        return None if holder is None else type(holder).__name__
    return sys.monitoring.get_tool(sys.monitoring.PROFILER_ID)
