"""``line_memory`` by local events of ``sys.monitoring``: only the code in question is slowed."""

from __future__ import annotations

from contextlib import suppress
from types import CodeType

from django_hotpath.instruments.engines.line_following import Following
from django_hotpath.instruments.engines.line_growth import Growth, TracingStopped, growths
from django_hotpath.instruments.engines.line_state import State, Track
from django_hotpath.instruments.line_memory import FunctionGrowth, LineMemory
from django_hotpath.instruments.memory_reading import unreadable

DISTURBED_BY = (
    "Without allocations in the same capture it reads the resident memory (RSS), which the "
    "operating system gives and takes in pages of some kilobytes, and Python in larger pieces "
    "still: a line that takes less may show nothing, and the next one everything. With allocations "
    "it reads the bytes that Python has allocated, which is exact. Both are of the whole process: "
    "what other threads take meanwhile counts."
)


class MonitoringLineMemory(Following, LineMemory):
    cost = "about three microseconds for each line that runs"
    disturbed_by = DISTURBED_BY

    @classmethod
    def available(cls) -> str | None:
        return super().available() or unreadable()

    def prepare(self) -> None:
        self._growth = Growth(self.open())
        super().prepare()

    def finish(self) -> None:
        super().finish()
        self.close_reader()

    def on_line(self, _moment: int, track: Track, code: CodeType, line: int) -> None:
        state = self.state(track, code)
        if state is not None:
            self._growth.line(state, line)

    def on_begin(self, _moment: int, track: Track, code: CodeType) -> None:
        state = self.state(track, code)
        if state is not None:
            state.calls += 1
            self._growth.enter(state)

    def on_resume(
        self, _moment: int, track: Track, code: CodeType, offset: int, frame: int
    ) -> None:
        state = self.state(track, code)
        if state is not None:
            self._growth.enter(state, state.line_at(code, offset))

    def on_leave(self, _moment: int, track: Track, code: CodeType) -> None:
        state = self.state(track, code)
        if state is not None:
            self._growth.leave(state)

    def on_suspend(self, moment: int, track: Track, code: CodeType, frame: int) -> None:
        self.on_leave(moment, track, code)

    def close(self, state: State) -> None:
        with suppress(TracingStopped):
            self._growth.close(state)

    def on_broken(self, error: Exception) -> None:
        if isinstance(error, TracingStopped):
            self._stop_following()
        else:
            super().on_broken(error)

    def growths(self) -> list[FunctionGrowth]:
        return growths(self.pieces, self.states)
