"""Reads that fetch many rows on purpose, a part each time: no loop over single objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django_hotpath.analysis.statements import bare
from django_hotpath.redact import MASK

_VALUE = r"(?:%S|%\(\w++\)S|\?|:\w++|\$\d++)(?:::\w++)?"
_PLACEHOLDER = re.compile(_VALUE)
_LIST = re.compile(rf"\( ?{_VALUE}(?: ?, ?{_VALUE})++ ?\)")
# One placeholder that stands for a whole list.
_ARRAY = re.compile(rf"\bANY ?\( ?{_VALUE}|\bIN {_VALUE}")
_OFFSET = re.compile(r"\bOFFSET\b|\bLIMIT [^\s,]++ ?,")


class _Shape(NamedTuple):
    page: bool
    batch: bool
    # How many placeholders there are, and the numbers of those in lists; None: not told.
    placeholders: int
    listed: tuple[int, ...] | None


def is_page(sql: str) -> bool:
    """Whether it reads a later part of an answer: it has an ``OFFSET``."""
    return _shape(sql).page


def is_batch(sql: str) -> bool:
    """Whether it is asked for many values at once: a list of two placeholders, or an array."""
    return _shape(sql).batch


_LIMIT = re.compile(r"\bLIMIT (\d++)\b")
_BEYOND = re.compile(rf"[<>]=? ?{_VALUE}")


def are_pages_by_key(queries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether they go through a table in pieces: so many rows from after the last key on.

    All but the last brought as many rows as they may, and these are several.
    """
    sql = bare(queries[0]["sql"])
    if "ORDER BY" not in sql or _BEYOND.search(sql) is None:
        return False
    counts = []
    for query in queries:
        limit = _LIMIT.search(query["sql"])
        if limit is None or int(limit[1]) < 2:
            return False
        counts.append((query.get("rows") or 0, int(limit[1])))
    return all(rows == limit for rows, limit in counts[:-1])


def without_batches(queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The queries that are no pages, and no batches unless all their lists are the same.

    ``status IN (%s, %s)`` with the same two values each time is a condition, not a batch.
    """
    shapes: dict[str, _Shape] = {}
    singles, rest, lists = [], [], set()
    for query in queries:
        sql = query["sql"]
        shape = shapes.get(sql) or shapes.setdefault(sql, _shape(sql))
        if shape.page:
            continue
        rest.append(query)
        if shape.batch:
            lists.add(_values(query, shape))
        else:
            singles.append(query)
    return rest if len(lists) == 1 and None not in lists else singles


def _shape(sql: str) -> _Shape:
    text = bare(sql)
    page = _OFFSET.search(text) is not None
    if _ARRAY.search(text):
        return _Shape(page, True, 0, None)
    if not _LIST.search(text):
        return _Shape(page, False, 0, None)
    places = [found.start() for found in _PLACEHOLDER.finditer(text)]
    return _Shape(page, True, len(places), tuple(_inside(text, places)))


def _values(query: Mapping[str, Any], shape: _Shape) -> tuple[str, ...] | None:
    """The values of all lists of a statement; None where they cannot be seen."""
    params = query.get("params") or ()
    # Long statements keep a part of their parameters, which says nothing of the others.
    if shape.listed is None or len(params) != shape.placeholders:
        return None
    values = tuple(params[number] for number in shape.listed)
    return values if all(map(is_told, values)) else None


def _inside(text: str, places: Sequence[int]) -> Iterator[int]:
    """The numbers of the placeholders that are part of a list."""
    number = 0
    for found in _LIST.finditer(text):
        while number < len(places) and places[number] < found.end():
            if places[number] >= found.start():
                yield number
            number += 1


def is_told(value: str) -> bool:
    """Whether the text of a parameter is the value itself: neither masked, cut nor a type."""
    return MASK not in value and "…" not in value and not value.startswith("<")
