"""Captures made by hand, for tests of what reads them."""

from __future__ import annotations

from typing import Any

from django_hotpath.capture import Capture, Environment, RequestInfo, Timing, new_id

SITE = {"file": "shop/views.py", "line": 12, "function": "book_list"}


def capture(*, wall_ms: float = 100.0, **values: Any) -> Capture:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "started_at": "2026-11-20T12:00:00.000Z",
        "label": "GET /books/",
        "request": RequestInfo(method="GET", path="/books/", route="books/", status=200),
        "timing": Timing(wall_ms=wall_ms),
        "environment": Environment(
            python="3.13.0",
            django="6.1",
            hotpath="0.1.0",
            server="test",
            threads=1,
            pid=1,
            debug=True,
        ),
    }
    return Capture(**{**defaults, **values})


def query(index: int, sql: str = "SELECT 1", **values: Any) -> dict[str, Any]:
    from django_hotpath.analysis.fingerprint import fingerprint

    return {
        "index": index,
        "alias": "default",
        "vendor": "sqlite",
        "sql": sql,
        "params": [],
        "fingerprint": fingerprint(sql),
        "start_ms": float(index),
        "duration_ms": 1.0,
        "fetch_ms": 0.0,
        "rows": 1,
        "many": False,
        "transaction": False,
        "call_site": dict(SITE),
        "stack": [0],
        **values,
    }


def with_queries(*queries: dict[str, Any], wall_ms: float = 100.0) -> Capture:
    frames = [{**SITE, "kind": "project"}]
    recorded = {
        "count": len(queries),
        "total_ms": sum(found["duration_ms"] for found in queries),
        "truncated": 0,
        "frames": frames,
        "queries": list(queries),
    }
    return capture(wall_ms=wall_ms, instruments={"queries": recorded})


def function(name: str = "balance_of", **values: Any) -> dict[str, Any]:
    return {
        "file": "shop/lookup.py",
        "line": 3,
        "function": name,
        "kind": "project",
        "package": "shop",
        "calls": 1,
        "primitive_calls": 1,
        "own_ms": 1.0,
        "cumulative_ms": 1.0,
        **values,
    }


def with_functions(*functions: dict[str, Any], wall_ms: float = 100.0) -> Capture:
    calls = {
        "engine": "cprofile",
        "builtins": False,
        "total_ms": sum(found["own_ms"] for found in functions),
        "calls": sum(found["calls"] for found in functions),
        "primitive_calls": sum(found["primitive_calls"] for found in functions),
        "functions": list(functions),
        "edges": [],
        "truncated": 0,
    }
    return capture(wall_ms=wall_ms, instruments={"calls": calls})
