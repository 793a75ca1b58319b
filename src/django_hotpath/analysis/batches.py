"""Reads that fetch many rows on purpose, a part each time: no loop over single objects."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from django_hotpath.analysis.statements import bare
from django_hotpath.redact import MASK

_VALUE = r"(?:%S|%\(\w++\)S|\?|:\w++|\$\d++)(?:::\w++)?"
_PLACEHOLDER = re.compile(_VALUE)
_LIST = re.compile(rf"\( ?{_VALUE}(?: ?, ?{_VALUE})++ ?\)")
# One placeholder that stands for a whole list.
_ARRAY = re.compile(rf"\bANY ?\( ?{_VALUE}|\bIN {_VALUE}")
_OFFSET = re.compile(r"\bOFFSET\b|\bLIMIT [^\s,]++ ?,")


def is_page(sql: str) -> bool:
    """Whether it reads a later part of an answer: it has an ``OFFSET``."""
    return _OFFSET.search(bare(sql)) is not None


def is_batch(sql: str) -> bool:
    """Whether it is asked for many values at once: a list of two placeholders, or an array."""
    text = bare(sql)
    return _ARRAY.search(text) is not None or _LIST.search(text) is not None


def without_batches(queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The queries that are no pages, and no batches unless all their lists are the same.

    ``status IN (%s, %s)`` with the same two values each time is a condition, not a batch.
    """
    rest = [query for query in queries if not is_page(query["sql"])]
    if len({_listed(query) for query in rest if is_batch(query["sql"])} | {None}) == 2:
        return rest
    return [query for query in rest if not is_batch(query["sql"])]


def _listed(query: Mapping[str, Any]) -> Hashable:
    """The values of all lists of a statement; a value of its own where they cannot be seen."""
    unknown = object()
    params = query.get("params") or ()
    text = bare(query["sql"])
    places = [found.start() for found in _PLACEHOLDER.finditer(text)]
    # Long statements keep a part of their parameters, which says nothing of the others.
    if _ARRAY.search(text) or len(params) != len(places):
        return unknown
    values = tuple(params[number] for number in _inside(text, places))
    return values if all(map(_is_told, values)) else unknown


def _inside(text: str, places: Sequence[int]) -> Iterator[int]:
    """The numbers of the placeholders that are part of a list."""
    number = 0
    for found in _LIST.finditer(text):
        while number < len(places) and places[number] < found.end():
            if places[number] >= found.start():
                yield number
            number += 1


def _is_told(value: str) -> bool:
    """Whether the text of a parameter is the value itself: neither masked, cut nor a type."""
    return MASK not in value and "…" not in value and not value.startswith("<")
