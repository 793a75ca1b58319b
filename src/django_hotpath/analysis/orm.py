"""The ORM's part of a recorded query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django_hotpath.capture import CallSite, Capture

Entry = Mapping[str, Any]

_NONE: Entry = {}


def table_of(capture: Capture) -> Sequence[Entry]:
    """The entries that the queries of a capture point to."""
    recorded = capture.instruments.get("queries")
    return recorded.get("orm") or () if recorded else ()


def orm_of(found: Capture | Sequence[Entry], query: Mapping[str, Any]) -> Entry:
    """The entry of a query, from its capture or from the table; {} where the ORM had no part."""
    table = table_of(found) if isinstance(found, Capture) else found
    number = query.get("orm")
    return table[number] if number is not None and number < len(table) else _NONE


def site_of_place(place: Mapping[str, Any] | None) -> CallSite | None:
    """Where an expression of an entry ("made", "read") stands."""
    if not place:
        return None
    return CallSite(
        file=place["file"], line=place.get("step_line", place["line"]), function=place["function"]
    )
