"""Whether N+1 queries are found, and whether the advice works: see README.md beside this file.

python benchmarks/findings.py [--quick] [--only FAMILY ...] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import monotonic

from harness import machine, part_findings
from harness.printing import print_failures, write

QUICK = ("forward", "reverse", "answers", "rest")


def main() -> int:
    options = _options()
    described = machine.describe()
    print("# Whether loops of queries are found, and their cure works\n")
    print(*(f"- {name}: {value}" for name, value in described.items()), sep="\n")
    began = monotonic()
    families = options.only or (QUICK if options.quick else ())
    truth = part_findings.measure(families)
    for table in truth.tables:
        print(f"\n{table.text()}", flush=True)
    if truth.reasons:
        print("\n## Not measured, or broken by a tool\n")
        print(*(f"- {what}: {why}" for what, why in truth.reasons.items()), sep="\n")
    print(f"\nTook {monotonic() - began:.0f} s.")
    if options.json:
        write(options.json, described, truth.tables, [])
    return print_failures([f"{what}: {why}" for what, why in truth.failed.items()])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Whether N+1 queries are found.")
    parser.add_argument("--quick", action="store_true", help="some families instead of all")
    parser.add_argument("--only", nargs="+", metavar="FAMILY", help="these families")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
