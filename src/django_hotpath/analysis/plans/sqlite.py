"""Reads what SQLite's ``EXPLAIN QUERY PLAN`` answers, of version 3.24 and later."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django_hotpath.analysis.plans import node as kinds
from django_hotpath.analysis.plans.node import Node, PlanError

_READ = re.compile(
    r"""
    (?P<verb>SCAN|SEARCH)\ (?:TABLE\ |SUBQUERY\ )?(?P<table>.+?)(?:\ AS\ (?P<alias>\S+))?
    (?:\ USING\ (?P<automatic>AUTOMATIC\ )?(?P<partial>PARTIAL\ )?(?P<covering>COVERING\ )?
        (?:INDEX(?:\ (?P<index>[^(]+?))?|(?P<key>(?:INTEGER\ )?PRIMARY\ KEY)))?
    (?:\ VIRTUAL\ TABLE\ INDEX\ (?P<virtual>.*?))?
    (?:\ \((?P<condition>.*)\))?
    (?:\ (?:LEFT|RIGHT|FULL)-?JOIN|\ EXISTS)?
    """,
    re.VERBOSE,
)
_TEMPORARY = re.compile(r"USE TEMP B-TREE FOR (?P<purpose>.+)|.*USING TEMP B-TREE|MATERIALIZE .*")


def parse(rows: Iterable[Sequence[Any]]) -> Node:
    """The plan of the rows ``(id, parent, _, detail)``."""
    below: dict[int, list[tuple[int, str]]] = {}
    for row in rows:
        if len(row) != 4 or not isinstance(row[3], str):
            raise PlanError(f"SQLite answered {tuple(row)!r}")
        below.setdefault(int(row[1]), []).append((int(row[0]), row[3]))
    if not below:
        raise PlanError("SQLite gave no plan")
    return Node(operation="QUERY PLAN", children=_children(0, below))


def _children(parent: int, below: dict[int, list[tuple[int, str]]]) -> tuple[Node, ...]:
    return tuple(_node(detail, _children(at, below)) for at, detail in below.pop(parent, ()))


def _node(detail: str, children: tuple[Node, ...]) -> Node:
    if _TEMPORARY.fullmatch(detail):
        # Only an ORDER BY can be sorted by walking along an index instead of a sort.
        kind = kinds.SORT if detail.endswith("ORDER BY") else kinds.TEMPORARY
        return Node(operation=detail, kind=kind, children=children, raw=detail)
    found = _READ.fullmatch(detail)
    if found is None or detail == "SCAN CONSTANT ROW":
        return Node(operation=detail, children=children, raw=detail)
    index = found["index"] or found["key"]
    if found["automatic"]:
        # An index that is built for this one statement and thrown away.
        kind = kinds.TEMPORARY
    elif found["verb"] == "SEARCH" or found["virtual"] is not None:
        kind = kinds.INDEX_SEARCH
    else:
        kind = kinds.INDEX_SCAN if index else kinds.FULL_SCAN
    return Node(
        operation=detail,
        kind=kind,
        table=found["table"].strip(),
        alias=found["alias"],
        index=None if found["automatic"] else index,
        covering=bool(found["covering"]) and not found["automatic"],
        filter=found["condition"],
        children=children,
        raw=detail,
    )
