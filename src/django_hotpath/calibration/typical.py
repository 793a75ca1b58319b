"""How much slower engines make Python code, from our benchmarks: until it is measured here.

``docs/explanation/cost.md`` says how these were measured and on what.
"""

from __future__ import annotations

import sys

from django_hotpath.instruments.base import Instrument

Range = tuple[float, float]

_MONITORING = sys.version_info >= (3, 12)

SLOWER: dict[tuple[str, str], Range] = {
    ("calls", "native"): (1.1, 2.3) if _MONITORING else (1.3, 3.7),
    ("calls", "cprofile"): (1.2, 3.1) if _MONITORING else (1.4, 4.4),
    ("samples", "vmprof"): (1.0, 1.1),
    ("samples", "thread"): (1.0, 1.1),
    ("lines", "monitoring"): (1.0, 1.1),
    ("lines", "line_profiler"): (1.1, 7.2) if _MONITORING else (1.8, 5.7),
    ("line_memory", "monitoring"): (1.0, 1.1),
    ("line_memory", "memory_profiler"): (3.0, 26.0),
    ("allocations", "tracemalloc"): (3.0, 10.0),
}

# Of each frame more that tracemalloc keeps, to twenty-five.
_MORE_FRAMES: Range = (3.0, 81.0)


def slower(cls: type[Instrument], target: str | None = None) -> Range | None:
    """From and to how many times slower; None for one that does not slow code as it runs."""
    found = SLOWER.get((cls.name, cls.engine), cls.slower)
    if found is not None and cls.name == "allocations" and target not in {None, "collect", "1"}:
        return _MORE_FRAMES
    return found
