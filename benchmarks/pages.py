"""How quickly the pages open and answer, in headless Chromium: see README.md beside this file.

python benchmarks/pages.py [--quick] [--only report|list] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import monotonic

from harness import machine, page_site, part_list, part_reports
from harness.printing import print_failures, print_targets, write

PARTS = {"report": part_reports.measure, "list": part_list.measure}


def main() -> int:
    options = _options()
    described = machine.describe()
    print("# How quickly the pages open and answer\n")
    print(*(f"- {name}: {value}" for name, value in described.items()), sep="\n")
    began = monotonic()
    outcomes, failures = [], []
    with tempfile.TemporaryDirectory(prefix="hotpath-benchmark-") as name:
        folder = Path(name)
        page_site.configure(folder)
        for part in [options.only] if options.only else list(PARTS):
            try:
                outcomes.append(PARTS[part](folder, quick=options.quick))
            except Exception as error:
                failures.append(f"{part}: {type(error).__name__}: {error}")
                continue
            for table in outcomes[-1].tables:
                print(f"\n{table.text()}", flush=True)
    targets = [target for outcome in outcomes for target in outcome.targets]
    print_targets(targets, judged=not options.quick)
    print(f"\nTook {monotonic() - began:.0f} s, load at the end {machine.load()}.")
    if options.json:
        tables = [table for outcome in outcomes for table in outcome.tables]
        write(options.json, described, tables, targets)
    return print_failures(failures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How quickly the pages open and answer.")
    parser.add_argument("--quick", action="store_true", help="small captures, one round")
    parser.add_argument("--only", choices=list(PARTS), help="one part instead of all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
