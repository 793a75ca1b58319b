"""The connection that a ``SQLiteStore`` writes by: one a process, kept open.

To close the last connection of a file in WAL mode writes the log back into the file, which takes
longer than to store a capture; so the writer stays.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

# Connections that came through a fork: closing one here could disturb the process that opened it.
_inherited: list[sqlite3.Connection] = []

# A file by device and inode: another one may come to lie at the same path.
_Identity = tuple[int, int]


class Writer:
    """Opens the file when needed, anew when it was deleted or replaced, and after every error.

    ``connect`` gives a connection that is ready for use. Safe across threads and forks.
    """

    def __init__(self, path: Path, connect: Callable[[], sqlite3.Connection]) -> None:
        self.path = path
        self._connect = connect
        # Reentrant: the garbage collector may close a store's writer while a fork holds the lock.
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: _Identity | None = None
        self._log_path = path.with_name(f"{path.name}-wal")
        self._log: _Identity | None = None
        self._pid = 0
        _writers.add(self)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The connection, by one thread at a time; raises what SQLite and the disk raise."""
        with self._lock:
            connection = self._ready()
            try:
                with connection:
                    yield connection
                self._log = _identity(self._log_path)
            except BaseException:
                self._drop()
                raise

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _ready(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._pid != os.getpid():
                _inherited.append(self._connection)
                self._connection = None
            elif _identity(self.path) != self._identity:
                self._drop()
                self._take_away_log()
        if self._connection is None:
            self._connection = self._connect()
            self._identity = _identity(self.path)
            self._pid = os.getpid()
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._pid == os.getpid():
            connection.close()
        else:
            _inherited.append(connection)

    def _take_away_log(self) -> None:
        """Of a file that is gone: SQLite would read it as the log of the one at its path now."""
        if self._log is not None and _identity(self._log_path) == self._log:
            self._log_path.unlink(missing_ok=True)
            self.path.with_name(f"{self.path.name}-shm").unlink(missing_ok=True)

    def before_fork(self) -> None:
        # Waits for a thread that is writing; a child must find neither its lock nor its file.
        self._lock.acquire()
        self._drop()

    def after_fork(self) -> None:
        self._lock.release()


def _identity(path: Path) -> _Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


_writers: weakref.WeakSet[Writer] = weakref.WeakSet()
_forking: list[Writer] = []


def _before_fork() -> None:
    _forking.extend(_writers)
    for writer in _forking:
        writer.before_fork()


def _after_fork() -> None:
    while _forking:
        _forking.pop().after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork
    )
