"""Where threads stand in the code that is followed."""

from __future__ import annotations

from types import CodeType

# What is summed up for a line: its hits first, then the engine's own figures.
Cell = list[int]


class Track:
    """A thread, and the nanoseconds in it that the events took: those are in nobody's time."""

    __slots__ = ("lost", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.lost = 0


class State:
    """A piece of code in one thread.

    Its frames share one clock: when the function calls itself, the outer frame's line stands still
    until the inner frame is left, so that no moment counts twice. ``cell`` is the line that runs,
    None when no frame does; ``stack`` the lines of the outer frames. ``code`` is None when it is
    followed no more. ``caller`` is who was probably followed before: a guess, to be quick.
    """

    __slots__ = (
        "_offsets",
        "caller",
        "calls",
        "cell",
        "cells",
        "code",
        "peak",
        "since",
        "stack",
        "thread",
        "track",
    )

    def __init__(self, code: CodeType, track: Track) -> None:
        self.code: CodeType | None = code
        self.thread = track.thread
        self.track = track
        self.calls = 0
        self.caller: State | None = None
        self.cells: dict[int, Cell] = {}
        self.cell: Cell | None = None
        self.since = 0
        self.peak = 0
        self.stack: list[Cell | None] = []
        self._offsets: dict[int, int] = {}

    def line_at(self, code: CodeType, offset: int) -> int:
        """The line of an instruction."""
        line = self._offsets.get(offset)
        if line is None:
            found = (n for start, end, n in code.co_lines() if start <= offset < end and n)
            line = self._offsets[offset] = next(found, code.co_firstlineno)
        return line
