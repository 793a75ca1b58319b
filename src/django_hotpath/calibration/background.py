"""When to measure: in a thread of its own, while nothing is captured, and never before an answer.

A capture that begins ends it and waits for the run under way, a few milliseconds, before anything
of its own is measured; what is left is measured after a later one.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable
from typing import NamedTuple

from django_hotpath.calibration.measure import NotNow

logger = logging.getLogger("hotpath")

# The report that was just shown may ask for a second run of its page.
DELAY = 2.0
# Between two runs, so that whatever else the process does has its turn.
_REST = 0.005
# No longer than a request may wait for us.
_PATIENCE = 0.25


class Task(NamedTuple):
    """Something to measure; ``run`` calls its argument before each step."""

    key: str
    run: Callable[[Callable[[], object]], object]


class _Background:
    def __init__(self) -> None:
        # Reentrant: the garbage collector may end a capture while this thread holds it.
        self._lock = threading.RLock()
        self._captures = 0
        self._tasks: dict[str, Task] = {}
        self._done: set[str] = set()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def capture_began(self) -> None:
        with self._lock:
            self._captures += 1
            thread = self._thread
        if thread is not None:
            self.end(thread)

    def capture_ended(self) -> None:
        with self._lock:
            self._captures = max(self._captures - 1, 0)

    def want(self, tasks: list[Task]) -> None:
        """Measures these, and what is left of before, as soon as nothing is captured."""
        with self._lock:
            for task in tasks:
                if task.key not in self._done:
                    self._tasks.setdefault(task.key, task)
            if self._captures or self._thread is not None or not self._tasks:
                return
            self._stop = stop = threading.Event()
            thread = threading.Thread(
                target=self._run, args=(stop,), name="hotpath-calibration", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                # No thread to be had, or the process is ending.
                return
            self._thread = thread

    def end(self, thread: threading.Thread | None = None) -> None:
        """Comes back when the thread is gone, or has had time enough to go."""
        with self._lock:
            thread = thread or self._thread
            self._stop.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join(_PATIENCE)

    def _run(self, stop: threading.Event) -> None:
        try:
            if not stop.wait(DELAY):
                self.work(stop)
        finally:
            with self._lock:
                if self._stop is stop:
                    self._thread = None

    def work(self, stop: threading.Event) -> None:
        """Measures all that is wanted, unless told to stop."""

        def before_run() -> None:
            if stop.wait(_REST):
                raise NotNow("a capture begins")

        while True:
            with self._lock:
                task = next(iter(self._tasks.values()), None)
            if task is None:
                return
            try:
                task.run(before_run)
            except NotNow:
                return
            except Exception:
                # Once is enough: what fails here would fail each time.
                logger.debug("%s could not be calibrated", task.key, exc_info=True)
            with self._lock:
                self._tasks.pop(task.key, None)
                self._done.add(task.key)


_background = _Background()

# Looked up at each call: a child process has one of its own.


def capture_began() -> None:
    """To be called before a capture measures anything, and ``capture_ended`` after it."""
    _background.capture_began()


def capture_ended() -> None:
    _background.capture_ended()


def capturing() -> bool:
    """Whether anything is being captured in this process just now."""
    return _background._captures > 0


def want(tasks: list[Task]) -> None:
    _background.want(tasks)


def end() -> None:
    _background.end()


def _after_fork_in_child() -> None:
    global _background
    _background = _Background()


atexit.register(end)
if hasattr(os, "register_at_fork"):
    # Python warns an application that forks beside other threads: ours is none of its business.
    os.register_at_fork(before=end, after_in_child=_after_fork_in_child)
