"""What recording a query costs, beside other packages, all in one run: see README.md beside this
file.

python benchmarks/queries.py [--quick] [--only PART] [--clock wall|cpu] [--json FILE]
"""

from __future__ import annotations

import sys

from harness import part_queries, part_query_many, part_query_memory
from harness.running import Part, run

PARTS: dict[str, Part] = {
    "times": part_queries.measure,
    "memory": part_query_memory.measure,
    "many": part_query_many.measure,
}

if __name__ == "__main__":
    sys.exit(run("What recording a query costs", PARTS))
