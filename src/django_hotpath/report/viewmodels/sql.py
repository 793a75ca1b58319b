"""SQL as text to read: formatted, shortened to a line, and split for emphasis."""

from __future__ import annotations

import re

FORMAT_LIMIT = 10_000
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
_STRUCTURE = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|[()]|\bFROM\b", re.IGNORECASE)
_SELECT = re.compile(r"\s*SELECT\s+(?:DISTINCT\s+)?", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"'(?:[^']|'')*'|\"(\w+)\"|`(\w+)`")


def formatted(text: str) -> str:
    """The statement over several lines; as it is when it is too long or cannot be read."""
    if len(text) > FORMAT_LIMIT:
        return text
    try:
        import sqlparse

        pretty = sqlparse.format(text, reindent=True, keyword_case="upper")
    except Exception:
        # sqlparse raises what it likes (recursion, its own limits); the raw text is still right.
        return text
    return str(pretty).strip() or text


def short(text: str) -> str:
    """One line that tells statements apart: long column lists and needless quotes left out."""
    line = " ".join(text[:_SCAN_LIMIT].split())
    start = _SELECT.match(line)
    if start:
        columns_end = _top_level_from(line, start.end())
        if columns_end is not None and columns_end - start.end() > 40:
            line = f"{line[: start.end()]}… {line[columns_end:]}"
    line = _PLAIN_NAME.sub(lambda m: m[1] or m[2] or m[0], line)
    return line if len(line) <= SHORT_LIMIT else line[: SHORT_LIMIT - 1] + "…"


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
