"""Runs a script of ``benchmarks/`` and reads the tables that it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def run(script: str, *options: str) -> str:
    """What a quick run prints; an ``AssertionError`` with its errors when it fails."""
    found = subprocess.run(
        [sys.executable, str(BENCHMARKS / script), "--quick", *options],
        capture_output=True,
        text=True,
        timeout=600,
        env={name: os.environ[name] for name in os.environ if "DJANGO" not in name},
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout


def table(printed: str, title: str) -> list[dict[str, str]]:
    """The rows under a heading, by column; the first column is ``""``."""
    _before, heading, rest = printed.partition(f"\n## {title}\n")
    assert heading, f"there is no table {title!r} in {printed}"
    lines = [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("|")]
    columns, _rule, *rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    columns[0] = ""
    return [dict(zip(columns, row, strict=True)) for row in rows]


def row(printed: str, title: str, label: str) -> dict[str, str]:
    (found,) = [found for found in table(printed, title) if found[""] == label]
    return found
