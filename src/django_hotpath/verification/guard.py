"""Watches the statements of a replay: what cannot be rolled back does not run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django_hotpath import slowlog
from django_hotpath.analysis.statements import is_write
from django_hotpath.instruments.base import Session
from django_hotpath.instruments.queries import Queries
from django_hotpath.verification import VerifyError
from django_hotpath.verification.transactions import Databases

_SAVEPOINTS = ("SAVEPOINT ", "RELEASE SAVEPOINT ", "ROLLBACK TO SAVEPOINT ")


class Guard(Queries):
    """The instrument around that of the replay: each statement passes through ``run``.

    ``uncounted`` are statements that there are only because the replay is in a transaction: an
    outermost ``atomic()`` sets savepoints in it, where it would send a BEGIN or nothing.
    """

    def __init__(self, databases: Databases) -> None:
        super().__init__(Session())
        self.uncounted = 0
        self.refused: str | None = None
        self._ours = databases.depths

    def run(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        connection = context["connection"]
        text = sql if isinstance(sql, str) else str(sql)
        depth = self._ours.get(id(connection))
        if depth is None and is_write(text):
            self.refused = (
                f"The view writes to the database {connection.alias!r} from another thread, or by "
                "a connection of its own: that could not be rolled back."
            )
            raise VerifyError(self.refused)
        if text.startswith(_SAVEPOINTS) and len(connection.savepoint_ids) == depth:
            begins = hasattr(connection, "_start_transaction_under_autocommit")
            self.uncounted += not (begins and text.startswith("SAVEPOINT "))
        count = slowlog.queries.get()
        if count is not None:
            count[0] += 1
        return execute(sql, params, many, context)
