"""The settings: one table of defaults, read lazily, reread when ``HOTPATH`` changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.dispatch import receiver


@dataclass(frozen=True)
class Option:
    default: Any
    types: tuple[type, ...]
    expects: str
    optional: bool = False
    least: float | None = None

    def accepts(self, value: Any) -> bool:
        if value is None:
            return self.optional
        if isinstance(value, bool) and bool not in self.types:
            return False
        if not isinstance(value, self.types):
            return False
        return self.least is None or (isinstance(value, (int, float)) and value >= self.least)


_NAMES = "a list of names"
_NUMBER = "a number"

# What "SUMMARIES": True keeps.
DEFAULT_SUMMARIES = 2_000

OPTIONS: dict[str, Option] = {
    "INSTRUMENTS": Option(
        ["calls", "queries", "cache", "templates", "http", "middleware", "gc", "memory"],
        (list, tuple),
        _NAMES,
    ),
    "PRESETS": Option(
        {
            "cpu": ["calls"],
            "lines": ["lines"],
            "memory": ["allocations", "line_memory"],
            "sql": ["queries"],
            "all": [
                "calls",
                "lines",
                "line_memory",
                "allocations",
                "queries",
                "cache",
                "templates",
                "http",
                "middleware",
                "gc",
                "eventloop",
                "memory",
            ],
            "usage": ["queries", "usage"],
        },
        (dict,),
        "a dict of lists of names",
    ),
    "ALLOW": Option(None, (str,), "the dotted path of a callable(request) -> bool", optional=True),
    "STORE": Option(
        {"BACKEND": "django_hotpath.stores.sqlite.SQLiteStore", "OPTIONS": {}},
        (dict,),
        'a dict with "BACKEND" and, if needed, "OPTIONS"',
    ),
    "MAX_CAPTURES": Option(200, (int,), "a whole number"),
    "MAX_AGE": Option(7 * 24 * 3600, (int, float), "seconds, or None", optional=True),
    "SUMMARIES": Option(
        True, (bool, int), "True, False, or how many requests to keep (0 or more)", least=0
    ),
    "SLOW_REQUEST_MS": Option(500, (int, float), "milliseconds, or None for no log", optional=True),
    "SLOW_QUERY_MS": Option(100, (int, float), _NUMBER),
    "BLOCKING_MS": Option(50, (int, float), _NUMBER),
    "N_PLUS_ONE_THRESHOLD": Option(3, (int,), "a whole number"),
    "PROJECT_ROOTS": Option([], (list, tuple), "a list of folders"),
    "REDACT": Option(
        [
            "password",
            "passwd",
            "secret",
            "token",
            "api_?key",
            "authori[sz]ation",
            "session",
            "cookie",
            "credit_?card",
            "card_?number",
            "cvv",
            "iban",
            "(?<![a-z])ssn(?![a-z])",
        ],
        (list, tuple),
        "a list of regular expressions",
    ),
    "EDITOR_URL": Option(
        None, (str,), 'the name of an editor or a URL with "{file}" and "{line}"', optional=True
    ),
    "CALIBRATE": Option(True, (bool,), "True or False"),
    "VMPROF_UNSAFE": Option(False, (bool,), "True or False"),
    "PARAMETER": Option("profile", (str,), "the name of the query parameter"),
}


class Settings:
    """``HOTPATH`` with the defaults filled in, as attributes.

    A value of a wrong type counts as absent here (and is an error in the system checks), so that
    no request ever fails over a setting of ours. Attributes live in the instance's ``__dict__``
    once read: the middleware looks at them on every request.
    """

    INSTRUMENTS: list[str]
    PRESETS: dict[str, list[str]]
    ALLOW: str | None
    STORE: dict[str, Any]
    MAX_CAPTURES: int
    MAX_AGE: float | None
    SUMMARIES: int
    """How many requests the history keeps; 0: none."""
    SLOW_REQUEST_MS: float | None
    SLOW_QUERY_MS: float
    BLOCKING_MS: float
    N_PLUS_ONE_THRESHOLD: int
    PROJECT_ROOTS: list[str]
    REDACT: list[str]
    EDITOR_URL: str | None
    CALIBRATE: bool
    VMPROF_UNSAFE: bool
    PARAMETER: str

    def __getattr__(self, name: str) -> Any:
        if name not in OPTIONS:
            raise AttributeError(name)
        self.__dict__.update(_load())
        return self.__dict__[name]

    def forget(self) -> None:
        self.__dict__.clear()


settings = Settings()


def user_settings() -> Any:
    """What the project wrote, unchecked."""
    return getattr(django_settings, "HOTPATH", {})


def _load() -> dict[str, Any]:
    given = user_settings()
    if not isinstance(given, Mapping):
        given = {}
    values: dict[str, Any] = {}
    for name, option in OPTIONS.items():
        value = given.get(name, option.default)
        values[name] = value if option.accepts(value) else option.default
    values["PRESETS"] = {**OPTIONS["PRESETS"].default, **values["PRESETS"]}
    values["STORE"] = {**OPTIONS["STORE"].default, **values["STORE"]}
    if isinstance(values["SUMMARIES"], bool):
        values["SUMMARIES"] = DEFAULT_SUMMARIES if values["SUMMARIES"] else 0
    return values


def nearest(name: str, known: Iterator[str] | list[str]) -> str | None:
    """The known name most like this one, or None when nothing is near."""
    candidates = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(str(name).casefold(), list(candidates), n=1, cutoff=0.6)
    return candidates[found[0]] if found else None


@receiver(setting_changed)
def _reload(*, setting: str, **kwargs: Any) -> None:
    if setting in {"HOTPATH", "BASE_DIR", "DEBUG"}:
        settings.forget()
