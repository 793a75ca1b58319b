"""How many statements the bulk methods take, as the recorder would count them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django_hotpath.analysis.statements import nature
from django_hotpath.analysis.writes_groups import WriteGroup
from django_hotpath.capture import Capture

# Django deletes collected rows by so many keys at a time.
_DELETED_AT_ONCE = 100


def bounds(group: WriteGroup) -> Mapping[str, Any]:
    """What the database of these statements bounds; {} where it is not known."""
    by_alias: Mapping[str, Mapping[str, Any]] = (group.facts or {}).get("bounds", {})
    return by_alias.get(group.main[0]["alias"], {})


def bulk_create(capture: Capture, group: WriteGroup) -> int:
    inserts = _batches(len(group.main), bounds(group).get("rows"))
    # From Django 6.0 on there is a transaction only around several statements.
    begins = group.opens_transaction and (inserts > 1 or _version(capture) < (6, 0))
    return inserts + begins


def bulk_update(group: WriteGroup, columns: int) -> int:
    most = bounds(group).get("parameters")
    rows = None if most is None else max(most // (columns + 2), 1)
    return _batches(len(group.main), rows) + group.opens_transaction


def fits_one_list(group: WriteGroup) -> bool:
    """Whether all keys can be parameters of one statement."""
    most = bounds(group).get("parameters")
    return most is None or len(group.main) + 20 <= most


def queryset_delete(group: WriteGroup) -> int:
    """``filter(…).delete()`` in place of them, with its own ``SELECT`` where Django needs one."""
    facts = group.facts or {}
    if not facts.get("cascades") and not {"pre_delete", "post_delete"} & set(
        facts.get("signals", ())
    ):
        return 1 + group.opens_transaction
    kinds = {
        query["fingerprint"]: 1
        for query in group.statements
        if nature(query["sql"]).reads or nature(query["sql"]).writes
    }
    kinds[group.main[0]["fingerprint"]] = _batches(len(group.main), _DELETED_AT_ONCE)
    reads_itself = any(
        nature(query["sql"]).reads and table_is_read(query["sql"], group.table)
        for query in group.statements
    )
    return sum(kinds.values()) + (not reads_itself) + group.opens_transaction


def table_is_read(sql: str, table: str) -> bool:
    name = re.escape(table.rpartition(".")[2])
    return re.search(rf"\bFROM\s+[`\"\[]?{name}\b", sql) is not None


def one_call(group: WriteGroup) -> int | None:
    """What a single one of the calls took, where all took the same."""
    count, calls = len(group.statements), len(group.main)
    return count // calls if count % calls == 0 else None


def _batches(count: int, most: int | None) -> int:
    return 1 if most is None else -(-count // most)


def _version(capture: Capture) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", capture.environment.django)[:2])
