"""Names from the outside as the formats can bear them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from django_hotpath.analysis.paths import short_path

MAX_NAME = 1_000
"""Characters of a frame's name: stacks repeat it."""

# Operations that stand in the tree as frames; they have a text in place of a file.
NAMED_KINDS = frozenset({"sql", "cache", "template", "http", "middleware"})

# What cannot be seen, or moves what stands beside it: control characters, zero-width characters,
# and those that set the direction of writing.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


class Frame(NamedTuple):
    """A function, an operation or a line; ``file`` is empty and ``line`` 0 where there is none."""

    name: str
    file: str
    line: int
    kind: str

    @property
    def text(self) -> str:
        """``name (file:line)`` in one line, for formats that know texts only."""
        place = f" ({short_path(self.file)}:{self.line})" if self.file else ""
        return visible(f"{self.name}{place}")


def frame_of(function: Mapping[str, Any]) -> Frame:
    """From a row of a function table."""
    return Frame(
        name=cut(valid(str(function["function"]))),
        file=cut(valid(str(function["file"] or ""))),
        line=max(int(function["line"] or 0), 0),
        kind=str(function["kind"]),
    )


def valid(text: str) -> str:
    """The text as valid Unicode: lone surrogates become ``\\udcff``."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def cut(text: str, limit: int = MAX_NAME) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def visible(text: str) -> str:
    """The text in one line, with a code in place of each character that cannot be seen."""
    return _UNSEEN.sub(_code, valid(text))


def _code(match: re.Match[str]) -> str:
    number = ord(match[0])
    if match[0] in "\t\n\r":
        return " "
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
