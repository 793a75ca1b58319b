"""``line_memory`` by memory_profiler: where ``sys.monitoring`` is missing, or by name.

It is switched on and off by its own means, and reads memory by them. The lines are counted here:
its own trace function takes the line before for one of the same function, so that functions that
call each other get the memory of the whole process as their increment; and it looks at every line
of every function, where only some are asked for.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Sequence
from threading import get_ident
from types import CodeType, FrameType
from typing import Any, ClassVar

from django_hotpath.instruments.base import Session, importable
from django_hotpath.instruments.engines import thread_slot
from django_hotpath.instruments.engines.line_growth import Growth, TracingStopped, growths
from django_hotpath.instruments.engines.line_memory_monitoring import DISTURBED_BY
from django_hotpath.instruments.engines.line_state import State, Track
from django_hotpath.instruments.engines.thread_slot import ThreadSlot
from django_hotpath.instruments.line_memory import FunctionGrowth, LineMemory
from django_hotpath.instruments.memory_reading import Reader, Traced
from django_hotpath.instruments.target_code import Piece
from django_hotpath.plain import describe_error

_GENERATOR = 0x20 | 0x80 | 0x100 | 0x200


class MemoryProfilerLineMemory(LineMemory):
    engine = "memory_profiler"
    cost = "20 to 50 microseconds for each line, and about one for each function called anywhere"
    disturbed_by = DISTURBED_BY
    requires = "memory_profiler"
    extra = "memory"
    process_wide: ClassVar[str | None] = "memory_profiler"
    follows_task: ClassVar[bool] = True

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._codes: dict[int, CodeType] = {}
        self._states: dict[tuple[int, int], State] = {}
        self._growth: Growth | None = None
        self._slot: ThreadSlot | None = None
        self._tracer: Any = None
        self._frames: list[FrameType] = []

    @classmethod
    def available(cls) -> str | None:
        missing = super().available()
        if missing is None and not importable("psutil"):
            return f'needs psutil: python -m pip install "django-hotpath[{cls.extra}]"'
        return missing

    @classmethod
    def busy(cls) -> str | None:
        holder = thread_slot.holder()
        if holder is None:
            return None
        return f"another tool traces this process ({holder}), memory_profiler would see no line"

    def prepare(self) -> None:
        self._growth = Growth(self.open())
        self._tracer = _tracer(self._on_event, self.warnings)
        self._slot = ThreadSlot(self._tracer)

    def make_reader(self) -> Reader:
        return Traced() if tracemalloc.is_tracing() else _Psutil()

    def measure(self, pieces: Sequence[Piece]) -> None:
        self._codes |= {id(piece.code): piece.code for piece in pieces}
        self._trace_running([piece.code for piece in pieces if piece.function is None])
        self.resume()

    def _trace_running(self, codes: Sequence[CodeType]) -> None:
        """A block that is running has been entered before anybody traced."""
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame.f_code in codes and frame.f_trace is None:
                frame.f_trace = self._tracer.trace_memory_usage
                self._frames.append(frame)
            frame = frame.f_back

    def around_view(self, view: Callable[..., Any]) -> Callable[..., Any]:
        return view if self._slot is None else self._slot.around(view)

    def pause(self) -> None:
        if self._slot is not None:
            self._slot.off()

    def resume(self) -> None:
        if self._slot is not None and self._codes:
            self._slot.on()

    def finish(self) -> None:
        self.pause()
        self._slot = None
        while self._frames:
            self._frames.pop().f_trace = None
        self._codes = {}
        self.close_reader()

    def _on_event(self, frame: FrameType, event: str) -> bool:
        """Whether the lines of this frame are wanted."""
        code = frame.f_code
        if id(code) not in self._codes or self._growth is None:
            return False
        try:
            self._count(self._growth, self._state(code), frame, event)
        except TracingStopped:
            self._codes = {}
        except Exception as error:
            self._codes = {}
            self.warnings.append(f"{self.name} stopped before the end: {describe_error(error)}")
        return True

    def _state(self, code: CodeType) -> State:
        key = get_ident(), id(code)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = State(code, Track(key[0]))
        return state

    def _count(self, growth: Growth, state: State, frame: FrameType, event: str) -> None:
        if event == "line":
            growth.line(state, frame.f_lineno)
        elif event == "return":
            growth.leave(state)
        elif event == "call":
            code = frame.f_code
            if code.co_flags & _GENERATOR and frame.f_lineno != code.co_firstlineno:
                growth.enter(state, frame.f_lineno)
            else:
                state.calls += 1
                growth.enter(state)

    def growths(self) -> list[FunctionGrowth]:
        by_code: dict[int, list[State]] = {}
        for (_thread, code), state in self._states.items():
            by_code.setdefault(code, []).append(state)
        return growths(self.pieces, lambda code: by_code.get(id(code), []))


class _Psutil:
    """Resident memory as memory_profiler reads it."""

    unit: ClassVar[str] = "rss"

    def __init__(self) -> None:
        from memory_profiler import _get_memory

        self._get_memory = _get_memory

    def read(self) -> tuple[int, int]:
        size = round(self._get_memory(-1, "psutil") * 1024 * 1024)
        return size, size

    def close(self) -> None:
        return


def _tracer(on_event: Callable[[FrameType, str], bool], warnings: list[str]) -> Any:
    from memory_profiler import LineProfiler

    def trace_memory_usage(self: Any, frame: FrameType, event: str, _value: object) -> Any:
        return self.trace_memory_usage if on_event(frame, event) else None

    def disable(self: Any) -> None:
        # Whoever traces by now would be switched off.
        if sys.gettrace() == self.trace_memory_usage:
            LineProfiler.disable(self)
        else:
            warnings.append(
                "line_memory: another tool began to trace while the work ran: the figures are "
                "incomplete"
            )

    own = {"trace_memory_usage": trace_memory_usage, "disable": disable}
    return type("Tracer", (LineProfiler,), own)(backend="psutil")
