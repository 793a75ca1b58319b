"""Something that is on while at least one capture needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Users:
    """Counts them: ``first`` runs before the first one, ``last`` after the last."""

    def __init__(self, first: Callable[[], object], last: Callable[[], object]) -> None:
        self._first, self._last = first, last
        self._count = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        """Raises what ``first`` raises; then nobody was added."""
        with self._lock:
            if self._count == 0:
                self._first()
            self._count += 1

    def remove(self) -> None:
        with self._lock:
            if self._count == 0:
                return
            self._count -= 1
            if self._count == 0:
                self._last()
