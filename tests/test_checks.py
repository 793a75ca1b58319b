from __future__ import annotations

from typing import Any

import pytest

from django_hotpath.checks import MIDDLEWARE, check_middleware, check_settings, check_urls

CACHE = "django.middleware.cache.UpdateCacheMiddleware"
GZIP = "django.middleware.gzip.GZipMiddleware"
TOOLBAR = "debug_toolbar.middleware.DebugToolbarMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"


@pytest.mark.parametrize(
    ("middleware", "ids"),
    [
        ([MIDDLEWARE, COMMON], []),
        ([GZIP, MIDDLEWARE, TOOLBAR, COMMON], []),
        ([COMMON], ["hotpath.W001"]),
        ([MIDDLEWARE, COMMON, MIDDLEWARE], ["hotpath.E001"]),
        ([TOOLBAR, MIDDLEWARE], ["hotpath.W002"]),
        ([MIDDLEWARE, GZIP], ["hotpath.W003"]),
        ([CACHE, MIDDLEWARE], ["hotpath.W004"]),
        ([TOOLBAR, MIDDLEWARE, GZIP], ["hotpath.W002", "hotpath.W003"]),
    ],
)
def test_place_of_the_middleware(settings: Any, middleware: list[str], ids: list[str]) -> None:
    settings.MIDDLEWARE = middleware
    assert [message.id for message in check_middleware(None)] == ids


@pytest.mark.parametrize(
    ("value", "identifier", "hint"),
    [
        ([], "hotpath.E002", "HOTPATH = {...}"),
        ({"SLOW_QUERRY_MS": 1}, "hotpath.E003", 'Did you mean "SLOW_QUERY_MS"?'),
        ({"XYZ": 1}, "hotpath.E003", "Known: INSTRUMENTS"),
        ({"MAX_CAPTURES": "9"}, "hotpath.E004", "a whole number"),
        ({"INSTRUMENTS": ["querys"]}, "hotpath.E005", 'Did you mean "queries"?'),
        ({"INSTRUMENTS": [["calls"]]}, "hotpath.E005", 'Did you mean "calls"?'),
        ({"PRESETS": {"mine": ["call"]}}, "hotpath.E005", 'Did you mean "calls"?'),
        ({"ALLOW": "no.such.thing"}, "hotpath.E006", "dotted path"),
        ({"STORE": {"BACKEND": "no.such.Store"}}, "hotpath.E006", "dotted path"),
        ({"EDITOR_URL": "vscod"}, "hotpath.E008", 'Did you mean "vscode"?'),
        ({"EDITOR_URL": "javascript:{file}"}, "hotpath.E008", "myeditor://"),
    ],
)
def test_wrong_settings_are_named(settings: Any, value: Any, identifier: str, hint: str) -> None:
    settings.HOTPATH = value
    (message,) = check_settings(None)
    assert message.id == identifier
    assert hint in message.hint


def test_right_settings_pass(settings: Any) -> None:
    settings.HOTPATH = {"INSTRUMENTS": ["cprofile", "queries"], "MAX_AGE": None, "ALLOW": None}
    assert check_settings(None) == []


def test_urls_that_are_not_included_are_an_info(settings: Any) -> None:
    assert check_urls(None) == []
    settings.ROOT_URLCONF = "tests.urls_without_hotpath"
    (message,) = check_urls(None)
    assert message.id == "hotpath.I001"


def test_every_check_has_a_line_in_the_docs(settings: Any) -> None:
    import re
    from pathlib import Path

    from django_hotpath import checks

    ids = set(re.findall(r'"(hotpath\.[EWI]\d+)"', Path(checks.__file__).read_text()))
    docs = (settings.BASE_DIR / "docs" / "reference" / "checks.md").read_text()
    assert ids
    assert [name for name in sorted(ids) if f"`{name}`" not in docs] == []
