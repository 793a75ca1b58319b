"""What the scripts print and write alike."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.outcome import Target
from harness.tables import Table


def print_targets(targets: Sequence[Target], *, judged: bool) -> None:
    """A quick run shows that everything works; its rounds are too few to judge by."""
    if targets:
        print("\n## Targets\n")
        print(*(f"- {target.line(judged=judged)}" for target in targets), sep="\n")


def print_failures(failures: Sequence[str]) -> int:
    """The exit status: 1 when something failed, never because of a figure."""
    if not failures:
        return 0
    print("\n## Failed\n")
    print(*(f"- {failure}" for failure in failures), sep="\n")
    print(*failures, sep="\n", file=sys.stderr)
    return 1


def write(
    file: Path, described: dict[str, str], tables: Sequence[Table], targets: Sequence[Target]
) -> None:
    data = {
        "machine": described,
        "tables": {table.title: table.figures for table in tables},
        "targets": [vars(target) for target in targets],
    }
    file.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
