from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from django_hotpath.stores import get_store
from django_hotpath.stores.base import StoreError
from django_hotpath.stores.sqlite import SQLiteStore
from tests import factories
from tests.require import require


def test_lies_beside_manage_py(settings: Any, tmp_path: Path) -> None:
    settings.HOTPATH = {}
    settings.BASE_DIR = tmp_path
    store = get_store()
    assert isinstance(store, SQLiteStore)
    assert store.path == tmp_path / ".hotpath" / "captures.sqlite3"


def test_nothing_is_created_before_the_first_save(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / ".hotpath" / "captures.sqlite3")
    store.list()
    assert list(tmp_path.iterdir()) == []


def test_the_folder_ignores_itself_and_is_private(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / ".hotpath" / "captures.sqlite3")
    store.save(factories.capture())
    assert (tmp_path / ".hotpath" / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE(os.stat(store.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(store.path.parent).st_mode) == 0o700


def test_an_existing_folder_keeps_its_files(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    SQLiteStore(path=tmp_path / "captures.sqlite3").save(factories.capture())
    assert not (tmp_path / ".gitignore").exists()


def test_writes_ahead_so_that_readers_never_wait(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    with sqlite3.connect(store.path) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    connection.close()
    assert mode == "wal"


def test_a_file_that_is_deleted_meanwhile_is_made_again(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    for path in tmp_path.iterdir():
        path.unlink()
    store.save(factories.capture())
    assert store.list().total == 1


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    path = tmp_path / "captures.sqlite3"
    path.write_text("this is not a database, not at all" * 100)
    with pytest.raises(StoreError, match="file is not a database"):
        SQLiteStore(path=path).save(factories.capture())


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        SQLiteStore(path=tmp_path / "file" / "captures.sqlite3").save(factories.capture())


def test_rows_that_cannot_be_read_are_a_store_error(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    capture = factories.capture()
    store.save(capture)
    with sqlite3.connect(store.path) as connection:
        connection.execute("UPDATE captures SET instruments = '{', body = 'text'")
    connection.close()
    with pytest.raises(StoreError):
        store.list()
    with pytest.raises(StoreError):
        store.get(capture.id)


def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "captures.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="newer version of django-hotpath"):
        SQLiteStore(path=path).save(factories.capture())


def test_another_writer_is_not_waited_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_hotpath.stores.sqlite._BUSY_SECONDS", 0.01)
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    writer = sqlite3.connect(store.path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        store.save(factories.capture())
    writer.close()


def test_a_store_that_does_not_import_is_a_store_error(settings: Any) -> None:
    settings.HOTPATH = {"STORE": {"BACKEND": "no.such.Store"}}
    with pytest.raises(StoreError, match=r"no\.such\.Store cannot be used"):
        get_store()


def test_a_store_of_another_kind_is_a_store_error(settings: Any) -> None:
    settings.HOTPATH = {"STORE": {"BACKEND": "collections.Counter"}}
    with pytest.raises(StoreError, match="is not a store"):
        get_store()


def test_a_new_file_that_another_connection_prepares_just_now_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_hotpath.stores import sqlite

    real, refusals = sqlite._migrate, [sqlite3.OperationalError("database is locked")] * 2

    def refuses_twice(connection: sqlite3.Connection) -> None:
        if refusals:
            raise refusals.pop()
        real(connection)

    monkeypatch.setattr(sqlite, "_migrate", refuses_twice)
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    assert store.list().total == 1


def test_a_file_that_is_replaced_meanwhile_is_opened_anew(tmp_path: Path) -> None:
    store, other = (SQLiteStore(path=tmp_path / f"{name}.sqlite3") for name in "ab")
    store.save(factories.capture())
    for _ in range(2):
        other.save(factories.capture())
    other._writer.close()
    (tmp_path / "b.sqlite3").replace(store.path)
    store.save(factories.capture())
    assert store.list().total == 3


def test_one_connection_serves_many_captures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    real = sqlite3.connect

    def connect(*args: Any, **kwargs: Any) -> Any:
        opened.append(args)
        return real(*args, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", connect)
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    for _ in range(10):
        store.save(factories.capture())
    assert len(opened) == 1


def test_the_next_save_after_a_failure_works(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    with sqlite3.connect(store.path) as connection:
        connection.execute("ALTER TABLE captures RENAME TO elsewhere")
    with pytest.raises(StoreError, match="no such table"):
        store.save(factories.capture())
    with connection:
        connection.execute("ALTER TABLE elsewhere RENAME TO captures")
    connection.close()
    store.save(factories.capture())
    assert store.list().total == 2


def test_file_descriptors_do_not_grow(tmp_path: Path) -> None:
    require(Path("/proc/self/fd").exists(), "needs /proc")
    store = SQLiteStore(path=tmp_path / "captures.sqlite3", max_captures=5)

    def save() -> None:
        for _ in range(50):
            store.save(factories.capture())
            store.list()

    save()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(4):
        threads = [threading.Thread(target=save) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # SQLite keeps those of readers for the next ones: at most one for each that read at once.
    assert len(os.listdir("/proc/self/fd")) - before <= 3


def test_a_file_whose_log_was_left_behind_is_made_again(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    store.path.unlink()
    store.save(factories.capture())
    assert store.list().total == 1


def test_a_store_that_is_gone_has_closed_its_file(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    assert (tmp_path / "captures.sqlite3-wal").exists()
    del store
    assert not (tmp_path / "captures.sqlite3-wal").exists()


def test_parent_and_child_of_a_fork_both_save(tmp_path: Path) -> None:
    store = SQLiteStore(path=tmp_path / "captures.sqlite3")
    store.save(factories.capture())
    children = []
    for _ in range(2):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store.save(factories.capture())
                code = 0
            finally:
                os._exit(code)
        children.append(child)
        store.save(factories.capture())
    for child in children:
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    store.save(factories.capture())
    assert store.list().total == 6
