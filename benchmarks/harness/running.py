"""The command line that ``overhead.py`` and ``queries.py`` share."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic

from harness import machine
from harness.clock import CLOCKS
from harness.outcome import FULL, QUICK, Effort, Outcome
from harness.pool import NOT_INSTALLED, Pool
from harness.printing import print_failures, print_targets, write

Part = Callable[[Effort, Pool], Outcome]


def run(title: str, parts: Mapping[str, Part]) -> int:
    """Measures and prints; the exit status."""
    options = _options(title, parts)
    effort = QUICK if options.quick else FULL
    described = machine.describe() | {"Clock": options.clock}
    print(f"# {title}\n")
    print(*(f"- {name}: {value}" for name, value in described.items()), sep="\n")
    outcomes: dict[str, Outcome] = {}
    began = monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="hotpath-benchmark-") as folder,
        Pool(Path(folder), options.clock) as pool,
    ):
        for name in [options.only] if options.only else list(parts):
            outcomes[name] = parts[name](effort, pool)
            for table in outcomes[name].tables:
                print(f"\n{table.text()}", flush=True)
    targets = [target for outcome in outcomes.values() for target in outcome.targets]
    print_targets(targets, judged=not options.quick)
    print(f"\nTook {monotonic() - began:.0f} s, load at the end {machine.load()}.")
    if options.json:
        tables = [table for outcome in outcomes.values() for table in outcome.tables]
        write(options.json, described, tables, targets)
    return print_failures(
        [f"{key} {why}" for key, why in pool.problems.items() if why != NOT_INSTALLED]
    )


def _options(title: str, parts: Mapping[str, Part]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"{title}.")
    parser.add_argument(
        "--quick", action="store_true", help="few rounds: whether it runs, not what it costs"
    )
    parser.add_argument("--only", choices=list(parts), help="one part instead of all")
    parser.add_argument(
        "--clock",
        choices=list(CLOCKS),
        default="wall",
        help="cpu: on a busy machine; leaves out waits, as for the disk",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    return parser.parse_args()
