"""What django-hotpath costs, beside its peers, all in one run: see README.md beside this file.

python benchmarks/overhead.py [--quick] [--only PART] [--clock wall|cpu] [--json FILE]
"""

from __future__ import annotations

import sys

from harness import part_active, part_after, part_idle, part_panels
from harness.running import Part, run

PARTS: dict[str, Part] = {
    "idle": part_idle.measure,
    "active": part_active.measure,
    "after": part_after.measure,
    "panels": part_panels.measure,
}

if __name__ == "__main__":
    sys.exit(run("What profiling costs", PARTS))
