"""Keeps secrets out of captures: by the name of the parameter, column or key that carries them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_plus, urlsplit, urlunsplit

from django.core.signals import setting_changed
from django.dispatch import receiver

from django_hotpath.analysis.placeholders import Reading, read
from django_hotpath.conf import settings

MASK = "***"

# Long statements would make the cache a leak.
_MAX_CACHED = 4_000
_MAX_KEY = 200
_MAX_JSON = 100_000

_BY_KEY = re.compile(r"->|#>|json|\?", re.IGNORECASE)
_NAME = re.compile(
    r"(?<![\w-])(?P<name>[\w-]++)(?P<quote>[\"')\]]{0,2})[ \t]{0,8}(?:=>|={1,3}|:=?|!=)[ \t]{0,8}"
)
_VALUE = re.compile(
    r"""
    [bru]{0,2}(?:'(?:[^'\\]|\\.)*+(?:'|\\?\Z) | "(?:[^"\\]|\\.)*+(?:"|\\?\Z))
  | \([^)]*+\)? | \[[^\]]*+\]? | \{[^}]*+\}?
  | (?:(?:Bearer|Basic|Token|Digest)[ ]++)?+(?P<plain>[^\s&]++)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_LINE = re.compile(r"[^\r\n]++")
_ERROR = re.compile(r"(?:Error|Exception|Warning)$")
_DATABASE = re.compile(
    r"(?P<intro>Failing row contains |Duplicate entry |Key )(?P<rest>[('][^\n]*+)"
)


@lru_cache(maxsize=4)
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    """As few expressions as possible: groups and flags of one are not those of another."""
    plain, apart = [], []
    for pattern in patterns:
        try:
            found = re.compile(pattern, re.IGNORECASE)
        except (re.error, OverflowError, RecursionError):
            continue
        if "(" in pattern:
            apart.append(found)
        else:
            plain.append(f"(?:{pattern})")
    return (re.compile("|".join(plain), re.IGNORECASE), *apart) if plain else tuple(apart)


def _patterns() -> tuple[re.Pattern[str], ...]:
    return _compiled(tuple(pattern for pattern in settings.REDACT if isinstance(pattern, str)))


def is_secret(name: str) -> bool:
    return any(pattern.search(name) for pattern in _patterns())


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
    ends = [found.end() for pattern in _patterns() if (found := pattern.search(key))]
    return f"{key[: min(ends)]}{MASK}" if ends else key


