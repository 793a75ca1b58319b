from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OVERHEAD = Path(__file__).resolve().parents[2] / "benchmarks" / "overhead.py"

OURS = (
    "bare, no middleware",
    "no-op middleware again (control)",
    "hotpath",
    "hotpath, SLOW_REQUEST_MS None",
)
PEERS = ("debug-toolbar, hidden", "silk at 0 %", "pyinstrument, not asked")
STATEMENTS = (
    "a wrapper that only passes on",
    "hotpath, outside any request",
    "hotpath, in a request (counting for the slow-request log)",
)


# One test: with its processes spread by pytest-xdist, a fixture would run the benchmark in each.
def test_the_idle_part_prints_its_rows_with_or_without_the_peers() -> None:
    run = subprocess.run(
        [sys.executable, str(OVERHEAD), "--quick", "--only", "idle"],
        capture_output=True,
        text=True,
        timeout=300,
        env={name: os.environ[name] for name in os.environ if "DJANGO" not in name},
        check=False,
    )
    assert run.returncode == 0, run.stderr
    head, _, tables = run.stdout.partition("\n## ")
    for name in ("Machine", "Python", "Django", "django-hotpath", "pyinstrument"):
        assert f"\n- {name}: " in head
    rows = _rows(tables)
    for label in OURS:
        assert len(rows[label]) == 5
        assert all(_is_figure(cell) for cell in rows[label])
    for label in PEERS:
        assert rows[label][0] == "not installed" or _is_figure(rows[label][0])
    for label in STATEMENTS:
        assert _is_figure(rows[label][0])
    assert "idle, sync, called directly, over the no-op" in tables.partition("## Targets")[2]


def _rows(tables: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split("|") for line in tables.splitlines() if line.startswith("|")]
    return {label.strip(): [cell.strip() for cell in cells] for label, *cells in lines}


def _is_figure(cell: str) -> bool:
    return cell.startswith(("+", "-")) and " to " in cell
