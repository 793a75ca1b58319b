"""Whether what the engines show is true: see README.md beside this file.

python benchmarks/truth.py [--quick] [--only PART] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from harness import machine, part_company, part_counts, part_paths
from harness.outcome import Truth
from harness.pool import Pool
from harness.printing import print_failures, write
from harness.tables import Table

PARTS: dict[str, Callable[..., Truth]] = {
    "paths": part_paths.measure,
    "company": part_company.measure,
    "counts": part_counts.measure,
}


def main() -> int:
    options = _options()
    described = machine.describe()
    print("# Whether it is true\n")
    print(*(f"- {name}: {value}" for name, value in described.items()), sep="\n")
    began = monotonic()
    tables: list[Table] = []
    reasons: dict[str, str] = {}
    failed: dict[str, str] = {}
    with (
        tempfile.TemporaryDirectory(prefix="hotpath-benchmark-") as folder,
        Pool(Path(folder), "wall") as pool,
    ):
        for name in [options.only] if options.only else list(PARTS):
            found = PARTS[name](pool, quick=options.quick)
            for table in found.tables:
                print(f"\n{table.text()}", flush=True)
            tables += found.tables
            reasons |= found.reasons
            failed |= found.failed
    if reasons:
        print("\n## Not measured\n")
        print(*(f"- {what}: {why}" for what, why in reasons.items()), sep="\n")
    print(f"\nTook {monotonic() - began:.0f} s, load at the end {machine.load()}.")
    if options.json:
        write(options.json, described, tables, [])
    return print_failures([f"{what}: {why}" for what, why in failed.items()])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Whether what the engines show is true.")
    parser.add_argument(
        "--quick", action="store_true", help="few rounds: times are rough, counts are the same"
    )
    parser.add_argument("--only", choices=list(PARTS), help="one part instead of all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