def url(text: str) -> str:
    """The address without its fragment, who asks masked, and the values of secret parameters.

    All of it is masked where it cannot be taken apart.
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        return MASK
    _user, at, host = parts.netloc.rpartition("@")
    netloc = f"{MASK}@{host}" if at else host
    return urlunsplit((parts.scheme, netloc, parts.path, query_string(parts.query), ""))


def path(path: str, kwargs: Mapping[str, object]) -> str:
    """The path with the values of secret URL keyword arguments masked.

    ``kwargs`` are those that the path gave, ``resolver_match.captured_kwargs``. Where a converter
    made a value into something that the path does not hold, the whole path is masked.
    """
    values = {
        str(value)
        for name, value in kwargs.items()
        if value is not None and not isinstance(value, bool) and is_secret(name)
    }
    done: list[str] = []
    for value in sorted(filter(None, values), key=len, reverse=True):
        masked = path
        for spelling in {value, quote(value), quote(value, safe="")}:
            # One that is short may be part of other words.
            alone = re.sub(rf"(?<!\w){re.escape(spelling)}(?!\w)", MASK, masked)
            short = len(spelling) < 4 and alone != masked
            masked = alone if short else masked.replace(spelling, MASK)
        if masked == path and not any(value in longer for longer in done):
            return f"/{MASK}"
        path = masked
        done.append(value)
    return path


def message(text: str) -> str:
    """Free text with the values of ``name=value`` and ``name: value`` masked for secret names.

    Quoted values to their closing quote, others to the next space; ``Cookie:`` and
    ``Authorization:`` to the end of the line.
    """
    text = _DATABASE.sub(_mask_row, text)
    parts, done = [], 0
    for found in _NAME.finditer(text):
        name = found["name"]
        if found.start() < done or _ERROR.search(name) or not is_secret(name):
            continue
        header = name.lower().endswith(("cookie", "authorization")) and not found["quote"]
        value = (_LINE if header else _VALUE).match(text, found.end())
        if value is None:
            continue
        # The punctuation after a value is not part of it.
        plain = "" if header else value["plain"] or ""
        end = value.end() - (len(plain) - len(plain.rstrip(",;.)]}>\"'")))
        if end > found.end():
            parts += [text[done : found.end()], MASK]
            done = end
    return "".join([*parts, text[done:]])


def _mask_row(found: re.Match[str]) -> str:
    """What databases say of a row: without its columns, or with the values apart from them."""
    intro, rest = found["intro"], found["rest"]
    if intro == "Key ":
        names, apart, values = rest.partition(")=(")
        if apart and is_secret(names):
            rest = f"{names}{apart}{MASK}){values.rpartition(')')[2]}"
    elif intro == "Duplicate entry ":
        _entry, apart, key = rest.rpartition(" for key ")
        if apart and is_secret(key):
            rest = f"'{MASK}'{apart}{key}"
    else:
        rest = f"({MASK})"
    return f"{intro}{rest}"


def json_text(text: str) -> str:
    """A text that is a JSON object or array, with the values of secret keys masked.

    Any other text as it is. What only begins like JSON, or is cut for its length, is treated as
    free text.
    """
    if text[:64].lstrip()[:1] not in ("{", "["):
        return text
    text = text[:_MAX_JSON]
    if not is_secret(text) and "\\u" not in text:
        return text
    try:
        found = json.loads(text)
        masked = _mask_keys(found)
        return text if masked == found else json.dumps(masked, ensure_ascii=False)
    except ValueError:
        return message(text)
    except RecursionError:
        return MASK


def _mask_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: MASK if is_secret(key) else _mask_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_keys(item) for item in value]
    return json_text(value) if isinstance(value, str) else value


def parameter(value: Any) -> Any:
    """A parameter that is shown, with what JSON in it keeps under secret keys masked."""
    if type(value) is str:
        return json_text(value)
    if type(value) in (list, tuple):
        return [parameter(item) if type(item) is str else item for item in value]
    return value


def statement(sql: str, params: Any = None) -> Reading | None:
    """What may be shown of a statement and its parameters; None for everything.

    A key of JSON that the statement looks up is one of its parameters, and may name a secret too.
    """
    reading, by_key = _cached(sql) if len(sql) <= _MAX_CACHED else _read(sql)
    if reading is None and by_key and params and _names_secret(params):
        return replace(read(sql, is_secret, MASK), text=sql)
    return reading


def _names_secret(params: Any) -> bool:
    values = params.values() if isinstance(params, dict) else params
    return isinstance(params, (dict, list, tuple)) and any(
        type(value) is str and len(value) <= _MAX_KEY and is_secret(value) for value in values
    )


def _read(sql: str) -> tuple[Reading | None, bool]:
    if not is_secret(sql):
        return None, _BY_KEY.search(sql) is not None
    return read(sql, is_secret, MASK), False


_cached = lru_cache(maxsize=2048)(_read)


def secret_positions(sql: str) -> frozenset[int]:
    """Which placeholders carry, or may carry, a secret: by position in the order they appear."""
    reading = statement(sql)
    return reading.masked if reading else frozenset()


def secret_names(sql: str) -> frozenset[str]:
    """Which names of ``%(name)s`` carry, or may carry, a secret."""
    reading = statement(sql)
    return reading.masked_names if reading else frozenset()


def sql_text(sql: str) -> str:
    """The statement; its literals masked if it names a secret."""
    reading = statement(sql)
    return reading.text if reading else sql


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "HOTPATH":
        _cached.cache_clear()
