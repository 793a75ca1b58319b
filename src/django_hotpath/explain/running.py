"""EXPLAIN on a connection, and what it answered as a plan."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.analysis.plans import mysql, postgresql, sqlite
from django_hotpath.analysis.plans.node import Node, PlanError
from django_hotpath.explain.connection import allow, is_mariadb
from django_hotpath.explain.errors import ExplainError

_CHUNK = 1_000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``ran_ms`` and ``returned``: how long the statement ran and its rows, where it was run."""

    plan: Node
    ran_ms: float | None = None
    returned: int | None = None


def run_explain(
    connection: BaseDatabaseWrapper, sql: str, params: Any, *, analyze: bool = False
) -> Answer:
    """The plan; with ``analyze`` the statement is run, by the database or by us."""
    sql = sql.strip().rstrip(";")
    prefix, parse = _dialect(connection, analyze=analyze)
    allow(connection)
    with connection.cursor() as cursor:
        cursor.execute(f"{prefix} {sql}", params)
        rows = cursor.fetchall()
    try:
        plan = parse(rows if connection.vendor == "sqlite" else rows[0][0])
    except (PlanError, IndexError) as error:
        raise ExplainError(f"The plan could not be read: {error}") from error
    if not analyze:
        return Answer(plan=plan)
    if connection.vendor == "postgresql":
        return Answer(plan=plan, ran_ms=postgresql.times(rows[0][0]).get("execution_ms"))
    if is_mariadb(connection):
        return Answer(plan=plan, ran_ms=plan.ms)
    # No plan with counts of its own: the statement is run beside it.
    ran_ms, returned = run(connection, sql, params)
    return Answer(
        plan=replace(plan, rows_actual=returned, ms=ran_ms), ran_ms=ran_ms, returned=returned
    )


def run(connection: BaseDatabaseWrapper, sql: str, params: Any) -> tuple[float, int]:
    """Runs a SELECT to its last row: milliseconds and rows."""
    allow(connection)
    with connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(sql, params)
        count = 0
        while rows := cursor.fetchmany(_CHUNK):
            count += len(rows)
        ended = time.perf_counter()
    return round((ended - started) * 1000, 4), count


def _dialect(connection: BaseDatabaseWrapper, *, analyze: bool) -> tuple[str, Any]:
    if connection.vendor == "sqlite":
        return "EXPLAIN QUERY PLAN", sqlite.parse
    if connection.vendor == "postgresql":
        options = "ANALYZE, BUFFERS, FORMAT JSON" if analyze else "FORMAT JSON"
        return f"EXPLAIN ({options})", postgresql.parse
    if analyze and is_mariadb(connection):
        return "ANALYZE FORMAT=JSON", mysql.parse
    return "EXPLAIN FORMAT=JSON", mysql.parse
