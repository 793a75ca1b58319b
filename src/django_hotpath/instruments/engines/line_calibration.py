"""What following a line takes that our own clock does not see.

The interpreter's part of an event lies before our clock is read and after. Left in the times, a
line of 20 ns would seem to take 300.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import get_ident

from django_hotpath.instruments.base import Active, clock, current
from django_hotpath.instruments.engines import line_events
from django_hotpath.instruments.engines.line_state import State, Track

_ROUNDS = 5
_EVENTS = 500

_lock = threading.Lock()
_done = False


def calibrate() -> None:
    """Takes a millisecond or two, once in a process. Raises ``RuntimeError`` without a tool id."""
    global _done
    if _done:
        return
    with _lock:
        if not _done:
            line_events.unseen(_measure())
            _done = True


def _measure() -> int:
    """Nanoseconds an event; rather too little than too much: the rest seems the application's."""
    code = _loop.__code__
    bare = min(_time(_loop) for _ in range(_ROUNDS))
    line_events.unseen(0)
    active = Active(None, None)
    active.last = State(code, track := Track(get_ident()))
    watched = []
    around = current.set(active)
    try:
        line_events.watch(code, lines_alone=True)
        for _ in range(_ROUNDS):
            before = track.lost
            took = _time(_loop)
            watched.append(took - (track.lost - before))
    finally:
        line_events.unwatch(code)
        current.reset(around)
    return max(int(0.9 * (min(watched) - bare) / _EVENTS), 0)


def _loop() -> None:
    for _ in range(_EVENTS // 2):
        pass


def _time(work: Callable[[], object]) -> int:
    began = clock()
    work()
    return clock() - began
