"""SQL as text to read: formatted, shortened to a line, and split for emphasis."""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

from django.utils.safestring import SafeString, mark_safe

SHORT_LIMIT = 240
_HIGHLIGHT_LIMIT = 20_000
_SCAN_LIMIT = 20_000

_TOKENS = re.compile(
    r"(?P<string>'(?:[^']|'')*')"
    r'|(?P<quoted>"[^"]*"|`[^`]*`)'
    r"|(?P<slot>%\([^)]*\)s|%s|\$\d+)"
    r"|\b(?P<keyword>SELECT|DISTINCT|FROM|WHERE|AND|OR|NOT|IN|IS|NULL|LIKE|BETWEEN|EXISTS|INNER|LEFT"
    r"|RIGHT|FULL|OUTER|CROSS|JOIN|ON|USING|AS|ORDER|GROUP|BY|HAVING|LIMIT|OFFSET|UNION|INTERSECT"
    r"|EXCEPT|ALL|INSERT|INTO|VALUES|UPDATE|SET|DELETE|RETURNING|CASE|WHEN|THEN|ELSE|END|WITH|ASC"
    r"|DESC|EXPLAIN|SAVEPOINT|RELEASE|ROLLBACK|TO|BEGIN|COMMIT|CREATE|ALTER|DROP|TABLE|INDEX|FOR)\b",
    re.IGNORECASE,
)
CLAUSES = (
    "FROM WHERE INNER LEFT RIGHT FULL CROSS JOIN ORDER GROUP HAVING LIMIT UNION INTERSECT EXCEPT "
    "VALUES SET RETURNING"
)
"""Words that begin a line of a formatted statement; the same as in ``queries.js``."""
_CLAUSES = frozenset(CLAUSES.split())
_JOINED = frozenset({"INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER"})
_BREAKS = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|[(),]"
    rf"|\b(?:SELECT|BETWEEN|AND|OR|OUTER|{'|'.join(CLAUSES.split())})\b",
    re.IGNORECASE,
)
# What is remembered from page to page is bounded: texts that are longer are not.
_CACHED_LETTERS = 2_000
_STRUCTURE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|[()]|\bFROM\b", re.IGNORECASE)
_SELECT = re.compile(r"\s*SELECT\s+(?:DISTINCT\s+)?", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"'(?:[^']|'')*'|\"(\w+)\"|`(\w+)`")


def formatted(text: str) -> str:
    """The statement with a line for each clause, selected column and condition.

    Only white space is changed, outside of quotes and brackets. As it is where it has lines
    already, or is very long.
    """
    if len(text) > _HIGHLIGHT_LIMIT or "\n" in text:
        return text
    lines = []
    depth = line = 0
    clause = before = ""
    for match in _BREAKS.finditer(text):
        word = match[0].upper()
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        if depth > 0 or not (word == "," or word.isalpha()):
            continue
        indent = None
        if word == ",":
            indent, place = (7, match.end()) if clause == "SELECT" else (None, 0)
        elif word in _CLAUSES and not (word == "JOIN" and before in _JOINED):
            indent, place = 0, match.start()
        elif word in {"AND", "OR"} and before != "BETWEEN" and clause != "SELECT":
            indent, place = 2, match.start()
        if indent is not None and (piece := text[line:place].strip()):
            lines.append(piece)
            line = place
            lines.append("\n" + " " * indent)
        if word == "SELECT" or word in _CLAUSES:
            clause = word
        before = word
    return "".join([*lines, text[line:].strip()])


def short(text: str) -> str:
    """One line that tells statements apart: long column lists and needless quotes left out."""
    return _short_cached(text) if len(text) <= _CACHED_LETTERS else _short(text)


def _short(text: str) -> str:
    line = " ".join(text[:_SCAN_LIMIT].split())
    start = _SELECT.match(line)
    if start:
        columns_end = _top_level_from(line, start.end())
        if columns_end is not None and columns_end - start.end() > 40:
            line = f"{line[: start.end()]}… {line[columns_end:]}"
    line = _PLAIN_NAME.sub(lambda m: m[1] or m[2] or m[0], line)
    return line if len(line) <= SHORT_LIMIT else line[: SHORT_LIMIT - 1] + "…"


_short_cached = lru_cache(maxsize=500)(_short)


def _top_level_from(line: str, start: int) -> int | None:
    depth = 0
    for match in _STRUCTURE.finditer(line, start):
        found = match[0]
        if found == "(":
            depth += 1
        elif found == ")":
            depth -= 1
        elif depth == 0 and found.upper() == "FROM":
            return match.start()
    return None


def marked_up(text: str) -> SafeString:
    """The statement as HTML, keywords, strings and placeholders marked."""
    return _marked_up_cached(text) if len(text) <= _CACHED_LETTERS else _marked_up(text)


def _marked_up(text: str) -> SafeString:
    return mark_safe(  # noqa: S308
        "".join(
            f"<b>{escape(part)}</b>"
            if kind == "keyword"
            else f'<i class="{kind}">{escape(part)}</i>'
            if kind
            else escape(part)
            for kind, part in segments(text)
        )
    )


_marked_up_cached = lru_cache(maxsize=500)(_marked_up)


def segments(text: str) -> list[tuple[str, str]]:
    """``(kind, text)`` pieces that join to the text; kind is keyword, string, slot or empty."""
    if len(text) > _HIGHLIGHT_LIMIT:
        return [("", text)]
    pieces: list[tuple[str, str]] = []
    plain = 0
    for match in _TOKENS.finditer(text):
        kind = match.lastgroup or ""
        if kind == "quoted":
            continue
        if match.start() > plain:
            pieces.append(("", text[plain : match.start()]))
        pieces.append((kind, match[0]))
        plain = match.end()
    if plain < len(text):
        pieces.append(("", text[plain:]))
    return pieces
