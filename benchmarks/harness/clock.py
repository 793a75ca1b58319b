"""The clock that every worker reads."""

from __future__ import annotations

import os
from time import perf_counter, process_time

VARIABLE = "HOTPATH_BENCHMARK_CLOCK"

CLOCKS = {
    # What a person waits for.
    "wall": perf_counter,
    # The same without other programs' share of a busy machine, and without waits for the disk.
    "cpu": process_time,
}

now = CLOCKS[os.environ.get(VARIABLE, "wall")]
