"""Memory by line, from the events of any tracer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import CodeType

from django_hotpath.instruments.engines.line_state import Cell, State
from django_hotpath.instruments.line_memory import FunctionGrowth, LineGrowth
from django_hotpath.instruments.memory_reading import Reader
from django_hotpath.instruments.target_code import Piece

# What a cell holds.
HITS, INCREMENT, PEAK = range(3)


class TracingStopped(Exception):
    """Somebody stopped tracemalloc: there is nothing to read any more."""


class Growth:
    """Counts the growth between two events as that of the line that ran.

    With traced bytes memory is read again when an event has been dealt with, so that what our own
    bookkeeping takes is in no line.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._exact = reader.unit == "traced"

    def line(self, state: State, line: int) -> None:
        self._settle(state)
        cell = state.cells.get(line)
        if cell is None:
            cell = state.cells[line] = [0, 0, 0]
        cell[HITS] += 1
        state.cell = cell
        self._go_on(state)

    def enter(self, state: State, line: int | None = None) -> None:
        """A frame begins, or goes on at a line."""
        self._settle(state)
        state.stack.append(state.cell)
        state.cell = None if line is None else state.cells.setdefault(line, [0, 0, 0])
        self._go_on(state)

    def leave(self, state: State) -> None:
        self._settle(state)
        state.cell = state.stack.pop() if state.stack else None
        self._go_on(state)

    def close(self, state: State) -> None:
        if state.cell is not None:
            self._settle(state)
        state.cell = None
        state.stack.clear()

    def _settle(self, state: State) -> None:
        size, peak = self._reader.read()
        if size == 0:
            state.cell = None
            raise TracingStopped
        cell: Cell | None = state.cell
        if cell is not None:
            cell[INCREMENT] += size - state.since
            # A peak that was there before the line began is not of its making.
            cell[PEAK] = max(cell[PEAK], size, peak if peak > state.peak else 0)
        state.since, state.peak = size, peak

    def _go_on(self, state: State) -> None:
        if self._exact:
            state.since, state.peak = self._reader.read()


def growths(
    pieces: Iterable[Piece], states_of: Callable[[CodeType], Iterable[State]]
) -> list[FunctionGrowth]:
    found = []
    for piece in pieces:
        lines: dict[int, LineGrowth] = {}
        calls = 0
        for state in states_of(piece.code):
            calls += state.calls
            for line, cell in state.cells.items():
                hits, increment, peak = lines.get(line, LineGrowth(0, 0, 0))
                lines[line] = LineGrowth(
                    hits + cell[HITS], increment + cell[INCREMENT], max(peak, cell[PEAK])
                )
        found.append(FunctionGrowth(piece.code, piece.named, calls, lines))
    return found
