"""What the two engines on line events share: who is followed, thread by thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import CodeType

from django_hotpath.instruments.base import Active, Session, current
from django_hotpath.instruments.engines import line_events
from django_hotpath.instruments.engines.line_calibration import calibrate
from django_hotpath.instruments.engines.line_state import State, Track
from django_hotpath.instruments.target_code import Piece
from django_hotpath.instruments.targeted import Targeted
from django_hotpath.plain import describe_error

logger = logging.getLogger("hotpath")


class Following(Targeted):
    """Its events come from ``line_events``; subclasses have the methods of its ``Watcher``."""

    engine = "monitoring"

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        # Code and states while it is followed; both are empty before and after.
        self._codes: dict[int, CodeType] = {}
        self._states: dict[tuple[int, int], State] = {}
        self._watched: list[CodeType] = []
        # What was measured, by the id of the code, when it is over.
        self._found: dict[int, list[State]] = {}
        self._active: Active | None = None

    @classmethod
    def available(cls) -> str | None:
        return line_events.unavailable()

    @classmethod
    def busy(cls) -> str | None:
        return line_events.taken()

    def prepare(self) -> None:
        calibrate()
        active = self._active = current.get()
        if active is not None:
            active.watchers = (self, *active.watchers)
            active.last = None

    def measure(self, pieces: Sequence[Piece]) -> None:
        for piece in pieces:
            line_events.watch(piece.code)
            self._watched.append(piece.code)
            self._codes[id(piece.code)] = piece.code

    def finish(self) -> None:
        active, self._active = self._active, None
        if active is not None:
            active.watchers = tuple(watcher for watcher in active.watchers if watcher is not self)
            self.overhead_ns += active.take_lost()
        self._stop_following()
        while self._watched:
            line_events.unwatch(self._watched.pop())

    def _stop_following(self) -> None:
        states, self._states, self._codes = self._states, {}, {}
        for (_thread, code), state in list(states.items()):
            self.close(state)
            state.code = state.caller = None
            self._found.setdefault(code, []).append(state)

    def close(self, state: State) -> None:
        """The capture ends, perhaps while a frame of this code runs."""
        raise NotImplementedError

    def state(self, track: Track, code: CodeType) -> State | None:
        """None for code that another capture asked for."""
        key = (track.thread, id(code))
        state = self._states.get(key)
        if state is None and id(code) in self._codes:
            state = self._states[key] = State(code, track)
        return state

    def fast(self, track: Track, code: CodeType) -> State | None:
        return None

    def states(self, code: CodeType) -> list[State]:
        """What was measured of this code, one for each thread, when it is over."""
        return self._found.get(id(code), [])

    def on_broken(self, error: Exception) -> None:
        """An event could not be recorded. Nothing of that may reach the application."""
        # With a RecursionError the application is about to run into the limit itself; without
        # code to follow it has been said already.
        if isinstance(error, RecursionError) or not self._codes:
            return
        logger.error("%s stops: an event could not be recorded", self.name, exc_info=error)
        self.warnings.append(f"{self.name} stopped before the end: {describe_error(error)}")
        self._stop_following()
