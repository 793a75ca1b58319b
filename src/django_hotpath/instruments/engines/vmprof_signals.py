"""Signal handlers and timers as they were before vmprof, which does not put them back itself.

Python's own ``signal.signal`` works in the main thread only and knows nothing of handlers that C
code has set: so the C library is asked.
"""

from __future__ import annotations

import ctypes
import signal

# More than any platform's struct sigaction.
_SIZE = 512
# The handler's address comes first in it.
_HANDLER = ctypes.sizeof(ctypes.c_void_p)

_CHANGED = tuple(
    getattr(signal, name) for name in ("SIGALRM", "SIGPROF", "SIGSEGV") if hasattr(signal, name)
)


class SignalState:
    """Taken before vmprof is switched on; ``put_back`` comes after it is off.

    ``timer``: which interval timer vmprof uses; ``period``: its seconds.
    """

    def __init__(self, timer: int, period: float) -> None:
        self._timer = timer
        self._period = period
        self._before = {number: _action(number) for number in _CHANGED}
        self._ours: dict[int, bytes] = {}
        self._at_end: dict[int, bytes] = {}
        self._their_timer: tuple[float, float] | None = None

    def vmprof_is_on(self) -> None:
        self._ours = {number: _action(number) for number in _CHANGED}

    def vmprof_goes_off(self) -> None:
        """Notes what the application has set meanwhile: vmprof would overwrite it."""
        self._at_end = {number: _action(number) for number in _CHANGED}
        left, period = signal.getitimer(self._timer)
        ours = abs(period - self._period) < self._period / 2
        if not ours:
            self._their_timer = (left, period)

    @property
    def taken_over(self) -> bool:
        """Whether the application has used the timer itself, which ended the sampling."""
        return self._their_timer is not None

    def put_back(self) -> None:
        for number, before in self._before.items():
            at_end = self._at_end.get(number, before)
            theirs = at_end[:_HANDLER] != self._ours.get(number, at_end)[:_HANDLER]
            _set_action(number, at_end if theirs else before)
        if self._their_timer is not None and self._their_timer[0] > 0:
            signal.setitimer(self._timer, *self._their_timer)


def in_use(timer: int, number: int) -> str | None:
    """Why vmprof must not use this timer and signal: the application does."""
    name = signal.Signals(number).name
    if signal.getsignal(number) not in {signal.SIG_DFL, signal.SIG_IGN}:
        return f"it needs the signal {name}, which has a handler of the application"
    if signal.getitimer(timer) != (0.0, 0.0):
        return f"it needs the timer of {name}, which the application has set"
    return None


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _action(number: int) -> bytes:
    buffer = ctypes.create_string_buffer(_SIZE)
    if _library().sigaction(number, None, buffer) != 0:
        raise OSError(ctypes.get_errno(), "sigaction")
    return buffer.raw


def _set_action(number: int, action: bytes) -> None:
    if _library().sigaction(number, action, None) != 0:
        raise OSError(ctypes.get_errno(), "sigaction")
