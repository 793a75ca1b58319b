"""Replaces methods while at least one capture needs it, and puts them back after the last.

The replacement must look at the ContextVar itself: other requests pass through it meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_MISSING = object()

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


class SharedPatch:
    """Counts its users; ``targets`` gives (class, method name, wrap) at the first one."""

    def __init__(self, targets: Callable[[], list[tuple[type, str, Wrap]]]) -> None:
        self._targets = targets
        self._users = 0
        self._lock = threading.Lock()
        self._undo: list[tuple[type, str, Any, Any]] = []

    def acquire(self) -> None:
        with self._lock:
            self._users += 1
            if self._users == 1:
                for owner, name, wrap in self._targets():
                    self._replace(owner, name, wrap)

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                while self._undo:
                    self._restore(*self._undo.pop())

    def _replace(self, owner: type, name: str, wrap: Wrap) -> None:
        original = owner.__dict__.get(name, _MISSING)
        replacement = wrap(getattr(owner, name))
        setattr(owner, name, replacement)
        self._undo.append((owner, name, original, replacement))

    @staticmethod
    def _restore(owner: type, name: str, original: Any, replacement: Any) -> None:
        if owner.__dict__.get(name) is not replacement:
            # Somebody patched over ours and will put it back: it does nothing when idle.
            return
        if original is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
