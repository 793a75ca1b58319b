"""Reads ``EXPLAIN FORMAT=JSON`` of MySQL and MariaDB, and MariaDB's ``ANALYZE FORMAT=JSON``.

Both nest blocks by the name of what they do; the names differ, the way of nesting does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from django_hotpath.analysis.plans import node as kinds
from django_hotpath.analysis.plans.node import Node, PlanError

_ACCESS = {
    "ALL": kinds.FULL_SCAN,
    "index": kinds.INDEX_SCAN,
    "ref": kinds.INDEX_SEARCH,
    "eq_ref": kinds.INDEX_SEARCH,
    "const": kinds.INDEX_SEARCH,
    "range": kinds.INDEX_SEARCH,
    "ref_or_null": kinds.INDEX_SEARCH,
    "index_merge": kinds.INDEX_SEARCH,
    "unique_subquery": kinds.INDEX_SEARCH,
    "index_subquery": kinds.INDEX_SEARCH,
    "fulltext": kinds.INDEX_SEARCH,
    "hash_ALL": kinds.FULL_SCAN,
    "hash_index": kinds.INDEX_SCAN,
}
_TEMPORARY = frozenset({"temporary_table", "materialized", "materialized_from_subquery"})
_CONDITIONS = ("index_condition", "attached_condition", "having_condition")


def parse(output: Any) -> Node:
    """The plan of the one value of the answer."""
    if isinstance(output, (str, bytes)):
        try:
            output = json.loads(output)
        except ValueError as error:
            raise PlanError(f"the database answered no JSON: {error}") from error
    if not isinstance(output, Mapping) or "query_block" not in output:
        raise PlanError(f"the database answered {str(output)[:200]}")
    return _block("query_block", output["query_block"])


def _block(name: str, block: Mapping[str, Any]) -> Node:
    children = tuple(_children(block))
    sorts = name in {"filesort", "read_sorted_file"} or block.get("using_filesort") is True
    kind = kinds.OTHER
    if name in _TEMPORARY or block.get("using_temporary_table") is True:
        kind = kinds.TEMPORARY
    elif sorts and name != "read_sorted_file":
        kind = kinds.SORT
    return Node(
        operation=_words(name, block),
        kind=kind,
        rows_actual=block.get("r_output_rows"),
        loops=block.get("r_loops"),
        ms=block.get("r_total_time_ms"),
        cost=_cost(block),
        filter=_text(block.get("sort_key")) or _text(block.get("having_condition")),
        children=children,
        raw=_own(block),
    )


def _table(table: Mapping[str, Any]) -> Node:
    access = table.get("access_type")
    name = table.get("table_name")
    if access is None or name is None:
        return Node(operation=str(table.get("message", "table")), raw=_own(table))
    derived = str(name).startswith("<")
    rows = _number(table.get("rows", table.get("rows_examined_per_scan")))
    actual, filtered = _number(table.get("r_rows")), _number(table.get("r_filtered"))
    kept = _number(table.get("filtered"))
    read = None if actual is None or filtered is None else actual * filtered / 100
    key = table.get("key")
    if key is None and "index_merge" in table:
        key = ", ".join(dict.fromkeys(_merged(table["index_merge"])))
    return Node(
        operation=f"{access} {name}" + (f" using {key}" if key else ""),
        kind=kinds.OTHER if derived else _ACCESS.get(str(access), kinds.OTHER),
        table=None if derived else str(name),
        index=key,
        covering=table.get("using_index") is True,
        rows=rows,
        # What is counted is read; what is kept of it is said as a share.
        rows_actual=read,
        discarded=None if actual is None or read is None else actual - read,
        kept=None if kept is None else kept / 100,
        loops=_number(table.get("r_loops")),
        ms=_number(table.get("r_table_time_ms")),
        cost=_cost(table),
        filter="; ".join(str(table[name]) for name in _CONDITIONS if name in table) or None,
        children=tuple(_children(table)),
        raw=_own(table),
    )


def _children(block: Mapping[str, Any]) -> Iterator[Node]:
    for name, value in block.items():
        if name == "table" and isinstance(value, Mapping):
            yield _table(value)
        elif name in {"index_merge", "cost_info", "r_engine_stats"}:
            continue
        elif isinstance(value, Mapping):
            yield _block(name, value)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping):
                    yield from _children(item)


def _own(block: Mapping[str, Any]) -> dict[str, Any]:
    """What a block says of itself: no inner block, and no list of them."""
    return {
        name: value
        for name, value in block.items()
        if name in {"cost_info", "index_merge"}
        or not (
            isinstance(value, Mapping)
            or (isinstance(value, list) and any(isinstance(item, Mapping) for item in value))
        )
    }


def _words(name: str, block: Mapping[str, Any]) -> str:
    words = name.replace("_", " ")
    if block.get("message"):
        words += f": {block['message']}"
    extra = [
        text
        for key, text in (
            ("using_temporary_table", "temporary table"),
            ("using_filesort", "filesort"),
        )
        if block.get(key) is True
    ]
    return f"{words} ({', '.join(extra)})" if extra else words


def _merged(merge: Any) -> Iterator[str]:
    if isinstance(merge, Mapping):
        for name, value in merge.items():
            if name == "key":
                yield str(value)
            else:
                yield from _merged(value)
    elif isinstance(merge, list):
        for item in merge:
            yield from _merged(item)


def _cost(block: Mapping[str, Any]) -> float | None:
    """MariaDB from 11.0 on has a number, MySQL texts in a block of their own."""
    info = block.get("cost_info")
    if isinstance(info, Mapping):
        return _number(info.get("query_cost", info.get("prefix_cost", info.get("sort_cost"))))
    return _number(block.get("cost"))


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
