"""Texts from the outside in Markdown: as prose, as code, in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from django_hotpath.exporters._names import cut, visible

# What means something anywhere in a line; an underscore does at the edge of a word only.
_ANYWHERE = re.compile(r"([\\`*\[\]~|$])|(?<![^\W_])(_)|(_)(?![^\W_])")
_AT_START = re.compile(r"(\d*)([#>=]|[-+.)](?=[\s-]|$))")
# What GitHub makes links of: addresses, people, issues.
_LINKS = (
    (re.compile(r"#(?=\d)"), "&#35;"),
    (re.compile(r"(?<=[a-zA-Z])://"), "&#58;//"),
    (re.compile(r"(?i)\b(www)\."), r"\1&#46;"),
    (re.compile("@"), "&#64;"),
)
_MAX_CODE = 300
_BAR = re.compile(r"(?<!\\)\|")
_ESCAPED_BAR = r"\\|"


def text(value: str) -> str:
    """Prose in one line, in which no Markdown, no HTML, no link and no mention counts."""
    found = visible(value).strip().replace("&", "&amp;").replace("<", "&lt;")
    found = _ANYWHERE.sub(lambda match: f"\\{match[0]}", found)
    if match := _AT_START.match(found):
        found = f"{match[1]}\\{found[match.start(2) :]}"
    for pattern, replacement in _LINKS:
        found = pattern.sub(replacement, found)
    return found


def code(value: str) -> str:
    """Code in one line; the fence is longer than any in it."""
    clean = cut(" ".join(visible(value).split()), _MAX_CODE)
    if not clean:
        return "` `"
    fence = "`" * (_longest_run(clean) + 1)
    space = " " if clean.startswith("`") or clean.endswith("`") else ""
    return f"{fence}{space}{clean}{space}{fence}"


def block(value: str, language: str) -> Iterator[str]:
    """Lines of a fenced block."""
    lines = [visible(line.expandtabs(4)) for line in value.splitlines()]
    fence = "`" * max(_longest_run(value) + 1, 3)
    yield f"{fence}{language}"
    yield from lines
    yield fence


def row(cells: Sequence[str]) -> str:
    """A row of a table. A bar ends a cell, within code too, unless it is escaped."""
    return f"| {' | '.join(_BAR.sub(_ESCAPED_BAR, cell) for cell in cells)} |"


def _longest_run(value: str) -> int:
    return max((len(run) for run in re.findall("`+", value)), default=0)
