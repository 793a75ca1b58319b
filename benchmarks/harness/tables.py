"""Markdown tables that read well as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.figures import Figure

MISSING = "-"


@dataclass
class Table:
    """Rows of text for people, and the figures behind them for ``--json``."""

    title: str
    columns: Sequence[str]
    note: str = ""
    rows: list[list[str]] = field(default_factory=list)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, label: str, cells: Iterable[str]) -> None:
        self.rows.append([label, *cells])

    def add_absent(self, label: str, reason: str) -> None:
        self.add(label, [reason, *[""] * (len(self.columns) - 2)])

    def keep(self, label: str, column: str, found: Figure) -> None:
        self.figures.setdefault(label, {})[column] = {
            "median": found.median,
            "low": found.low,
            "high": found.high,
        }

    def text(self) -> str:
        rows = [list(self.columns), *self.rows]
        # Markdown wants two characters under a heading.
        widths = [max(2, *(len(row[i]) for row in rows)) for i in range(len(self.columns))]
        lines = [_line(row, widths) for row in rows]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        lines.insert(1, _line(rule, widths))
        return "\n".join([f"## {self.title}", "", *([self.note, ""] if self.note else []), *lines])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    padded = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]
    return f"| {' | '.join(padded)} |"


def us(found: Figure) -> str:
    """Microseconds with the quartiles."""
    return f"{found.median:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def ms_and_ratio(added: Figure, times: Figure) -> str:
    return f"{added.median:+.2f} ms ({ratio(times.median)})"


def ratio(times: float) -> str:
    return f"{times:.0f}x" if times >= 20 else f"{times:.1f}x" if times >= 10 else f"{times:.2f}x"
