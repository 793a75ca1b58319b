"""Keeps secrets out of captures: by the name of the parameter, column or key that carries them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from django.core.signals import setting_changed
from django.dispatch import receiver

from django_hotpath.conf import settings

MASK = "***"

_PLACEHOLDER_COLUMN = re.compile(
    r"""
    (?:["`\[]?(?P<column>\w+)["`\]]?\s*                 # a column, quoted or not
       (?:=|<>|!=|<=|>=|<|>|\bI?LIKE\b|\bREGEXP\b|\bIN\b\s*\() # compared or assigned
       \s*)?
    (?P<placeholder>%s|\?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_INSERT = re.compile(
    r"^\s*(?:INSERT|REPLACE)\b[^(]*\((?P<columns>[^()]*)\)\s*(?:VALUES|SELECT)", re.IGNORECASE
)


@lru_cache(maxsize=4)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    valid = []
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, TypeError):
            continue
        valid.append(f"(?:{pattern})")
    return re.compile("|".join(valid), re.IGNORECASE) if valid else None


def is_secret(name: str) -> bool:
    pattern = _compiled(tuple(settings.REDACT))
    return pattern is not None and pattern.search(name) is not None


def query_string(text: str) -> str:
    """The query string with the values of secret parameters masked."""
    if not text:
        return text
    parts = []
    for part in text.split("&"):
        name, equals, _value = part.partition("=")
        parts.append(f"{name}={MASK}" if equals and is_secret(unquote_plus(name)) else part)
    return "&".join(parts)


def cache_key(key: str) -> str:
    """The key up to and including the word that makes it secret, the rest masked."""
    pattern = _compiled(tuple(settings.REDACT))
    found = pattern.search(key) if pattern else None
    return f"{key[: found.end()]}{MASK}" if found else key


@lru_cache(maxsize=2048)
def secret_positions(sql: str) -> frozenset[int]:
    """Which placeholders of the statement carry the value of a secret column.

    Reads ``"column" = %s``, ``"column" IN (%s, %s)`` and the column list of an INSERT.
    """
    if not is_secret(sql):
        return frozenset()
    insert = _INSERT.match(sql)
    columns = [name.strip(' "`[]') for name in insert["columns"].split(",")] if insert else []
    secret: set[int] = set()
    column = ""
    end = 0
    for position, found in enumerate(_PLACEHOLDER_COLUMN.finditer(sql)):
        if columns:
            column = columns[position % len(columns)]
        elif found["column"]:
            column = found["column"]
        elif sql[end : found.start()].strip(" ,") != "":
            # Not a further member of the same IN (...) list.
            column = ""
        end = found.end()
        if column and is_secret(column):
            secret.add(position)
    return frozenset(secret)


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "HOTPATH":
        secret_positions.cache_clear()
