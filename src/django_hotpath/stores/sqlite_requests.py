"""The history in a ``SQLiteStore``'s file: functions of an open connection."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Any

from django_hotpath.stores.base import CaptureFilter
from django_hotpath.stores.requests import (
    FiguresPage,
    RequestFigures,
    RequestFilter,
    RequestPage,
    RequestSummary,
)

_COLUMNS = (
    "started_at",
    "label",
    "method",
    "path",
    "query_string",
    "route",
    "status",
    "wall_ms",
    "queries",
    "db_ms",
    "findings",
    "high",
    "instruments",
    "profiled",
    "capture",
)
_NAMES = ", ".join(_COLUMNS)
_INSERT = f"INSERT INTO requests ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_UPDATE = f"UPDATE requests SET {', '.join(f'{name} = ?' for name in _COLUMNS)} WHERE capture = ?"  # noqa: S608


def storable(value: Any) -> Any:
    """SQLite takes no lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return value


def put(connection: sqlite3.Connection, line: RequestSummary) -> None:
    """The line of a capture, in place of the one that it had."""
    values = _values(line)
    if connection.execute(_UPDATE, [*values, line.capture]).rowcount == 0:
        connection.execute(_INSERT, values)


def add(connection: sqlite3.Connection, lines: Iterable[RequestSummary]) -> None:
    connection.executemany(_INSERT, [_values(line) for line in lines])


def let_go(connection: sqlite3.Connection, capture_ids: list[tuple[str]]) -> None:
    """These captures make room: what was a request stays as one."""
    connection.executemany("DELETE FROM requests WHERE capture = ? AND method IS NULL", capture_ids)
    connection.executemany("UPDATE requests SET capture = NULL WHERE capture = ?", capture_ids)


def retain(connection: sqlite3.Connection, number: int) -> None:
    connection.execute(
        "DELETE FROM requests WHERE capture IS NULL AND seq <= ("
        "SELECT seq FROM requests WHERE capture IS NULL ORDER BY seq DESC LIMIT 1 OFFSET ?)",
        [max(number, 0)],
    )


def find(
    connection: sqlite3.Connection,
    where: RequestFilter,
    after: int | None,
    offset: int,
    limit: int,
) -> RequestPage:
    """Raises ``TypeError`` or ``ValueError`` for rows that cannot be read."""
    conditions, values = _conditions(where)
    order = "seq DESC"
    if after is not None:
        conditions += " AND seq > ?"
        values.append(min(after, 2**63 - 1))
    else:
        field, downwards = where.order
        order = f"{field} {'DESC' if downwards else 'ASC'}, seq DESC"
    total = _count(connection, conditions, values)
    rows = connection.execute(
        f"SELECT seq, {_NAMES} FROM requests WHERE {conditions} "  # noqa: S608
        f"ORDER BY {order} LIMIT ? OFFSET ?",
        [*values, limit, offset],
    )
    items = tuple(_line(row) for row in rows)
    return RequestPage(items=items, total=total, cursor=_cursor(connection))


def figures(connection: sqlite3.Connection, where: RequestFilter, limit: int) -> FiguresPage:
    conditions, values = _conditions(where)
    conditions += " AND method IS NOT NULL"
    rows = connection.execute(
        f"SELECT {', '.join(RequestFigures._fields)} FROM requests WHERE {conditions} "  # noqa: S608
        "ORDER BY started_at DESC, seq DESC LIMIT ?",
        [*values, limit],
    )
    items = [RequestFigures._make(row) for row in rows]
    items.reverse()
    total = _count(connection, conditions, values) if len(items) == limit else len(items)
    return FiguresPage(items=items, total=total, cursor=_cursor(connection))


def _count(connection: sqlite3.Connection, conditions: str, values: list[Any]) -> int:
    found: tuple[int] = connection.execute(
        f"SELECT COUNT(*) FROM requests WHERE {conditions}",  # noqa: S608
        values,
    ).fetchone()
    return found[0]


def _cursor(connection: sqlite3.Connection) -> int:
    given = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'requests'").fetchone()
    return given[0] if given else 0


def common_conditions(where: CaptureFilter | RequestFilter, text: str) -> tuple[str, list[Any]]:
    """What both tables are filtered by; ``text`` is the expression that ``path`` is part of."""
    conditions = ["1"]
    values: list[Any] = []
    if where.path:
        conditions.append(f"instr(lower({text}), lower(?)) > 0")
        values.append(storable(where.path))
    if where.method:
        conditions.append("method = ?")
        values.append(storable(where.method.upper()))
    if where.status:
        conditions.append("(CAST(status AS TEXT) LIKE ? ESCAPE '\\' AND length(status) = 3)")
        prefix = storable(where.status.lower().removesuffix("xx"))
        values.append("".join(f"\\{c}" if c in "%_\\" else c for c in prefix) + "%")
    if where.min_ms is not None:
        conditions.append("wall_ms >= ?")
        values.append(where.min_ms)
    if where.max_ms is not None:
        conditions.append("wall_ms <= ?")
        values.append(where.max_ms)
    return " AND ".join(conditions), values


def _conditions(where: RequestFilter) -> tuple[str, list[Any]]:
    text = (
        "coalesce(path, '') || CASE query_string WHEN '' THEN '' ELSE '?' || query_string END "
        "|| ' ' || label"
    )
    conditions, values = common_conditions(where, text)
    if where.route is not None:
        conditions += " AND route = ?"
        values.append(storable(where.route))
    if where.routeless:
        conditions += " AND route IS NULL AND method IS NOT NULL"
    if where.since:
        conditions += " AND started_at >= ?"
        values.append(storable(where.since))
    if where.upto is not None:
        conditions += " AND seq <= ?"
        values.append(min(where.upto, 2**63 - 1))
    if where.captured:
        conditions += " AND capture IS NOT NULL"
    return conditions, values


def _values(line: RequestSummary) -> list[Any]:
    values = [storable(getattr(line, name)) for name in _COLUMNS]
    values[_COLUMNS.index("instruments")] = json.dumps(line.instruments)
    return values


def _line(row: tuple[Any, ...]) -> RequestSummary:
    values = dict(zip(_COLUMNS, row[1:], strict=True))
    instruments = values["instruments"]
    values["instruments"] = tuple(json.loads(instruments)) if instruments != "[]" else ()
    values["profiled"] = bool(values["profiled"])
    return RequestSummary(seq=row[0], **values)
