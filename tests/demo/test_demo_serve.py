"""What `make demo-services` finds, and what it says of the rest."""

from __future__ import annotations

import os
from importlib.util import find_spec

import pytest
from tests.require import require

import serve
from demo import services


def test_without_servers_each_is_told_with_what_takes_its_place() -> None:
    lines, environment = serve.look({"HOME": "/root"})
    assert lines == [
        "not found  PostgreSQL: HOTPATH_DEMO_POSTGRES is not set. Used in its place: SQLite",
        "not found  Redis: HOTPATH_DEMO_REDIS is not set. Used in its place: local memory",
        "not found  Celery: it needs Redis. Used in its place: a thread",
    ]
    assert environment == {"HOME": "/root"}


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("HOTPATH_DEMO_POSTGRES", "postgres://hotpath@127.0.0.1:1/hotpath"),
        ("HOTPATH_DEMO_REDIS", "redis://127.0.0.1:1/0"),
    ],
)
def test_a_server_that_does_not_answer_is_not_used(variable: str, url: str) -> None:
    lines, environment = serve.look({variable: url})
    assert all(line.startswith("not found") for line in lines)
    assert environment == {}


def test_what_the_driver_lacks_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "find_spec", lambda name: None)
    with pytest.raises(LookupError, match="psycopg is not installed: python -m pip install"):
        services.postgresql_found("postgres://127.0.0.1/hotpath")


def test_an_address_becomes_settings() -> None:
    found = services.postgresql("postgres://me:p%40ss@db:5433/shop?sslmode=require")
    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }


def test_an_address_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="HOTPATH_DEMO_POSTGRES"):
        services.postgresql("mysql://localhost/shop")


@pytest.mark.database_server
@pytest.mark.parametrize(
    ("given", "variable", "module", "name"),
    [
        ("HOTPATH_TEST_POSTGRESQL", "HOTPATH_DEMO_POSTGRES", "psycopg", "PostgreSQL"),
        ("HOTPATH_TEST_REDIS", "HOTPATH_DEMO_REDIS", "redis", "Redis"),
    ],
)
def test_a_server_that_answers_is_used(given: str, variable: str, module: str, name: str) -> None:
    url = os.environ.get(given, "")
    require(bool(url), f"needs the URL of a server in {given}: see .ci/services")
    require(find_spec(module) is not None, f"needs {module}: pip install {module}")
    lines, environment = serve.look({variable: url})
    assert any(line.startswith(f"found      {name} ") for line in lines)
    assert environment == {variable: url}
