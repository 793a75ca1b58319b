"""What databases answered to the statements of ``recorded/statements.json``, byte for byte.

Of SQLite 3.40, PostgreSQL 15.18 and MariaDB 10.11, on the same rows: 500 ``cust``, 20,000 ``ord``
(one in a hundred ``pending``, an index on ``customer_id`` alone) and 30,000 ``item``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from django_hotpath.analysis.plans import mysql, postgresql, sqlite
from django_hotpath.analysis.plans.node import Node

FOLDER = Path(__file__).parent / "recorded"
PARSERS = {
    "sqlite": sqlite.parse,
    "postgresql": postgresql.parse,
    "postgresql_analyze": postgresql.parse,
    "mariadb": mysql.parse,
    "mariadb_analyze": mysql.parse,
}
ANALYZED = ("postgresql_analyze", "mariadb_analyze")


@cache
def answers(source: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{source}.json").read_text("utf-8"))
    return found


STATEMENTS = answers("statements")


def plan(source: str, statement: str) -> Node:
    return PARSERS[source](answers(source)[statement])


def step(source: str, statement: str, table: str) -> Node:
    """The one step that reads this table."""
    (found,) = [one for one in plan(source, statement).walk() if one.table == table]
    return found


def kinds(source: str, statement: str) -> set[str]:
    return {one.kind for one in plan(source, statement).walk()}
