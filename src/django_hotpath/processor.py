"""What a capture's work had of the processors, beside the CPU time of its own thread."""

from __future__ import annotations

import time


class Processor:
    """From ``start`` to ``stop``, both called in the thread of the work.

    ``process_ns``: CPU time of all threads of the process. ``queued_ns``: how long the thread
    could have run while others had the processors; None where Linux does not tell.
    """

    def __init__(self) -> None:
        self.process_ns = 0
        self.queued_ns: int | None = None
        self._process_began = 0
        self._queued_began: int | None = None

    def start(self) -> None:
        self._queued_began = queued_ns()
        self._process_began = time.process_time_ns()

    def stop(self) -> None:
        self.process_ns = time.process_time_ns() - self._process_began
        began, ended = self._queued_began, queued_ns()
        self.queued_ns = None if began is None or ended is None else ended - began


def queued_ns() -> int | None:
    """How long this thread has waited for a processor since it began, on Linux."""
    try:
        with open("/proc/thread-self/schedstat", "rb") as statistics:
            return int(statistics.read().split()[1])
    except (OSError, ValueError, IndexError):
        return None
