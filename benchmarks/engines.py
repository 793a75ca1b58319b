"""What each engine costs on views of many kinds, in one run: see README.md beside this file.

python benchmarks/engines.py [--quick] [--only VIEW|ENGINE ...] [--clock wall|cpu] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from time import monotonic

from harness import machine, part_engines
from harness.clock import CLOCKS
from harness.part_engines import FULL, QUICK, VIEWS, Subject
from harness.pool import Pool
from harness.printing import print_failures, print_targets, write


def main() -> int:
    options = _options()
    described = machine.describe() | {"Clock": options.clock}
    print("# What each engine costs\n")
    print(*(f"- {name}: {value}" for name, value in described.items()), sep="\n")
    began = monotonic()
    views, subjects = _chosen(options.only)
    with (
        tempfile.TemporaryDirectory(prefix="hotpath-benchmark-") as folder,
        Pool(Path(folder), options.clock) as pool,
    ):
        rounds = QUICK if options.quick else FULL
        failed = part_engines.measure(pool, subjects, views, rounds)
    outcome = part_engines.outcome(subjects, views)
    for table in outcome.tables:
        print(f"\n{table.text()}")
    _print_reasons(subjects)
    print_targets(outcome.targets, judged=not options.quick)
    print(f"\nTook {monotonic() - began:.0f} s, load at the end {machine.load()}.")
    if options.json:
        write(options.json, described, outcome.tables, outcome.targets)
    return print_failures([f"{label}: {why}" for label, why in failed.items()])


def _chosen(only: list[str] | None) -> tuple[tuple[str, ...], list[Subject]]:
    """The views and rows that were asked for; the control is always there."""
    control, *subjects = part_engines.subjects()
    if not only:
        return VIEWS, [control, *subjects]
    views = tuple(view for view in VIEWS if view in only)
    words = [word for word in only if word not in VIEWS]
    chosen = [subject for subject in subjects if any(word in subject.label for word in words)]
    if words and not chosen:
        raise SystemExit(f"there is no view or engine {' or '.join(words)}")
    return views or VIEWS, [control, *(chosen if words else subjects)]


def _print_reasons(subjects: list[Subject]) -> None:
    reasons: dict[str, list[str]] = {}
    for subject in subjects:
        for view, reason in subject.reasons.items():
            said = f"{subject.label}: {reason}"
            reasons.setdefault(said, []).extend([view] if view else [])
    if reasons:
        print("\n## Not measured\n")
    for said, views in reasons.items():
        where = f" (view {', '.join(views)})" if views else ""
        print(f"- {said}{where}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What each engine of django-hotpath costs.")
    parser.add_argument(
        "--quick", action="store_true", help="one round: whether it runs, not what it costs"
    )
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="VIEW|ENGINE",
        help=f"some views ({', '.join(VIEWS)}) or engines, by a part of their label",
    )
    parser.add_argument(
        "--clock",
        choices=list(CLOCKS),
        default="wall",
        help="cpu: on a busy machine; leaves out waits, as for the disk",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
