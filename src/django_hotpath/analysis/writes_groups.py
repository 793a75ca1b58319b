"""The statements of write calls that ran again and again from one place in the code."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.batches import is_told, without_batches
from django_hotpath.analysis.findings.base import Query, is_answered, queries_of
from django_hotpath.analysis.orm import Entry, orm_of
from django_hotpath.analysis.statements import CHANGES, verb
from django_hotpath.capture import Capture

# What many rows at once are written with.
_BULK = frozenset({"bulk_create", "bulk_update"})
_TABLE = re.compile(
    r"(?:\s|/\*.*?\*/|--[^\n]*\n)*(?:(?:INSERT|REPLACE)\b[^(]*?\bINTO|UPDATE(?:\s+ONLY)?|DELETE\s+FROM(?:\s+ONLY)?)\s+"
    r"([`\"\[]?[\w$]+[`\"\]]?(?:\.[`\"\[]?[\w$]+[`\"\]]?)?)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class WriteGroup:
    """All statements that came through one path of lines, the ones that wrote among them.

    ``main`` are the writes to one table that tell how often it happened; ``entry`` is the ORM's
    part of the last of them, ``method`` the method that the project called ("" for raw SQL).
    """

    statements: Sequence[Query]
    writes: Sequence[Query]
    main: Sequence[Query]
    entry: Entry

    @property
    def method(self) -> str:
        return str(self.entry.get("method", ""))

    @property
    def model(self) -> str:
        """``shop.Book``; "" where it is not known."""
        return str(self.entry.get("model", ""))

    @property
    def facts(self) -> Mapping[str, Any] | None:
        """What the model does when it is written; None where that is not known."""
        return self.entry.get("write")

    @property
    def table(self) -> str:
        return table_of(self.main[-1]["sql"])

    @property
    def verbs(self) -> frozenset[str]:
        return frozenset(verb(query["sql"]) for query in self.main)

    @property
    def opens_transaction(self) -> bool:
        """Whether a transaction that is begun here is seen as a statement: SQLite's ``BEGIN``."""
        if self.main[0]["vendor"] != "sqlite":
            return False
        if any(query["sql"].startswith("BEGIN") for query in self.statements):
            return True
        return not all(query["transaction"] for query in self.statements)


def table_of(sql: str) -> str:
    """The table that a statement writes to, without quotes; "" where it cannot be read."""
    found = _TABLE.match(sql)
    return re.sub(r"[`\"\[\]]", "", found[1]) if found else ""


def write_groups(capture: Capture, least: int) -> Iterator[WriteGroup]:
    """Those with at least so many writes to one table, one row or condition at a time."""
    paths: dict[Hashable, list[Query]] = defaultdict(list)
    for query in queries_of(capture):
        paths[path_of(query)].append(query)
    for statements in paths.values():
        if len(statements) >= least:
            group = _group(capture, statements, least)
            if group is not None:
                yield group


def keys_of(updates: Sequence[Query]) -> list[str] | None:
    """The values of the last parameters, which are the keys; None where one is not shown."""
    keys = [str((query.get("params") or ["<"])[-1]) for query in updates]
    return keys if all(map(is_told, keys)) else None


def path_of(query: Query) -> Hashable:
    """The lines that led to it. Lines that repeat in it (recursion) count once."""
    stack, positions = query["stack"], query.get("positions")
    fits = positions is not None and len(positions) == len(stack)
    steps = zip(stack, positions, strict=True) if fits and positions else stack
    site = query.get("call_site") or {}
    line = () if stack else (site.get("file"), site.get("line"))
    return (query["alias"], tuple(dict.fromkeys(steps)), line, site.get("template_line"))


def _group(capture: Capture, statements: Sequence[Query], least: int) -> WriteGroup | None:
    writes = [
        query
        for query in statements
        if is_answered(query) and not query["many"] and verb(query["sql"]) in CHANGES
    ]
    if len(writes) < least:
        return None
    entries = [orm_of(capture, query) for query in writes]
    method = entries[-1].get("method", "")
    if method in _BULK:
        return None
    by_table: dict[str, list[Query]] = defaultdict(list)
    # The row of an INSERT looks like a list of keys.
    searching = [query for query in writes if not _inserts(query)]
    single = {query["index"] for query in without_batches(searching)}
    for query in writes:
        if query["index"] in single or (_inserts(query) and (query.get("rows") or 0) <= 1):
            by_table[table_of(query["sql"])].append(query)
    if not by_table:
        return None
    for table, members in by_table.items():
        by_table[table] = _without_misses(members)
    # The own table is written last: parents and what hangs on it come before.
    own = table_of(writes[-1]["sql"])
    table = max(by_table, key=lambda name: (len(by_table[name]), name == own))
    main = by_table[table]
    if len(main) < least or not _repeats(main, method, least):
        return None
    last = next((entry for entry in reversed(entries) if entry), {})
    return WriteGroup(statements, writes, main, last)


def _inserts(query: Query) -> bool:
    return verb(query["sql"]) in {"INSERT", "REPLACE"}


def _without_misses(members: Sequence[Query]) -> list[Query]:
    """``save()`` of a new row with a key tries an ``UPDATE`` before it inserts: one write."""
    kept: list[Query] = []
    for query in members:
        if verb(query["sql"]) == "INSERT" and kept and _missed(kept[-1]):
            kept.pop()
        kept.append(query)
    return kept


def _missed(query: Query) -> bool:
    return verb(query["sql"]) == "UPDATE" and query.get("rows") == 0


def _repeats(main: Sequence[Query], method: str, least: int) -> bool:
    """Whether it is not one call that writes to its table in several ways (a cascade)."""
    if method in {"save", "create", "get_or_create", "update_or_create"}:
        return True
    return max(Counter(query["fingerprint"] for query in main).values()) >= least
