"""``lines`` by line_profiler: where ``sys.monitoring`` is missing, or by name."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from threading import get_ident
from types import CodeType, FunctionType
from typing import Any, ClassVar

from asgiref.sync import iscoroutinefunction

from django_hotpath.instruments.base import Session
from django_hotpath.instruments.engines import line_events, thread_slot
from django_hotpath.instruments.engines.thread_slot import ThreadSlot
from django_hotpath.instruments.lines import FunctionTime, Lines, LineTime
from django_hotpath.instruments.target_code import Piece
from django_hotpath.overlap import thread_states, threads_that_ran

# From here on line_profiler works by sys.monitoring, which sees every thread, before by a trace
# function, which sees the one that it was switched on in.
MONITORS = sys.version_info >= (3, 12)


class LineProfilerLines(Lines):
    engine = "line_profiler"
    cost = (
        "makes the code that it is on for 2 to 7 times slower, from Python 3.12 on that of the "
        "whole process"
    )
    disturbed_by = (
        "On Python 3.12 and later it counts the lines of every thread: other requests that run the "
        "same code are in the figures. Nested functions, lambdas and generator expressions are not "
        "measured apart. On Python 3.13.0 functions of one line, lambdas among them, get no hits."
    )
    requires = "line_profiler"
    extra = "line"
    process_wide: ClassVar[str | None] = "line_profiler"
    follows_task: ClassVar[bool] = not MONITORS

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._profiler: Any = None
        self._slot: ThreadSlot | None = None
        # Whether the view runs in another thread now.
        self._elsewhere = False
        self._replaced: list[_Replaced] = []
        self._others: dict[int, tuple[str, int | tuple[int, int]]] | None = None
        self._timings: dict[tuple[str, int, str], list[tuple[int, int, int]]] = {}

    @classmethod
    def busy(cls) -> str | None:
        if MONITORS:
            return line_events.no_free_tool_id()
        holder = thread_slot.holder()
        return f"another tool traces this process ({holder})" if holder else None

    def prepare(self) -> None:
        self._profiler = _profiler()
        self._slot = ThreadSlot(_Switch(self._profiler, self.warnings))
        if MONITORS and not thread_slot.in_event_loop():
            self._others = thread_states()

    def measure(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            if piece.function is not None:
                replaced = _Replaced(piece.function)
                self._replaced.append(replaced)
                self._profiler.add_function(replaced)
            elif piece.named:
                self.warnings.append(
                    f"lines: line_profiler cannot measure {piece.code.co_qualname}, which is "
                    "running already or lies within another function: decorate a function with "
                    "profile() instead of using a block, or name one"
                )
        self.resume()

    def around_view(self, view: Callable[..., Any]) -> Callable[..., Any]:
        if self._slot is None:
            return view
        if not MONITORS:
            return self._slot.around(view)
        if iscoroutinefunction(view) or not thread_slot.in_event_loop():
            return view
        # It sees that thread as it is, if only it is left on while this one waits for it.
        self._elsewhere = True

        @functools.wraps(view)
        def measured(*args: Any, **kwargs: Any) -> Any:
            try:
                return view(*args, **kwargs)
            finally:
                self._elsewhere = False

        return measured

    def pause(self) -> None:
        if self._slot is not None and not self._elsewhere:
            self._slot.off()

    def resume(self) -> None:
        if self._slot is not None and self._replaced:
            self._slot.on()

    def finish(self) -> None:
        slot, self._slot = self._slot, None
        if slot is not None:
            slot.off()
        profiler, self._profiler = self._profiler, None
        if profiler is None:
            return
        for replaced in self._replaced:
            replaced.put_back()
        stats = profiler.get_stats()
        self._timings = dict(stats.timings)
        self._unit_ns = stats.unit * 1e9
        ran = threads_that_ran(self._others) if self._others is not None else []
        if ran:
            self.warnings.append(
                "lines: other threads ran meanwhile, and on this Python line_profiler counts their "
                f"lines too where they ran the same code ({', '.join(ran[:5])})"
            )

    def times(self) -> list[FunctionTime]:
        found = []
        for piece in self.pieces:
            if piece.function is None:
                continue
            lines: dict[int, LineTime] = {}
            code = piece.code
            for name in (code.co_qualname, code.co_name):
                key = (code.co_filename, code.co_firstlineno, name)
                for line, hits, time in self._timings.pop(key, ()):
                    lines[line] = LineTime(hits, round(time * self._unit_ns))
            found.append(FunctionTime(code, piece.named, None, lines))
        return found


class _Replaced:
    """A function as line_profiler takes it, which puts another code object into it for good."""

    def __init__(self, function: FunctionType) -> None:
        self._function = function
        self._original = function.__code__
        self._replacement: CodeType | None = None
        self.__name__ = function.__name__

    @property
    def __code__(self) -> CodeType:
        return self._function.__code__

    @__code__.setter
    def __code__(self, code: CodeType) -> None:
        self._function.__code__ = self._replacement = code

    def put_back(self) -> None:
        if self._function.__code__ is self._replacement:
            self._function.__code__ = self._original


def _profiler() -> Any:
    from line_profiler import LineProfiler

    # The id it would take is cProfile's.
    own = {"tool_id": line_events.free_tool_id()} if MONITORS else {}
    found: Any = type("Profiler", (LineProfiler,), own)()
    # Of the class, and never emptied: the code would grow with each capture, and threads that
    # the user's own line_profiler ran in would keep its tool id.
    found._all_paddings = dict(getattr(LineProfiler, "_all_paddings", {}))
    found._managers = {}
    return found


class _Switch:
    def __init__(self, profiler: Any, warnings: list[str]) -> None:
        self._profiler = profiler
        self._warnings = warnings
        self._held: dict[int, object] = {}

    def enable(self) -> None:
        self._profiler.enable()
        self._held[get_ident()] = sys.gettrace()

    def disable(self) -> None:
        held = self._held.pop(get_ident(), None)
        if MONITORS or sys.gettrace() is held:
            self._profiler.disable()
            return
        # Whoever traces now would be switched off.
        self._profiler._manager.active_instances.discard(self._profiler)
        self._warnings.append(
            "lines: another tool began to trace while the work ran: the figures are incomplete"
        )
