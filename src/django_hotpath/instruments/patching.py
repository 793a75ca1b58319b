"""Replaces methods while at least one capture needs it, and puts them back after the last.

The replacement must look at the ContextVar itself: other requests pass through it meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_MISSING = object()


class Stay:
    """The time from the first capture that needs the replacements to the last one's end.

    A method that somebody else replaced meanwhile, calling ours, keeps ours for good: one whose
    stay is ``over`` may record only what no later replacement records.
    """

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = False


Wrap = Callable[[Callable[..., Any], Stay], Callable[..., Any]]


class New(NamedTuple):
    """Makes a method that the class does not have."""

    make: Callable[[Stay], Callable[..., Any]]


class SharedPatch:
    """Counts its users; ``targets`` gives (class, method name, wrap) at the first one.

    ``stays_after``: how often the methods are put back before the replacements stay for good, for
    a class that everybody uses all the time. Each change of a class makes Python forget what it
    has learned of it, and Python 3.13 learns nothing more of a class that changed 1,000 times: all
    its methods are slower from then on.
    """

    def __init__(
        self,
        targets: Callable[[], Sequence[tuple[type, str, Wrap | New]]],
        stays_after: int | None = None,
    ) -> None:
        self._targets = targets
        self._left = stays_after
        self._users = 0
        self._lock = threading.Lock()
        self._stay = Stay()
        self._undo: list[tuple[type, str, Any, Any]] = []

    def acquire(self) -> None:
        """Raises what ``targets`` raises; then nothing is replaced and nothing to release."""
        with self._lock:
            if self._users == 0 and not self._undo:
                self._stay = Stay()
                try:
                    for owner, name, wrap in self._targets():
                        self._replace(owner, name, wrap)
                except BaseException:
                    self._put_back()
                    raise
            self._users += 1

    def release(self) -> None:
        with self._lock:
            if self._users == 0:
                return
            self._users -= 1
            if self._users == 0 and self._left != 0:
                if self._left is not None:
                    self._left -= 1
                self._put_back()

    def _replace(self, owner: type, name: str, wrap: Wrap | New) -> None:
        original = owner.__dict__.get(name, _MISSING)
        if isinstance(wrap, New):
            replacement = wrap.make(self._stay)
        else:
            replacement = wrap(getattr(owner, name), self._stay)
        setattr(owner, name, replacement)
        self._undo.append((owner, name, original, replacement))

    def _put_back(self) -> None:
        self._stay.over = True
        while self._undo:
            self._restore(*self._undo.pop())

    @staticmethod
    def _restore(owner: type, name: str, original: Any, replacement: Any) -> None:
        if owner.__dict__.get(name) is not replacement:
            # Somebody patched over ours and may call it for good.
            return
        if original is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
