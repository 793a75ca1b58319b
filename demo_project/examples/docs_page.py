"""The page of the docs about the examples: each claim beside what was measured."""

from __future__ import annotations

import gc
import os
import platform
import re
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
from django.db import connection

from django_hotpath import __version__
from django_hotpath.analysis.compare import Comparison, compare
from django_hotpath.capture import Capture
from examples.measuring import Measured, measure, timed
from examples.registry import SOURCES, Example, Signal, Variant

HEAD = """\
# The examples, measured

The demo project (`make demo`) writes every claim of [these sources](#sources) slow and fast, so
that both give the same answer, and lets the product measure the difference. This page is made by
a command,

```console
python demo_project/manage.py examples_doc
```

and what it says of counts, bytes and findings is tested for every example. Times are of one
machine: {machine}, {versions}. They were taken by `?profile=queries`, {runs} runs of each variant
in turn: that of the first variant, and of the others the ratio to it with its range
([how sure that is](../how-to/compare.md#how-sure-the-verdict-is)).
"""


@dataclass
class Row:
    """One example as it was measured; `problems` is what is not as the registry says."""

    example: Example
    values: dict[Signal, Any] = field(default_factory=dict)
    kinds: dict[str, frozenset[str]] = field(default_factory=dict)
    times: dict[str, Comparison] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def measured(example: Example, runs: int) -> Row:
    row = Row(example)
    if example.missing:
        row.problems.append(f"needs {example.missing}")
        return row
    for variant in example.variants:
        found = measure(example, variant)
        try:
            _measure(row, variant, found)
        except Exception as error:
            row.problems.append(f"{variant.name}: {type(error).__name__}: {error}")
    try:
        captures = _timed(example, runs)
    except Exception as error:
        row.problems.append(f"{type(error).__name__}: {error}")
        return row
    first, *others = example.variants
    row.times = {one.name: compare(captures[first.name], captures[one.name]) for one in others}
    return row


def _timed(example: Example, runs: int) -> dict[str, list[Capture]]:
    # What the examples before have left would make pauses of tens of milliseconds, in the runs of
    # whichever variant comes just then.
    gc.collect()
    gc.freeze()
    try:
        return timed(example, runs)
    finally:
        gc.unfreeze()


def _measure(row: Row, variant: Variant, found: Measured) -> None:
    for signal in row.example.signals_of(variant):
        row.values[signal] = found.value(signal.measure, signal.read)
        if not signal.holds(row.values[signal]):
            seen = f"{row.values[signal]}, not {signal.count}"
            row.problems.append(f"{variant.name}: {signal.measure}: {seen}")
    row.kinds[variant.name] = found.kinds()
    wanted = {variant.finding} if variant.finding else set()
    if row.kinds[variant.name] != wanted:
        row.problems.append(f"{variant.name}: findings {sorted(row.kinds[variant.name])}")


def page(rows: list[Row], runs: int) -> str:
    head = HEAD.format(machine=machine(), versions=versions(), runs=runs)
    rows = sorted(rows, key=lambda row: (row.example.number, row.example.slug))
    return "\n".join([head, *_claims(rows), *_verdicts(rows), *_findings(rows), *_sources(rows)])


