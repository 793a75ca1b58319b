"""Captures whose answer is still on its way: built and stored once it has left.

A server closes the response after its last byte: that is when the work is done, in the server's
thread. Where nobody closes it, the end of the response object, a later capture, a reader who asks
for the capture or the end of the process does it instead.
"""

from __future__ import annotations

import _thread
import atexit
import functools
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http.response import HttpResponseBase

from django_hotpath import stores
from django_hotpath.capture import Capture
from django_hotpath.plain import describe_error
from django_hotpath.stores.base import StoreError

logger = logging.getLogger("hotpath")

# How long one waits for somebody else who is just building and storing the capture.
_PATIENCE = 10.0
# A response that nobody has closed for so long is not waited for.
_OVERDUE = 30.0
_REMEMBERED = 200

_waiting: dict[str, Deferred] = {}
# Ids of this process whose capture is settled, and what became of it: None, or why it was lost.
_settled: dict[str, str | None] = {}
_trouble: str | None = None


class StillStreaming(StoreError):
    """The answer is still being streamed; its capture comes when it ends."""


class Lost(StoreError):
    """The capture was taken and could not be built or stored; the text says why."""


class Deferred:
    """A capture to be made by ``make`` when its answer has left.

    Nothing of the request or the response may be in it: it may outlive them.
    """

    def __init__(self, capture_id: str, path: str, make: Callable[[], Capture]) -> None:
        self.id = capture_id
        self.path = path
        self._make: Callable[[], Capture] | None = make
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._born = time.monotonic()
        self._finalizer: weakref.finalize[..., Any] | None = None

    @property
    def streaming(self) -> bool:
        return False

    @property
    def overdue(self) -> bool:
        return not self.streaming and time.monotonic() - self._born > _OVERDUE

    def attach(self, response: HttpResponseBase, alive: object = None) -> None:
        """Waits for the end of the response: its ``close``, or that of the object itself.

        ``alive`` is what is looked at instead where the response may go on without it.
        """
        _waiting[self.id] = self
        response._resource_closers.append(_Closer(self.closed))  # type: ignore[attr-defined]
        self._finalizer = weakref.finalize(response if alive is None else alive, _vanished, self.id)
        # At the end of the process it is done in order, by ``settle_all``.
        self._finalizer.atexit = False
        _settle_at_exit()

    def closed(self) -> None:
        """The response was closed."""
        self.finish()
        for other in list(_waiting.values()):
            if other.overdue:
                other.finish()

    def finish(self) -> None:
        """Builds and stores the capture, once; comes back when that is done, by whomever.

        Never raises: the answer has left, so what fails is logged and kept for whoever asks.
        """
        if os.getpid() != self._pid or not self._lock.acquire(timeout=_PATIENCE):
            # What a parent process owes is not for its child to make.
            return
        try:
            make, self._make = self._make, None
            if make is not None:
                self._settle(make)
        finally:
            self._lock.release()

    def finish_now(self) -> str | None:
        """``finish``, and why the capture could not be stored."""
        self.finish()
        return _settled.get(self.id)

    def close_elsewhere(self) -> None:
        """``closed`` for whoever may not wait: an event loop, the garbage collector."""
        _waiting.setdefault(self.id, self)
        _settle_at_exit()
        try:
            _thread.start_new_thread(self.closed, ())
        except RuntimeError:
            # No thread to be had, or the process is ending: ``settle_all`` comes by.
            return

    def _settle(self, make: Callable[[], Capture]) -> None:
        reason: str | None = "it was interrupted"
        try:
            try:
                capture = make()
            except Exception as error:
                logger.exception("the capture of %s was lost", self.path)
                reason = describe_error(error)
            else:
                reason = save(capture, self.path)
        finally:
            _settled[self.id] = reason
            while len(_settled) > _REMEMBERED:
                _settled.pop(next(iter(_settled)), None)
            _waiting.pop(self.id, None)
            if self._finalizer is not None:
                self._finalizer.detach()


class _Closer:
    """Stands among what a response closes.

    A copy of the response (pickled by a cache, say) gets one that does nothing.
    """

    def __init__(self, action: Callable[[], None] | None = None) -> None:
        self.action = action

    def __call__(self) -> None:
        if self.action is not None:
            self.action()

    def __reduce__(self) -> tuple[type[_Closer], tuple[()]]:
        return _Closer, ()


def save(capture: Capture, path: str) -> str | None:
    """Why the capture could not be stored; None when it was."""
    global _trouble
    try:
        stores.get_store().save(capture)
    except Exception as error:
        logger.warning("the capture of %s was not stored: %s", path, error)
        _trouble = describe_error(error)
    else:
        _trouble = None
    return _trouble


def trouble() -> str | None:
    """Why the last capture could not be stored; None when it could.

    While it lasts, captures are stored before their answer leaves, so that it can say so.
    """
    return _trouble


def known(capture_id: str) -> bool:
    """Whether this capture was taken by this process, not too long ago."""
    return capture_id in _settled or capture_id in _waiting


def settle(capture_id: str) -> None:
    """To be called before a capture is read: makes what this process still owes of it.

    Raises ``StillStreaming`` or ``Lost``.
    """
    found = _waiting.get(capture_id)
    if found is not None:
        if found.streaming:
            raise StillStreaming(
                f"The answer of {found.path} is still being streamed. Its capture is here when "
                "the last byte has left or the client has gone."
            )
        found.finish()
    reason = _settled.get(capture_id)
    if reason is not None:
        raise Lost(f"the capture was taken, but not stored: {reason}")


def settle_all() -> None:
    """Makes all that this process owes, but for answers that are still being streamed."""
    for found in list(_waiting.values()):
        if not found.streaming:
            found.finish()


def streams() -> int:
    """How many profiled answers this process is streaming just now."""
    return sum(found.streaming for found in list(_waiting.values()))


def _vanished(capture_id: str) -> None:
    # Called wherever the last reference went, perhaps within the garbage collector.
    found = _waiting.get(capture_id)
    if found is not None:
        found.close_elsewhere()


def _forget() -> None:
    global _trouble
    _waiting.clear()
    _settled.clear()
    _trouble = None


@receiver(setting_changed)
def _on_setting(*, setting: str, **kwargs: Any) -> None:
    """Another store, perhaps: what the last one said is no longer true."""
    global _trouble
    if setting in {"HOTPATH", "BASE_DIR"}:
        _trouble = None


@functools.cache
def _settle_at_exit() -> None:
    """Exit functions run backwards: the stores, which a finalizer closes, must come after us."""
    weakref.finalize(_Closer(), int).detach()
    atexit.register(settle_all)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
