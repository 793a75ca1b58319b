"""A comparison as Markdown, for a pull request."""

from __future__ import annotations

import re

from django_hotpath.analysis.compare.model import Comparison, Measured
from django_hotpath.report import formats

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")
_MAX = 200
_SHOWN = 10


def markdown(comparison: Comparison) -> str:
    """A verdict, a table of figures, queries and findings that changed. No HTML of the user's."""
    lines = [
        f"**{_plain(comparison.b.label)}: {_plain(comparison.verdict)}**",
        "",
        f"| | Before ({_runs(comparison.a.ids)}) | After ({_runs(comparison.b.ids)}) | |",
        "|---|---:|---:|---|",
    ]
    lines += [_time(found) for found in comparison.times]
    for counted in comparison.counts:
        write = formats.byte_size if counted.unit == "bytes" else formats.count
        cells = [
            formats.MISSING
            if values is None
            else write(values[0])
            if values[0] == values[1]
            else f"{write(values[0])} to {write(values[1])}"
            for values in (counted.before, counted.after)
        ]
        if cells[0] != cells[1]:
            lines.append(f"| {counted.label} | {cells[0]} | {cells[1]} | |")
    findings = [found for found in comparison.findings if found.state != "still"]
    words = {"fixed": "Fixed", "new": "New"}
    lines += _list(
        "Findings", [f"{words[found.state]}: {_plain(found.title)}" for found in findings]
    )
    lines += _list(
        "Queries",
        [
            f"{found.before:g} → {found.after:g} times at "
            f"{_plain(str(found.after_site or found.before_site))}: {_code(found.sql)}"
            for found in comparison.queries
            if found.state != "same"
        ],
    )
    lines += _list("Mind", [_plain(text) for text in comparison.cautions])
    return "\n".join(lines) + "\n"


def _runs(ids: tuple[str, ...]) -> str:
    return "1 run" if len(ids) == 1 else f"{len(ids)} runs, median"


def _time(found: Measured) -> str:
    before, after = formats.ms(found.median_before), formats.ms(found.median_after)
    text = "" if found.outcome == "too_few" else _plain(found.text)
    return f"| {found.label} | {before} | {after} | {text} |"


def _list(title: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = [f"- and {len(items) - _SHOWN} more"] if len(items) > _SHOWN else []
    return ["", f"{title}:", *(f"- {item}" for item in items[:_SHOWN]), *more]


def _plain(text: str) -> str:
    """The text as text: nothing in it is markup, and it stays on its line."""
    line = " ".join(text.split())
    return _SPECIAL.sub(r"\\\1", line[:_MAX] + ("…" if len(line) > _MAX else ""))


def _code(text: str) -> str:
    """As code, in more backticks than there are in it."""
    line = " ".join(text.split())
    line = line[:_MAX] + ("…" if len(line) > _MAX else "")
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence}{' ' if longest else ''}{line}{' ' if longest else ''}{fence}"
