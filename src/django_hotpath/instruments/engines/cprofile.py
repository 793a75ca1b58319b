"""``calls`` by cProfile: callers and callees, no stacks."""

from __future__ import annotations

import asyncio
import cProfile
import functools
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from django_hotpath.instruments.base import Instrument, Session
from django_hotpath.instruments.calls import function_table
from django_hotpath.instruments.patching import SharedPatch, Stay
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
    own_task_only: ClassVar[bool] = True
    by_steps: ClassVar[bool] = True

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
        if SEES_ALL_THREADS:
            _patch.acquire()
            _running.add(self)
        try:
            self._profile.enable()
        except BaseException:
            self._leave()
            raise
        self._on = True

    def begin_stream(self) -> None:
        # Whoever runs between the chunks is not in the table.
        self._note_threads()

    def stop(self) -> None:
        self.pause()
        self._leave()
        self._note_threads()
        if self._stolen:
            self.warnings.append(
                "calls: another profiler took over while the work ran: the table is incomplete"
            )

    def _note_threads(self) -> None:
        ran = threads_that_ran(self._others) if self._others is not None else []
        self._others = None
        if ran:
            self.warnings.append(
                "calls: other threads ran meanwhile, and on this Python cProfile sees them: their "
                f"calls are in the table ({', '.join(ran[:5])})"
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
        if self._on or self._stolen:
            return
        if slot_holder() is not None:
            self._stolen = True
            return
        self._profile.enable()
        self._on = True

    def give_way(self) -> None:
        """The application starts a profiler of its own, which would raise beside this one."""
        if self._on:
            self._on = False
            self._stolen = True
            self._profile.disable()

    def _leave(self) -> None:
        if self in _running:
            _running.discard(self)
            _patch.release()

    def result(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "builtins": False,
            **function_table(self._profile.getstats()),
        }


_running: set[CProfileCalls] = set()


def _giving_way(original: Callable[..., Any], _stay: Stay) -> Callable[..., Any]:
    @functools.wraps(original)
    def enable(profile: cProfile.Profile, /, *args: Any, **kwargs: Any) -> Any:
        if all(profile is not ours._profile for ours in list(_running)):
            for ours in list(_running):
                ours.give_way()
        return original(profile, *args, **kwargs)

    return enable


# From Python 3.12 on a second profiler of the process is refused by an exception, which would be
# raised in whatever request starts one meanwhile.
_patch = SharedPatch(lambda: [(cProfile.Profile, "enable", _giving_way)])


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
