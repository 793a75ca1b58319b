from __future__ import annotations

from typing import Any

import pytest

from django_hotpath import redact


def test_query_string_masks_values_of_secret_names_only() -> None:
    text = "q=book&access_token=abc&a=&flag&Pass%77ord=x"
    assert redact.query_string(text) == "q=book&access_token=***&a=&flag&Pass%77ord=***"


@pytest.mark.parametrize(
    ("sql", "secret"),
    [
        ('SELECT * FROM "u" WHERE "u"."id" = %s', set()),
        ('SELECT "u"."password" FROM "u" WHERE "u"."id" = %s', set()),
        ('UPDATE "u" SET "password" = %s, "name" = %s WHERE "id" = %s', {0}),
        ('SELECT 1 FROM "s" WHERE "s"."session_key" = %s AND "s"."n" > %s', {0}),
        ('SELECT 1 FROM "t" WHERE "t"."token" IN (%s, %s, %s) AND "t"."n" = %s', {0, 1, 2}),
        ('INSERT INTO "u" ("name", "password") VALUES (%s, %s), (%s, %s)', {1, 3}),
        ("SELECT 1 FROM u WHERE secret LIKE %s ESCAPE '\\'", {0}),
        ("SELECT %s, token FROM u", set()),
    ],
)
def test_secret_positions_are_those_of_secret_columns(sql: str, secret: set[int]) -> None:
    assert redact.secret_positions(sql) == secret


def test_cache_keys_are_masked_from_the_secret_word_on() -> None:
    assert redact.cache_key("django.contrib.sessions.cacheabc") == "django.contrib.session***"
    assert redact.cache_key("books:1") == "books:1"


def test_patterns_come_from_the_settings(settings: Any) -> None:
    settings.HOTPATH = {"REDACT": ["book", "(broken"]}
    assert redact.is_secret("facebook")
    assert not redact.is_secret("password")
