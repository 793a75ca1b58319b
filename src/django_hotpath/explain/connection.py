"""A connection of our own to a database of the project, in a transaction that is rolled back."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionDoesNotExist

from django_hotpath.explain.errors import ExplainError, told

logger = logging.getLogger("hotpath")

VENDORS = ("sqlite", "postgresql", "mysql")
TIME_LIMIT_S = 10
# Whoever waits for a lock of ours, or we for one of theirs.
_LOCK_LIMIT_S = 2
_STEPS = 10_000


@contextmanager
def separate(alias: str, *, writes: bool = False) -> Iterator[BaseDatabaseWrapper]:
    """A new connection to the database of this alias, within a transaction.

    The application's own connection is only asked for its settings. Without ``writes`` the database
    is told to refuse any. A statement is stopped after ten seconds. Whatever happens, the
    transaction is rolled back and the connection closed. Raises ``ExplainError``.
    """
    connection = _copy(alias)
    try:
        connection.ensure_connection()
        _begin(connection, writes=writes)
        yield connection
    except (Error, OSError) as error:
        raise told(error, alias) from error
    finally:
        _end(connection)


def _copy(alias: str) -> BaseDatabaseWrapper:
    try:
        original = connections[alias]
    except ConnectionDoesNotExist:
        raise ExplainError(
            f"The settings have no database “{alias}” (any more), on which the statement ran."
        ) from None
    if original.vendor not in VENDORS:
        raise ExplainError(
            f"Plans of {original.display_name} are not read: SQLite, PostgreSQL, MariaDB and MySQL "
            "are."
        )
    if original.vendor == "sqlite":
        name = str(original.settings_dict["NAME"])
        memory = name in {"", ":memory:"} or "mode=memory" in name
        if memory and "cache=shared" not in name:
            raise ExplainError(
                "This database is in the memory of one connection: another connection would see "
                "an empty one. Use a file, or a name such as “file:name?mode=memory&cache=shared”."
            )
    return original.copy()


def _begin(connection: BaseDatabaseWrapper, *, writes: bool) -> None:
    if connection.vendor == "sqlite":
        allow(connection)
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_LOCK_LIMIT_S * 1000}")
            if not writes:
                cursor.execute("PRAGMA query_only = ON")
            # For an index the file is locked at once, not when somebody else has begun to write.
            cursor.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            connection.set_autocommit(False)
            if not writes:
                cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(f"SET LOCAL statement_timeout = '{TIME_LIMIT_S}s'")
            cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_LIMIT_S}s'")
        else:
            if is_mariadb(connection):
                cursor.execute(f"SET SESSION max_statement_time = {TIME_LIMIT_S}")
            else:
                cursor.execute(f"SET SESSION max_execution_time = {TIME_LIMIT_S * 1000}")
            cursor.execute(f"SET SESSION lock_wait_timeout = {_LOCK_LIMIT_S}")
            cursor.execute("START TRANSACTION READ ONLY")


def allow(connection: BaseDatabaseWrapper) -> None:
    """Gives the next statement its time: SQLite, which runs in this thread, asks now and then
    whether to go on. The servers count by themselves."""
    if connection.vendor == "sqlite":
        until = time.monotonic() + TIME_LIMIT_S
        connection.connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)


def _end(connection: BaseDatabaseWrapper) -> None:
    raw: Any = connection.connection
    if raw is None:
        return
    try:
        raw.rollback()
    except Exception:
        # The connection is gone, and the transaction with it.
        logger.debug("the connection for EXPLAIN could not be rolled back", exc_info=True)
    try:
        if connection.vendor == "sqlite":
            # Django keeps connections to databases in memory open.
            raw.close()
        else:
            connection.close()
    except Exception:
        logger.debug("the connection for EXPLAIN could not be closed", exc_info=True)


def is_mariadb(connection: BaseDatabaseWrapper) -> bool:
    return connection.vendor == "mysql" and bool(getattr(connection, "mysql_is_mariadb", False))


def product(connection: BaseDatabaseWrapper) -> str:
    """The name of the database as people say it."""
    return "MariaDB" if is_mariadb(connection) else str(connection.display_name)


def version(connection: BaseDatabaseWrapper) -> tuple[int, ...]:
    if connection.vendor == "sqlite":
        import sqlite3

        return sqlite3.sqlite_version_info
    return tuple(int(part) for part in connection.get_database_version())
