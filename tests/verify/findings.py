"""Captures of the views, with a finding that names the fix of their loop."""

from __future__ import annotations

from typing import Any

from django.test import Client

from django_hotpath import stores
from django_hotpath.capture import CallSite, Capture, Finding, Fix


def captured(
    url: str, *, client: Client | None = None, findings: bool = False, **extra: str
) -> Capture:
    """The capture of a GET, stored, without its own findings."""
    client = client or Client(raise_request_exception=False)
    response = client.get(url, headers={"Hotpath-Profile": "queries"}, **extra)
    if response.streaming:
        b"".join(response)
    capture_id = response["Hotpath-Capture"].strip("/").rpartition("/")[2]
    found = stores.get_store().get(capture_id)
    return found if findings else found.with_findings(())


def looped(capture: Capture, kind: str, *paths: str, **values: Any) -> Capture:
    """The capture with the fix for all that was read from the rows of its first queryset."""
    recorded = capture.instruments["queries"]
    root = next(query for query in recorded["queries"] if _is_root(recorded, query))
    queries = [query for query in recorded["queries"] if not _is_root(recorded, query)]
    queries = [query for query in queries if query.get("of", root["index"]) == root["index"]]
    assert queries, "nothing was read from rows"
    made = recorded["orm"][root["orm"]]["made"]
    found = finding(
        fix=Fix(summary="Fetch them together.", kind=kind, paths=paths),
        origin=CallSite(file=made["file"], line=made["line"], function=made["function"]),
        queries=tuple(query["index"] for query in queries),
        **values,
    )
    kept = capture.with_findings((found,))
    stores.get_store().save(kept)
    return kept


def _is_root(recorded: Any, query: Any) -> bool:
    """Whether it fetched rows of the shop that were not read from others."""
    entry = recorded["orm"][query["orm"]] if "orm" in query else {}
    fetched = entry.get("method") in {"iterate", "iterator", "raw"}
    return fetched and "relation" not in entry


def finding(**values: Any) -> Finding:
    defaults: dict[str, Any] = {
        "kind": "n_plus_one",
        "severity": "high",
        "title": "A loop",
        "detail": "Again and again.",
        "count": 5,
        "cost_ms": 5.0,
    }
    return Finding(**{**defaults, **values})


def with_loop(url: str, kind: str = "select_related", *paths: str, **values: Any) -> Capture:
    return looped(captured(url, **values), kind, *(paths or ("customer",)))
