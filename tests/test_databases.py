"""The databases that tests are given."""

from __future__ import annotations

import pytest
from django.db import connections

from tests import databases
from tests.databases import needs

URL = "postgresql://me:se%2Fcret@127.0.0.1:5433/mine"


def test_a_url_becomes_the_settings_of_a_database_for_each_alias(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOTPATH_TEST_POSTGRESQL", URL)
    found = databases.server("postgresql", "other")
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "mine_other",
        "USER": "me",
        "PASSWORD": "se/cret",
        "HOST": "127.0.0.1",
        "PORT": "5433",
    }


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("oracle", "not one of sqlite, postgresql, mariadb"),
        ("mariadb", "needs the URL of a server in HOTPATH_TEST_MARIADB: see .ci/services"),
    ],
)
def test_a_database_that_is_not_there_says_why(
    monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.delenv("HOTPATH_TEST_MARIADB", raising=False)
    assert databases.unavailable(name) == reason
    monkeypatch.setenv("HOTPATH_TEST_DATABASE", name)
    with pytest.raises(RuntimeError, match=reason):
        databases.chosen()


@pytest.mark.django_db(databases=["default", "postgresql", "mariadb"])
@needs("postgresql", "mariadb")
def test_both_servers_can_be_used_beside_the_database_of_the_suite() -> None:
    found = {alias: connections[alias].display_name for alias in ("postgresql", "mariadb")}
    assert found == {"postgresql": "PostgreSQL", "mariadb": "MariaDB"}
