"""Reads what PostgreSQL's ``EXPLAIN (FORMAT JSON)`` answers, with and without ``ANALYZE``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django_hotpath.analysis.plans import node as kinds
from django_hotpath.analysis.plans.node import Node, PlanError

_KINDS = {
    "Seq Scan": kinds.FULL_SCAN,
    "Sample Scan": kinds.FULL_SCAN,
    "Index Scan": kinds.INDEX_SEARCH,
    "Index Only Scan": kinds.INDEX_SEARCH,
    "Bitmap Heap Scan": kinds.INDEX_SEARCH,
    "Sort": kinds.SORT,
    "Incremental Sort": kinds.SORT,
}
_FILTERS = ("Index Cond", "Recheck Cond", "Filter", "Join Filter", "Hash Cond", "Merge Cond")


def parse(output: Any) -> Node:
    """The plan of the one value of the answer, as text or as the driver has read it."""
    if isinstance(output, (str, bytes)):
        try:
            output = json.loads(output)
        except ValueError as error:
            raise PlanError(f"PostgreSQL answered no JSON: {error}") from error
    try:
        (top,) = output
        plan = top["Plan"]
        root = _node(plan)
    except (KeyError, TypeError, ValueError) as error:
        raise PlanError(f"PostgreSQL answered {str(output)[:200]}") from error
    return root


def times(output: Any) -> dict[str, float]:
    """``planning_ms`` and ``execution_ms``, where the answer holds them."""
    if isinstance(output, (str, bytes)):
        output = json.loads(output)
    top = output[0]
    names = {"planning_ms": "Planning Time", "execution_ms": "Execution Time"}
    return {name: top[key] for name, key in names.items() if key in top}


def _node(plan: Mapping[str, Any]) -> Node:
    name = plan["Node Type"]
    children = tuple(_node(child) for child in plan.get("Plans", ()))
    kind = _KINDS.get(name, kinds.OTHER)
    if kind == kinds.INDEX_SEARCH and name != "Bitmap Heap Scan" and "Index Cond" not in plan:
        kind = kinds.INDEX_SCAN
    on_disk = plan.get("Sort Space Type") == "Disk" or _spilled(plan)
    if kind == kinds.OTHER and on_disk:
        kind = kinds.TEMPORARY
    index = plan.get("Index Name")
    if name == "Bitmap Heap Scan":
        index = ", ".join(dict.fromkeys(_bitmap_indexes(plan))) or None
    rows, actual = plan.get("Plan Rows"), plan.get("Actual Rows")
    removed = plan.get("Rows Removed by Filter")
    table = plan.get("Relation Name")
    return Node(
        operation=_operation(plan),
        kind=kind,
        table=table,
        alias=plan.get("Alias") if plan.get("Alias") != table else None,
        index=index,
        covering=name == "Index Only Scan",
        rows=rows,
        rows_actual=actual,
        discarded=removed,
        loops=plan.get("Actual Loops"),
        ms=plan.get("Actual Total Time"),
        cost=plan.get("Total Cost"),
        filter="; ".join(str(plan[key]) for key in _FILTERS if key in plan) or _keys(plan),
        on_disk=on_disk,
        children=children,
        raw={
            key: value
            for key, value in plan.items()
            # Counters of buffers that stayed zero are most of the text.
            if key != "Plans" and not (value == 0 and key.endswith("Blocks"))
        },
    )


def _keys(plan: Mapping[str, Any]) -> str | None:
    found = plan.get("Sort Key") or plan.get("Group Key")
    return ", ".join(map(str, found)) if found else None


def _operation(plan: Mapping[str, Any]) -> str:
    words = [plan["Node Type"]]
    if plan.get("Parallel Aware"):
        words.insert(0, "Parallel")
    if (strategy := plan.get("Strategy")) and strategy != "Plain":
        words.append(f"({strategy.lower()})")
    if (join := plan.get("Join Type")) and join != "Inner":
        words.append(f"({join.lower()})")
    if plan.get("Scan Direction") == "Backward":
        words.append("backward")
    if "Relation Name" in plan:
        words.append(f"on {plan['Relation Name']}")
        if plan.get("Alias", plan["Relation Name"]) != plan["Relation Name"]:
            words.append(plan["Alias"])
    if "CTE Name" in plan:
        words.append(f"on {plan['CTE Name']}")
    if "Index Name" in plan:
        words.append(f"using {plan['Index Name']}")
    return " ".join(words)


def _spilled(plan: Mapping[str, Any]) -> bool:
    """Whether a hash did not fit into ``work_mem``; counted by ANALYZE only."""
    if plan["Node Type"] == "Hash":
        return int(plan.get("Hash Batches", 1)) > 1
    return plan["Node Type"] == "Aggregate" and int(plan.get("Disk Usage", 0)) > 0


def _bitmap_indexes(plan: Mapping[str, Any]) -> list[str]:
    found = []
    for child in plan.get("Plans", ()):
        if "Index Name" in child:
            found.append(child["Index Name"])
        found += _bitmap_indexes(child)
    return found
