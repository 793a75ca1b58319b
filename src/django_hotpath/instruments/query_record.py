"""A statement as it is recorded, and as the capture shows it."""

from __future__ import annotations

from typing import Any

from django_hotpath import redact
from django_hotpath.analysis.fingerprint import fingerprint
from django_hotpath.analysis.placeholders import Reading
from django_hotpath.analysis.source import position
from django_hotpath.callsite import Walk, call_site, locate, template_path
from django_hotpath.instruments.base import Session, to_ms
from django_hotpath.instruments.typed_values import held
from django_hotpath.plain import describe_object, describe_value, identity

MAX_SQL = 65_536
_MAX_PARAMS = 100


class QueryRecord:
    __slots__ = (
        "alias",
        "ended",
        "error",
        "fetch_ns",
        "like",
        "many",
        "nested_ns",
        "orm",
        "owner",
        "params",
        "rows",
        "sql",
        "started",
        "transaction",
        "vendor",
        "walk",
    )

    alias: str
    ended: int
    error: str | None
    fetch_ns: int
    like: QueryRecord | None
    """The one of a loop that was looked at in place of this one (see ``queries_light.py``)."""
    many: bool
    nested_ns: int
    orm: Any
    owner: object
    params: Any
    rows: int | None
    sql: str
    started: int
    transaction: bool
    vendor: str
    walk: Walk

    def duration_ns(self) -> int:
        """Executing and fetching; 0 for a statement that still runs."""
        if not self.ended:
            return 0
        return max(self.ended - self.started - self.nested_ns, 0) + self.fetch_ns


def keep(params: Any, many: bool) -> Any:
    """The parameters as they are now: the application may use its list again.

    With ``many`` those of the first row; anything but a list may be an iterator, for the driver
    to use up.
    """
    if many:
        params = params[0] if isinstance(params, (list, tuple)) and params else None
    if type(params) is list:
        return tuple(params)
    return dict(params) if type(params) is dict else params


def first_like(record: QueryRecord, index: int, seen: dict[Any, int]) -> int:
    """The index of the first statement with the same alias, SQL and parameters."""
    if record.many:
        return index
    try:
        return seen.setdefault((record.alias, record.sql, identity(record.params)), index)
    except Exception:
        # A parameter that cannot be hashed or compared is like no other.
        return index


class Frames:
    """The frame table that the stacks point to."""

    def __init__(self) -> None:
        self.table: list[dict[str, Any]] = []
        self._known: dict[Any, int] = {}

    def stack(self, found: Walk) -> list[int]:
        indexes = [self._frame(code, line) for code, line, _ in reversed(found.frames)]
        if found.template is not None:
            origin, line = found.template
            indexes.append(self._template(origin, line))
        return indexes

    def _frame(self, code: Any, line: int) -> int:
        key = (id(code), line)
        if key not in self._known:
            where = locate(code.co_filename)
            self._add(key, where.file, line, code.co_qualname, where.kind)
        return self._known[key]

    def _template(self, origin: Any, line: int) -> int:
        key = ("template", id(origin), line)
        if key not in self._known:
            path = template_path(origin)
            self._add(key, path, line, "", "template")
        return self._known[key]

    def _add(self, key: Any, file: str, line: int, function: str, kind: str) -> None:
        self._known[key] = len(self.table)
        self.table.append({"file": file, "line": line, "function": function, "kind": kind})


def _positions(found: Walk) -> list[int]:
    positions = [position(code, offset) for code, _, offset in reversed(found.frames)]
    return positions if found.template is None else [*positions, 0]


def plain(record: QueryRecord, index: int, session: Session, frames: Frames) -> dict[str, Any]:
    sql = record.sql if isinstance(record.sql, str) else describe_object(record.sql)
    reading = redact.statement(sql, record.params)
    query: dict[str, Any] = {
        "index": index,
        "alias": record.alias,
        "vendor": record.vendor,
        "sql": (sql if reading is None else reading.text)[:MAX_SQL],
        "params": _params(record.params, reading),
        "fingerprint": fingerprint(sql),
        "start_ms": session.ms_since_start(record.started),
        "duration_ms": to_ms(record.duration_ns()),
        "fetch_ms": to_ms(record.fetch_ns),
        "rows": record.rows,
        "many": record.many,
        "transaction": record.transaction,
        "call_site": call_site(record.walk),
        "stack": frames.stack(record.walk),
        "positions": _positions(record.walk),
    }
    if not record.many and (values := held(record.params, reading)) is not None:
        query["values"] = values
    if len(sql) > MAX_SQL:
        query["sql_truncated"] = len(sql)
    if not record.ended:
        query["running"] = True
    if record.error is not None:
        query["error"] = redact.message(record.error)
    return query


def _params(params: Any, reading: Reading | None) -> list[str] | None:
    """The parameters as texts, as far as what was read of the statement lets them be shown."""
    if params is None:
        return None
    if isinstance(params, dict):
        shown = None if reading is None else reading.shown_names
        return [
            f"{name}={redact.MASK}"
            if redact.is_secret(str(name)) or (shown is not None and name not in shown)
            else f"{name}={describe_value(redact.parameter(value))}"
            for name, value in list(params.items())[:_MAX_PARAMS]
        ]
    if not isinstance(params, (list, tuple)):
        return [describe_value(params) if reading is None else redact.MASK]
    if reading is not None and reading.count != len(params):
        # The driver finds placeholders where we do not: any of them may be the secret.
        return [redact.MASK] * min(len(params), _MAX_PARAMS)
    masked = frozenset() if reading is None else reading.masked
    return [
        redact.MASK if position in masked else describe_value(redact.parameter(value))
        for position, value in enumerate(params[:_MAX_PARAMS])
    ]
