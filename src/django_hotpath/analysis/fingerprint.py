"""Which statements are the same but for their literals."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

_LITERALS = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<string>'[^']*(?:''[^']*)*')
    | (?P<identifier>"[^"]*"|`[^`]*`|\[[A-Za-z_][^\]\[]*\])
    | (?P<placeholder>%s|%\(\w+\)s|\?)
    | (?P<name>[A-Za-z_][\w$]*)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    """,
    re.VERBOSE | re.DOTALL,
)
_SPACE = re.compile(r"\s+")
_LIST = re.compile(r"\( ?\?(?: ?, ?\?)* ?\)")
_ROWS = re.compile(r"\(\?\)(?: ?, ?\(\?\))+")
_SAVEPOINT = re.compile(r"\b(savepoint) [\"`]?s\d+_x\d+[\"`]?")


def _replace(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind == "comment":
        return " "
    if kind == "identifier":
        return found[0]
    if kind == "name":
        return found[0].lower()
    return "?"


def normalise(sql: str) -> str:
    """The statement with literals as ``?``, lists and rows of them as one, and single spaces."""
    text = _LITERALS.sub(_replace, sql)
    text = _SPACE.sub(" ", text).strip()
    text = _LIST.sub("(?)", text)
    text = _ROWS.sub("(?)", text)
    return _SAVEPOINT.sub(r"\1 ?", text)


def fingerprint(sql: str) -> str:
    """16 hexadecimal digits, equal for statements that differ in literals only."""
    # Long statements would make the cache a leak.
    return _cached(sql) if len(sql) < 4_000 else _digest(sql)


@lru_cache(maxsize=2048)
def _cached(sql: str) -> str:
    return _digest(sql)


def _digest(sql: str) -> str:
    text = normalise(sql).encode("utf-8", "surrogatepass")
    return blake2b(text, digest_size=8).hexdigest()
