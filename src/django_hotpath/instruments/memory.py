"""The process's memory before and after: almost free, and of the whole process."""

from __future__ import annotations

import os
import sys
from typing import Any

from django_hotpath.instruments.base import Instrument, Session

# Resident set size, its high-water mark, allocated blocks.
_Reading = tuple[int | None, int | None, int]


class Memory(Instrument):
    name = "memory"
    measures = "Resident memory of the process and blocks allocated by Python, before and after."
    cost = "about 20 microseconds a capture"
    disturbed_by = (
        "The figures are of the whole process: other requests count. The operating system gives "
        "and takes memory in large pieces, so a small change says little."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.before: _Reading = (None, None, 0)
        self.after: _Reading = (None, None, 0)

    def start(self) -> None:
        self.before = _read()

    def stop(self) -> None:
        self.after = _read()

    def result(self) -> dict[str, Any]:
        rss_before, mark_before, blocks_before = self.before
        rss_after, mark_after, blocks_after = self.after
        grew = mark_before is not None and mark_after is not None and mark_after > mark_before
        return {
            "rss_before": rss_before,
            "rss_after": rss_after,
            "rss_peak": mark_after if grew else None,
            "rss_high_water": mark_after,
            "blocks_before": blocks_before,
            "blocks_after": blocks_after,
        }


def _read() -> _Reading:
    resident, mark = resident_set_size(), high_water_mark()
    # The kernel counts the mark less often than what is resident.
    if resident is not None and mark is not None:
        mark = max(mark, resident)
    return resident, mark, sys.getallocatedblocks()


def resident_set_size() -> int | None:
    """Bytes, or None where neither /proc nor psutil tells."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        pass
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.Process().memory_info().rss)


def high_water_mark() -> int | None:
    """The largest resident set size the process ever had, in bytes."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes everywhere but on macOS.
    return peak if sys.platform == "darwin" else peak * 1024
