"""The history in one SQLite file: older files, other processes, what goes wrong."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from django_hotpath.stores import sqlite_schema
from django_hotpath.stores.base import StoreError
from django_hotpath.stores.sqlite import SQLiteStore
from tests import factories
from tests.contracts.test_stores_history import line


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of version 1 that holds two captures."""
    path = tmp_path / "captures.sqlite3"
    store = SQLiteStore(path=path)
    store.save(factories.capture(label="first"))
    store.save(factories.capture(label="second"))
    store._writer.close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE requests")
        connection.execute("ALTER TABLE captures DROP COLUMN automatic")
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    return path


def test_an_older_file_gets_a_line_for_each_of_its_captures(older: Path) -> None:
    page = SQLiteStore(path=older).summaries()
    assert [item.label for item in page.items] == ["second", "first"]
    assert all(item.capture and item.profiled for item in page.items)


def test_an_older_file_keeps_its_captures(older: Path) -> None:
    store = SQLiteStore(path=older)
    (newest, _) = store.list().items
    assert store.get(newest.id).label == "second"


def test_an_older_file_is_written_to(older: Path) -> None:
    store = SQLiteStore(path=older)
    store.add_summaries([line()])
    store.save(factories.capture())
    assert (store.summaries().total, store.list().total) == (4, 3)


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *later = sqlite_schema._STEPS
    broken = (first, f"{second}SELECT * FROM nowhere;", *later)
    with monkeypatch.context() as patch:
        patch.setattr(sqlite_schema, "_STEPS", broken)
        with pytest.raises(StoreError, match="nowhere"):
            SQLiteStore(path=older).summaries()
    assert SQLiteStore(path=older).summaries().total == 2


def test_looking_creates_nothing(tmp_path: Path) -> None:
    SQLiteStore(path=tmp_path / ".hotpath" / "captures.sqlite3").summaries()
    assert list(tmp_path.iterdir()) == []


def test_another_writer_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_hotpath.stores.sqlite._BUSY_SECONDS", 0.01)
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.add_summaries([line()])
    writer = sqlite3.connect(store.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        store.add_summaries([line()])
    writer.close()


def test_rows_that_cannot_be_read_are_a_store_error(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.add_summaries([line()])
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE requests SET instruments = '{'")
    connection.close()
    with pytest.raises(StoreError):
        store.summaries()


def test_parent_and_child_of_a_fork_both_add(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.add_summaries([line("/before/")])
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.add_summaries([line("/child/")])
            code = 0
        finally:
            os._exit(code)
    store.add_summaries([line("/parent/")])
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    found = {item.path for item in store.summaries().items}
    assert found == {"/before/", "/child/", "/parent/"}


def test_the_default_order_is_read_from_an_index(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.add_summaries([line()])
    with sqlite3.connect(store.path) as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT path FROM requests WHERE 1 "
            "ORDER BY started_at DESC, seq DESC LIMIT 50"
        ).fetchall()
    connection.close()
    assert "requests_started_at" in plan[0][3]
