"""A statement cut into tokens, once and in linear time, whatever the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What lies further on is masked: after 600 rows of eleven columns, or 7,000 values of one IN.
MAX_TOKENS = 15_000

# A backslash before a quote ends the string in one database and escapes the quote in another:
# from there on ("rest"), and from a quote that nothing closes, the text is not read.
_TOKEN = re.compile(
    r"""
    (?P<skip>\s++
        | ::\s*+\w++(?:\s*+\(\s*+\d++(?:\s*+,\s*+\d++)?\s*+\))?+(?:\[\d*+\])*+)
  | (?P<comment>--[^\n]*+ | /\*.*?\*/)
  | (?P<escape>(?<=[Ee][Ss][Cc][Aa][Pp][Ee][ ])'\\'(?!'))
  | (?P<string>'(?:[^'\\]++|\\[^']|'')*+'
        | (?P<dollar>\$(?:[^\W\d]\w*+)?+\$).*?(?P=dollar))
  | (?P<slot>%(?:\((?P<key>[^()]{1,200}+)\))?+[sbt])
  | (?P<mark>\?(?![|&?]))
  | (?P<quoted>"(?:[^"\\]++|\\[^"]|"")*+" | `(?:[^`]++|``)*+` | \[[A-Za-z_][\w ]*+\])
  | (?P<number>\d[\w.]*+)
  | (?P<name>[^\W\d][\w$]*+)
  | (?P<operator>->>?|\#>>?|%%|[<>=~!@\#^&|]++)
  | (?P<rest>(?:['"`]|/\*|\$(?:[^\W\d]\w*+)?+\$).*+)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SLOT = re.compile(r"%(?:\(([^()]{1,200}+)\))?+[sbt]|\?")


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COMPARISONS = words("= == <> != < > <= >= <=> ~ ~* !~ !~* ~~ !~~")
_KEYWORDS = words(
    """ALL AND ANY AS ASC BETWEEN BINARY BY CASE COLLATE CROSS DEFAULT DELETE DESC DISTINCT DO ELSE
    END ESCAPE EXCEPT EXISTS FETCH FILTER FOR FROM FULL GLOB GROUP HAVING ILIKE IN INNER INSERT
    INTERSECT INTO IS JOIN LATERAL LEFT LIKE LIMIT MATCH NATURAL NOT NULL OFFSET ON ONLY OR ORDER
    OUTER OVER REGEXP RETURNING RIGHT RLIKE SELECT SET SOME THEN UNION UPDATE USING VALUES WHEN
    WHERE WINDOW WITH"""
)


@dataclass
class Tokens:
    """Parallel lists. Casts, spaces and comments are left out.

    Kinds: word (a keyword, its text in capitals), name (quoted or not), slot, string, escape,
    number, compare, other. ``keys`` holds for each slot, in order, the name of ``%(name)s``.
    """

    kinds: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    comments: list[tuple[int, int]] = field(default_factory=list)
    # Where the part begins that was not read, and the keys of its slots.
    rest: int | None = None
    rest_keys: list[str | None] = field(default_factory=list)

    def at(self, index: int) -> str:
        """The text of a token; nothing outside of the statement."""
        return self.texts[index] if 0 <= index < len(self.texts) else ""

    def is_name(self, index: int) -> bool:
        return 0 <= index < len(self.kinds) and self.kinds[index] == "name"


def tokens(sql: str) -> Tokens:
    found = Tokens()
    kinds, texts, spans = found.kinds, found.texts, found.spans
    marks = []
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or "other"
        if kind == "skip":
            continue
        if kind == "rest" or len(kinds) + len(found.comments) == MAX_TOKENS:
            found.rest = match.start()
            break
        if kind == "comment":
            found.comments.append(match.span())
            continue
        text = match[0]
        if kind == "name":
            capitals = text.upper()
            if capitals in _KEYWORDS:
                kind, text = "word", capitals
        elif kind == "quoted":
            kind = "name"
        elif kind == "operator":
            kind = "compare" if text in _COMPARISONS else "other"
        elif kind == "slot":
            found.keys.append(match["key"])
        elif kind == "mark":
            marks.append(len(kinds))
            kind = "other"
        kinds.append(kind)
        texts.append(text)
        spans.append(match.span())
    rest = "" if found.rest is None else sql[found.rest :]
    # Beside %s, a question mark is an operator of PostgreSQL.
    percent = bool(found.keys) or "%s" in rest
    if not percent:
        for mark in marks:
            kinds[mark] = "slot"
            found.keys.append(None)
    for match in _SLOT.finditer(rest):
        if not (percent and match[0] == "?"):
            found.rest_keys.append(match[1])
    return found


def bare(name: str) -> str:
    """The name without its quotes, as names are compared."""
    return (name[1:-1] if name[0] in '"`[' else name).casefold()
