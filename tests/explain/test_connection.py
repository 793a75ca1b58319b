"""Whose connection it is, and which databases have none to give."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, connections

from django_hotpath.explain import ExplainError
from django_hotpath.explain.connection import separate


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> Any:
    """A second database of the settings, in memory."""

    def name(text: str) -> None:
        from django.db.backends.sqlite3.base import DatabaseWrapper

        settings = {**connections.configure_settings({"default": {}})["default"], "NAME": text}
        store = connections._connections  # type: ignore[attr-defined]
        monkeypatch.setattr(store, "scratch", DatabaseWrapper(settings, "scratch"), raising=False)

    return name


@pytest.mark.parametrize("name", [":memory:", "file:x?mode=memory", ""])
def test_a_database_in_the_memory_of_one_connection_is_refused(memory: Any, name: str) -> None:
    memory(name)
    with pytest.raises(ExplainError, match="memory of one connection"), separate("scratch"):
        pass


def test_a_shared_one_in_memory_is_shared(memory: Any) -> None:
    memory("file:hotpath-shared?mode=memory&cache=shared")
    original = connections["scratch"]
    try:
        with original.cursor() as cursor:
            cursor.execute("CREATE TABLE t (a)")
            cursor.execute("INSERT INTO t VALUES (7)")
        with separate("scratch") as opened, opened.cursor() as cursor:
            assert opened.connection is not original.connection
            cursor.execute("SELECT a FROM t")
            assert cursor.fetchall() == [(7,)]
        with original.cursor() as cursor:
            cursor.execute("SELECT a FROM t")
            assert cursor.fetchall() == [(7,)]
    finally:
        original.connection.close()


def test_a_database_of_another_kind_is_refused(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory("x")
    monkeypatch.setattr(connections["scratch"], "vendor", "oracle")
    with pytest.raises(ExplainError, match="are not read"), separate("scratch"):
        pass


def test_it_is_closed_whatever_happens(transactional_db: None) -> None:
    opened = []

    def fails_meanwhile() -> None:
        with separate("default") as own:
            opened.append(own.connection)
            raise RuntimeError("meanwhile")

    with pytest.raises(RuntimeError, match="meanwhile"):
        fails_meanwhile()
    assert opened[0] is not connection.connection
    with pytest.raises(Exception, match=r"(?i)closed|gone|2006|\(0, ''\)"):
        opened[0].cursor().execute("SELECT 1")
