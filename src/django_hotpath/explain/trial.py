"""Tries an index: creates it in a transaction, explains and runs the statement, rolls back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from django_hotpath.analysis.plans import code
from django_hotpath.analysis.plans import node as kinds
from django_hotpath.analysis.plans.advice import IndexAdvice
from django_hotpath.analysis.plans.node import Node
from django_hotpath.capture import Verified
from django_hotpath.explain.connection import allow, product, separate
from django_hotpath.explain.errors import ExplainError
from django_hotpath.explain.running import run, run_explain

RUNS = 5
# A slow statement is run less often.
_BUDGET_S = 4.0
_SAVEPOINT = "hotpath_trial"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The plans without and with the index, and the times of each run in milliseconds."""

    before: Node
    after: Node
    before_ms: tuple[float, ...]
    after_ms: tuple[float, ...]
    created_ms: float
    used: bool
    database: str

    @property
    def confirmed(self) -> bool:
        return self.used and median(self.after_ms) < median(self.before_ms)

    @property
    def remark(self) -> str:
        if not self.used:
            more = (
                " It does not use a new index at once either where rows of the table were changed "
                "lately."
                if self.database == "PostgreSQL"
                else ""
            )
            return f"{self.database} does not use the index for this statement.{more}"
        if not self.confirmed:
            return "The index is used, and the statement is no faster with the data that are here."
        return (
            "These are the times of this one statement. The index was created in a transaction "
            "and rolled back."
        )

    def verified(self, queries: int) -> Verified:
        """For the finding: the number of queries stays what it is."""
        return Verified(
            queries=(queries, queries),
            wall_ms=(median(self.before_ms), median(self.after_ms)),
            confirmed=self.confirmed,
            remark=self.remark,
            rounds=min(len(self.before_ms), len(self.after_ms)),
            spread_ms=(
                (min(self.before_ms), max(self.before_ms)),
                (min(self.after_ms), max(self.after_ms)),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "before_ms": list(self.before_ms),
            "after_ms": list(self.after_ms),
            "created_ms": self.created_ms,
            "used": self.used,
            "confirmed": self.confirmed,
            "remark": self.remark,
        }


def try_on(alias: str, sql: str, params: Any, advice: IndexAdvice) -> Trial:
    """Raises ``ExplainError``; the schema is the same afterwards, whatever happened."""
    with separate(alias, writes=True) as connection:
        if not connection.features.can_rollback_ddl:
            raise ExplainError(
                f"{product(connection)} ends a transaction when an index is created, so that it "
                "could not be taken back: an index is not tried there. Try it on a copy."
            )
        before = run_explain(connection, sql, params).plan
        # The first run fills the caches of the database, for both sides alike.
        run(connection, sql, params)
        without = _runs(connection, sql, params)
        _execute(connection, f"SAVEPOINT {_SAVEPOINT}")
        name = _free_name(connection, advice)
        started = time.perf_counter()
        _execute(connection, code.sql(advice, connection.vendor, name=name))
        created_ms = round((time.perf_counter() - started) * 1000, 3)
        after = run_explain(connection, sql, params).plan
        run(connection, sql, params)
        with_index = _runs(connection, sql, params)
        _execute(connection, f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        # Once more without it: what became faster meanwhile was not the index.
        run(connection, sql, params)
        without += _runs(connection, sql, params)
        return Trial(
            before=before,
            after=after,
            before_ms=without,
            after_ms=with_index,
            created_ms=created_ms,
            used=any(_uses(step, name) for step in after.walk()),
            database=product(connection),
        )


def _uses(step: Node, name: str) -> bool:
    used = step.kind in kinds.READS and step.index is not None
    return used and name in str(step.index).split(", ")


def _runs(connection: BaseDatabaseWrapper, sql: str, params: Any) -> tuple[float, ...]:
    times: list[float] = []
    until = time.monotonic() + _BUDGET_S / 3
    while len(times) < RUNS and (len(times) < 2 or time.monotonic() < until):
        times.append(run(connection, sql, params)[0])
    return tuple(times)


def _execute(connection: BaseDatabaseWrapper, sql: str) -> None:
    allow(connection)
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _free_name(connection: BaseDatabaseWrapper, advice: IndexAdvice) -> str:
    """The name of the index to be, or another one where it exists."""
    name = code.index_name(advice)
    with connection.cursor() as cursor:
        taken = connection.introspection.get_constraints(cursor, advice.table)
    return f"hotpath_{name}"[: code.MAX_NAME] if name in taken else name
