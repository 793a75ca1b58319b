"""The capture of a request that was just answered, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def capture_of(headers: Mapping[str, str]) -> Any:
    from django_hotpath import deferred, stores

    capture_id = headers["hotpath-capture"].strip("/").rpartition("/")[2]
    # Under ASGI it is made in a thread of its own.
    deferred.settle(capture_id)
    return stores.get_store().get(capture_id)


def row(measured: Mapping[str, Any], function: str) -> dict[str, Any]:
    """The row of this function in ``calls``, ``samples`` or ``lines``; empty when there is none."""
    rows = [found for found in measured["functions"] if found["function"] == function]
    return rows[0] if rows else {}


def calls_of(measured: Mapping[str, Any], function: str) -> int:
    return int(row(measured, function).get("calls", 0))


def hits_of(measured: Mapping[str, Any], function: str) -> int:
    """Of the line that ran most."""
    return max((line["hits"] or 0 for line in row(measured, function).get("lines", ())), default=0)
