"""``lines`` by local events of ``sys.monitoring``: only the code in question is slowed."""

from __future__ import annotations

from types import CodeType

from django_hotpath.instruments.base import Session, clock
from django_hotpath.instruments.engines.line_following import Following
from django_hotpath.instruments.engines.line_state import Cell, State, Track
from django_hotpath.instruments.lines import FunctionTime, Lines, LineTime

# What a cell holds.
HITS, NS, WAITED_NS = range(3)


class MonitoringLines(Following, Lines):
    cost = (
        "about 0.4 microseconds for each line that runs and one for each call of that code: "
        "little, unless the code itself loops over many short lines, which become 10 times slower"
    )
    disturbed_by = (
        "Time on a line includes all that it calls, and the profiler of calls where one runs in "
        "the same capture. Other requests that run the same code meanwhile are not counted, but "
        "slowed. In a function that calls itself each moment counts once, in the innermost call."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        # Where coroutines that are suspended now stand, and since when, by their frame.
        self._waiting: dict[int, tuple[Cell, int]] = {}

    def on_line(self, moment: int, track: Track, code: CodeType, line: int) -> None:
        state = self.state(track, code)
        if state is None:
            return
        cell = state.cell
        if cell is not None:
            cell[NS] += moment - state.since
        cell = state.cells.get(line)
        if cell is None:
            cell = state.cells[line] = [0, 0, 0]
        cell[HITS] += 1
        state.cell = cell
        state.since = moment

    def fast(self, track: Track, code: CodeType) -> State | None:
        return self.state(track, code)

    def on_begin(self, moment: int, track: Track, code: CodeType) -> None:
        state = self.state(track, code)
        if state is not None:
            state.calls += 1
            self._enter(state, moment, None)

    def on_resume(self, moment: int, track: Track, code: CodeType, offset: int, frame: int) -> None:
        state = self.state(track, code)
        if state is None:
            return
        waited = self._waiting.pop(frame, None)
        if waited is not None:
            cell, since = waited
            cell[WAITED_NS] += clock() - since
        line = state.line_at(code, offset)
        self._enter(state, moment, state.cells.setdefault(line, [0, 0, 0]))

    def _enter(self, state: State, moment: int, cell: Cell | None) -> None:
        if state.cell is not None:
            state.cell[NS] += moment - state.since
        state.stack.append(state.cell)
        state.cell = cell
        state.since = moment

    def on_leave(self, moment: int, track: Track, code: CodeType) -> None:
        state = self.state(track, code)
        if state is None:
            return
        if state.cell is not None:
            state.cell[NS] += moment - state.since
        state.cell = state.stack.pop() if state.stack else None
        state.since = moment

    def on_suspend(self, moment: int, track: Track, code: CodeType, frame: int) -> None:
        state = self.state(track, code)
        if state is None:
            return
        if frame and state.cell is not None:
            self._waiting[frame] = (state.cell, clock())
        self.on_leave(moment, track, code)

    def close(self, state: State) -> None:
        if state.cell is not None:
            state.cell[NS] += clock() - state.track.lost - state.since
        state.cell = None
        state.stack.clear()
        self._waiting.clear()

    def times(self) -> list[FunctionTime]:
        found = []
        for piece in self.pieces:
            lines: dict[int, LineTime] = {}
            calls = 0
            for state in self.states(piece.code):
                calls += state.calls
                for line, cell in state.cells.items():
                    so_far = lines.get(line, LineTime(0, 0))
                    lines[line] = LineTime(
                        so_far.hits + cell[HITS],
                        so_far.ns + max(cell[NS], 0),
                        so_far.waited_ns + cell[WAITED_NS],
                    )
            found.append(FunctionTime(piece.code, piece.named, calls, lines))
        return found
