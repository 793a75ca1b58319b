"""The tables of a ``SQLiteStore``'s file, and how an older file comes to have them."""

from __future__ import annotations

import sqlite3

VERSION = 3

# Version 1.
_CAPTURES = """
CREATE TABLE captures (
    id TEXT PRIMARY KEY,
    saved_at REAL NOT NULL,
    started_at TEXT NOT NULL,
    label TEXT NOT NULL,
    method TEXT,
    path TEXT,
    route TEXT,
    status INTEGER,
    wall_ms REAL NOT NULL,
    cpu_ms REAL,
    queries INTEGER,
    db_ms REAL,
    findings INTEGER NOT NULL,
    high INTEGER NOT NULL,
    instruments TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX captures_saved_at ON captures (saved_at);
CREATE INDEX captures_route ON captures (route, id);
"""
# Version 2: the history, with a line for each capture too. A seq is never given twice, so that
# whoever asks for what is new never misses a line.
_REQUESTS = """
CREATE TABLE requests (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at TEXT NOT NULL,
    label TEXT NOT NULL,
    method TEXT,
    path TEXT,
    query_string TEXT NOT NULL,
    route TEXT,
    status INTEGER,
    wall_ms REAL NOT NULL,
    queries INTEGER,
    db_ms REAL,
    findings INTEGER,
    high INTEGER NOT NULL,
    instruments TEXT NOT NULL,
    profiled INTEGER NOT NULL,
    capture TEXT
);
CREATE INDEX requests_started_at ON requests (started_at, seq);
CREATE INDEX requests_route ON requests (route, method);
CREATE UNIQUE INDEX requests_capture ON requests (capture) WHERE capture IS NOT NULL;
CREATE INDEX requests_plain ON requests (seq) WHERE capture IS NULL;
"""
_LINES_OF_CAPTURES = """
INSERT INTO requests (started_at, label, method, path, query_string, route, status, wall_ms,
    queries, db_ms, findings, high, instruments, profiled, capture)
SELECT started_at, label, method, path, '', route, status, wall_ms,
    queries, db_ms, findings, high, instruments, 1, id
FROM captures ORDER BY id;
"""
# Version 3: captures of the debug toolbar's panels, which are counted apart.
_AUTOMATIC = """
ALTER TABLE captures ADD COLUMN automatic INTEGER NOT NULL DEFAULT 0;
"""
_STEPS = (_CAPTURES, _REQUESTS + _LINES_OF_CAPTURES, _AUTOMATIC)


def migrate(connection: sqlite3.Connection) -> None:
    """Makes a new or an older file ready for use; raises ``sqlite3.Error``."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == VERSION:
        return
    if version > VERSION:
        raise sqlite3.DatabaseError(
            f"made by a newer version of django-hotpath (schema {version}): delete the file"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have been first.
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        for step in _STEPS[version:]:
            for statement in step.split(";"):
                connection.execute(statement)
        if version < VERSION:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
