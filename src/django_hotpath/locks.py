"""Process-wide engines take turns: one lock for each, never waited for."""

from __future__ import annotations

import threading
from collections import defaultdict

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
_guard = threading.Lock()


def acquire(engine: str) -> bool:
    """Takes the engine for one capture; False when another one has it."""
    with _guard:
        lock = _locks[engine]
    return lock.acquire(blocking=False)


def taken(engine: str) -> bool:
    with _guard:
        return _locks[engine].locked()


def release(engine: str) -> None:
    """Gives the engine back, from whichever thread the work ended in."""
    _locks[engine].release()