def _claims(rows: list[Row]) -> list[str]:
    lines = [
        "## Claims and measurements",
        "",
        "| | Example | Claim | Variants, and what the profiler saw | Time | Verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        example = row.example
        sources = " ".join(source.key for source in example.source)
        lines.append(
            _line(
                str(example.number or ""),
                f"{example.title} (`/{example.slug}/`)",
                f"{example.claim} ({sources})",
                _seen(row),
                _times(row),
                example.verdict,
            )
        )
    return [*lines, ""]


def _seen(row: Row) -> str:
    parts = []
    for variant in row.example.variants:
        figures = [
            f"{figure(signal, row.values.get(signal))} {_counted(signal, row.values.get(signal))}"
            for signal in row.example.signals_of(variant)
        ]
        parts.append(f"*{variant.name}* {variant.label}: {', '.join(figures) or 'nothing counted'}")
    return "<br>".join(parts)


def figure(signal: Signal, value: Any) -> str:
    """A value as it is read: a plan by the part of it that matters."""
    if value is None:
        return "not measured:"
    if isinstance(signal.count, str):
        return f"`{signal.count}` in the"
    if signal.measure.endswith((" at most", " at least")) or signal.tolerance:
        return f"about {_rounded(value):,}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def _rounded(value: float) -> int:
    """To two digits: the rest differs from machine to machine."""
    digits = len(str(int(value))) - 2
    return int(round(value, -digits)) if digits > 0 else round(value)


def _counted(signal: Signal, value: Any) -> str:
    """The measure after its value: one query, two queries; names of functions as code."""
    words = signal.words(value).removesuffix(" at most").removesuffix(" at least")
    return re.sub(r"\bof (?!the )(\S+)", r"of `\1`", words)


def _times(row: Row) -> str:
    """That of the first variant, and of the others the ratio to it."""
    parts = [f"*{name}* {ratio(found)}" for name, found in row.times.items()]
    for found in row.times.values():
        if (time := found.time("wall_ms")) and time.median_before is not None:
            first = f"*{row.example.variants[0].name}* {_short(time.median_before)} ms"
            return "<br>".join([first, *parts])
    return "<br>".join(parts)


def ratio(found: Comparison) -> str:
    """ "12x faster (10 to 14)", or that there is no difference."""
    time = found.time("wall_ms")
    if time is None or time.change is None or time.outcome not in {"less", "more"}:
        return {"same": "no difference"}.get(found.outcome, "cannot tell")
    assert time.change_low is not None
    assert time.change_high is not None

    def factor(change: float) -> float:
        return 1 / (1 + change) if time.outcome == "less" else 1 + change

    low, high = sorted((factor(time.change_low), factor(time.change_high)))
    word = "faster" if time.outcome == "less" else "slower"
    return f"{_short(factor(time.change))}x {word} ({_short(low)} to {_short(high)})"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}" if value >= 3 else f"{value:.2f}"


def _verdicts(rows: list[Row]) -> list[str]:
    told = [row.example for row in rows if row.example.verdict_reason]
    if not told:
        return []
    lines = ["## Verdicts", "", "What there is to say beyond *reproduced*.", ""]
    lines += [
        f"- **{one.title}**: {one.verdict}. {one.verdict_reason}"
        for one in sorted(told, key=lambda one: one.verdict == "reproduced")
    ]
    return [*lines, ""]


def _findings(rows: list[Row]) -> list[str]:
    lines = [
        "## Which finding names which variant",
        "",
        "The slow variant is named, the others are not: tested for every example of which the",
        "[findings](../reference/findings.md) have a kind.",
        "",
        "| Finding | Example | Named | Silent on |",
        "|---|---|---|---|",
    ]
    found = [
        (kind, row)
        for row in rows
        for kind in sorted({kind for kinds in row.kinds.values() for kind in kinds})
    ]
    for kind, row in sorted(found, key=lambda pair: (pair[0], pair[1].example.number)):
        named = [name for name, kinds in row.kinds.items() if kind in kinds]
        silent = [name for name, kinds in row.kinds.items() if kind not in kinds]
        lines.append(
            _line(f"`{kind}`", row.example.title, ", ".join(named), ", ".join(silent) or "none")
        )
    without = [row.example.title for row in rows if not any(row.kinds.values())]
    if without:
        lines += ["", f"No finding speaks of: {'; '.join(without)}."]
    return [*lines, ""]


def _sources(rows: list[Row]) -> list[str]:
    lines = ["## Sources", "", "| | |", "|---|---|"]
    return [*lines, *(_line(source.key, source.title) for source in SOURCES), ""]


def _line(*cells: str) -> str:
    return f"| {' | '.join(_cell(cell) for cell in cells)} |"


def _cell(text: str) -> str:
    # In a table a bar ends the cell even within code.
    return " ".join(text.split()).replace("|", "\\|")


def machine() -> str:
    """The processor, how many, and the system."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists() and (found := re.search(r"model name\s*:\s*(.+)", info.read_text())):
        name = found[1]
    cores = os.cpu_count() or 1
    return f"{cores} x {name} on {platform.system()}"


def versions() -> str:
    if connection.vendor == "sqlite":
        database = f"SQLite {sqlite3.sqlite_version}"
    else:
        number = ".".join(map(str, connection.get_database_version()))
        database = f"{connection.display_name} {number}"
    return (
        f"Python {platform.python_version()}, Django {django.get_version()}, {database}, "
        f"django-hotpath {__version__}"
    )
