"""The labels of ``cases/writes.py`` and ``cases/evidence.py``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.findings.case import Expected

CREATE = ("bulk_create",)
UPDATE = ("update",)
BULK_UPDATE = ("bulk_update",)
DELETE = ("delete",)
ADD = ("add",)


def loop(
    name: str, queries: int, fix: tuple[str, ...], before: int, after: int, **more: Any
) -> dict[str, Any]:
    expected = Expected(
        relation=None, kind="write_loop", queries=queries, fix=fix, origin=None, **more
    )
    return {"name": name, "before": before, "after": after, "expected": (expected,)}


WRITES = [
    loop("create", 5, CREATE, 6, 2),
    loop("create_prepared", 5, CREATE, 7, 3),
    loop("create_nested", 6, CREATE, 8, 3),
    loop("create_list", 4, CREATE, 5, 2),
    loop("save_new", 5, CREATE, 6, 2),
    loop("related_create", 4, CREATE, 6, 3, edits=False),
    loop("create_used", 4, CREATE, 5, 2, edits=False),
    loop("create_signals", 4, CREATE, 6, 3, edits=False),
    loop("create_override", 4, CREATE, 6, 3, edits=False),
    loop("create_tables", 4, CREATE, 11, 11, edits=False, listed=8),
    loop("save_counted", 6, UPDATE, 8, 2),
    loop("save_constant", 4, UPDATE, 6, 2),
    loop("save_text", 6, BULK_UPDATE, 8, 3),
    loop("save_some", 4, BULK_UPDATE, 6, 3),
    loop("save_method", 6, BULK_UPDATE, 8, 3, edits=False),
    loop("delete", 4, DELETE, 6, 2),
    loop("delete_slice", 4, DELETE, 6, 3),
    loop("delete_keys", 5, DELETE, 7, 3),
    loop("delete_cascade", 6, DELETE, 14, 4, listed=12),
    loop("update_keys", 4, UPDATE, 6, 3),
    loop("update_constant", 6, UPDATE, 8, 3),
    loop("update_chained", 4, UPDATE, 5, 2, edits=False),
    loop("update_one_row", 6, (), 8, 3, edits=False),
    loop("add", 6, ADD, 9, 4),
    loop("add_keys", 6, ADD, 9, 4),
    loop("add_reverse", 4, ADD, 7, 4),
    loop("add_each", 12, ADD, 15, 4, edits=False),
    loop("remove", 6, ADD, 9, 4),
    loop("caught", 4, CREATE, 13, 2, edits=False),
]


def said(
    name: str, kind: str, fix: str, before: int, after: int, *reads: str, **more: Any
) -> dict[str, Any]:
    """``reads``: the label of each line that it is said of."""
    expected = tuple(
        Expected(relation=None, kind=kind, fix=(fix,), origin=None, read=read, queries=1, **more)
        for read in reads or ("",)
    )
    if kind == "duplicate_query":
        repeats = before - after + 1
        expected = tuple(replace(found, queries=repeats) for found in expected)
    return {"name": name, "before": before, "after": after, "expected": expected}


EVIDENCE = [
    said("counted", "count_for_exists", "exists", 1, 1),
    said("counted_none", "count_for_exists", "exists", 1, 1),
    said("counted_kept", "count_for_exists", "exists", 1, 1),
    said("tested", "count_for_exists", "exists", 1, 1),
    said("measured", "len_for_count", "count", 1, 1),
    said("measured_twice", "len_for_count", "count", 2, 2, ":first", ":second"),
    said("added", "sum_for_aggregate", "aggregate", 1, 1),
    said("asked_twice", "duplicate_query", "reuse", 2, 1),
    said("asked_in_loop", "duplicate_query", "reuse", 13, 2),
]
