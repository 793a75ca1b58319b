"""Which databases the tests run on, and what a test needs that wants another one.

The suite runs on SQLite, or on the server that ``HOTPATH_TEST_DATABASE`` names. Servers are found
by ``HOTPATH_TEST_POSTGRESQL`` and ``HOTPATH_TEST_MARIADB``; ``.ci/services`` starts them and sets
both.
"""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.conf import settings

from tests.require import require

# Name: the variable with its URL, Django's backend, the module of the driver.
SERVERS = {
    "postgresql": ("HOTPATH_TEST_POSTGRESQL", "django.db.backends.postgresql", "psycopg"),
    "mariadb": ("HOTPATH_TEST_MARIADB", "django.db.backends.mysql", "MySQLdb"),
}


def chosen() -> dict[str, dict[str, Any]]:
    """``DATABASES``: ``default`` and ``other``; with ``HOTPATH_TEST_ALL_DATABASES=1`` the servers
    too, under their own names."""
    kind = os.environ.get("HOTPATH_TEST_DATABASE") or "sqlite"
    if kind != "sqlite" and (reason := unavailable(kind)):
        raise RuntimeError(f"HOTPATH_TEST_DATABASE={kind}: {reason}")
    make = _sqlite if kind == "sqlite" else lambda alias: server(kind, alias)
    found = {alias: make(alias) for alias in ("default", "other")}
    if os.environ.get("HOTPATH_TEST_ALL_DATABASES") == "1":
        found |= {name: server(name, name) for name in SERVERS if unavailable(name) is None}
    return found


def unavailable(name: str) -> str | None:
    """Why this server cannot be used; None when it can, as far as is known without asking it."""
    if name not in SERVERS:
        return f"not one of sqlite, {', '.join(SERVERS)}"
    variable, _engine, driver = SERVERS[name]
    if not os.environ.get(variable):
        return f"needs the URL of a server in {variable}: see .ci/services"
    if find_spec(driver) is None:
        return f"needs {driver}: pip install --group databases"
    return None


def server(name: str, alias: str) -> dict[str, Any]:
    """The settings of the database that this alias stands for."""
    variable, engine, _driver = SERVERS[name]
    url = urlsplit(os.environ[variable])
    database = f"{url.path.strip('/') or 'hotpath'}_{alias}"
    return {
        "ENGINE": engine,
        "NAME": database,
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "127.0.0.1",
        "PORT": str(url.port or ""),
    }


def _sqlite(alias: str) -> dict[str, Any]:
    # Files, because Django never closes the connections of other threads to a database in memory.
    name = f"{tempfile.gettempdir()}/hotpath-test-{os.getpid()}-{alias}.sqlite3"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "TEST": {"NAME": name},
    }


def needs(*names: str) -> pytest.MarkDecorator:
    """For tests that use the alias ``postgresql`` or ``mariadb``, whatever the suite runs on.

    Beside ``django_db(databases=[...])``. Where there is no such server they are skipped, or fail
    where all must run.
    """
    return pytest.mark.database_server(*names)


def check(item: pytest.Item) -> None:
    """Keeps what ``needs`` says, before any fixture of the test."""
    for mark in item.iter_markers("database_server"):
        for name in mark.args:
            reason = unavailable(name) or "needs HOTPATH_TEST_ALL_DATABASES=1"
            require(name in settings.DATABASES, f"{name}: {reason}")
