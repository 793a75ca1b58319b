"""Captures for the report tests: the size and the strings are what matters, not the figures."""

from __future__ import annotations

from typing import Any

from django_hotpath.capture import (
    SEVERITIES,
    CallSite,
    Capture,
    Environment,
    Finding,
    Fix,
    Predicted,
    RequestInfo,
    Timing,
    new_id,
)

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b>\udcff"

SITE = {"file": "shop/views.py", "line": 12, "function": "book_list"}


def function(name: str = "view", **values: Any) -> dict[str, Any]:
    return {
        "file": "shop/views.py",
        "line": 1,
        "function": name,
        "kind": "project",
        "package": "shop",
        "calls": 2,
        "primitive_calls": 1,
        "own_ms": 1.0,
        "cumulative_ms": 2.0,
        **values,
    }


def calls(*functions: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "engine": "cprofile",
        "builtins": False,
        "total_ms": sum(found["own_ms"] for found in functions),
        "calls": sum(found["calls"] for found in functions),
        "primitive_calls": sum(found["primitive_calls"] for found in functions),
        "functions": list(functions),
        "edges": [[0, i, 1, 1, 0.5, 1.0] for i in range(1, len(functions))],
        "truncated": 0,
        **values,
    }


def query(index: int, sql: str = "SELECT 1", **values: Any) -> dict[str, Any]:
    return {
        "index": index,
        "alias": "default",
        "vendor": "sqlite",
        "sql": sql,
        "params": ["1"],
        "fingerprint": "0" * 16,
        "start_ms": float(index),
        "duration_ms": 0.5,
        "fetch_ms": 0.1,
        "rows": 1,
        "many": False,
        "transaction": False,
        "call_site": dict(SITE),
        "stack": [0],
        **values,
    }


def queries(*statements: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "count": len(statements),
        "total_ms": sum(found["duration_ms"] for found in statements),
        "truncated": 0,
        "frames": [{**SITE, "kind": "project"}],
        "queries": list(statements),
        **values,
    }


def cache(text: str = "book:1", **values: Any) -> dict[str, Any]:
    operation = {
        "index": 0,
        "alias": "default",
        "backend": "LocMemCache",
        "operation": "get",
        "keys": [text],
        "key_count": 1,
        "hits": 0,
        "misses": 1,
        "start_ms": 1.0,
        "duration_ms": 0.2,
        "call_site": dict(SITE),
        **values,
    }
    return {
        "count": 1,
        "total_ms": 0.2,
        "hits": 0,
        "misses": 1,
        "truncated": 0,
        "operations": [operation],
    }


def templates(text: str = "shop/list.html") -> dict[str, Any]:
    row = {
        "name": text,
        "file": text,
        "engine": "django",
        "count": 1,
        "own_ms": 3.0,
        "cumulative_ms": 4.0,
    }
    return {"count": 1, "total_ms": 4.0, "truncated": 0, "templates": [row], "renders": []}


def allocations(text: str = "books = list(books)") -> dict[str, Any]:
    line = {"file": "shop/views.py", "line": 3, "kind": "project", "size": 2048, "count": 9}
    return {
        "engine": "tracemalloc",
        "nframe": 1,
        "foreign": False,
        "traced_before": 1,
        "traced_after": 2049,
        "traced_peak": 4096,
        "total_size": 2048,
        "total_count": 9,
        "tools_size": 10,
        "by_line": [{**line, "source": text}],
        "by_file": [line],
    }


def objects(text: str = "shop.Book") -> dict[str, Any]:
    model = {
        "model": text,
        "created": 1_200,
        "alive": 300,
        "untracked": 0,
        "size": 512,
        "deep_size": None,
        "deep_of": 0,
        "total_size": 614_400,
        "alive_size": 153_600,
    }
    kind = {"type": text, "count": 90, "change": -4, "size": None, "size_change": None}
    return {
        "engine": "hotpath",
        "created": 1_200,
        "alive": 300,
        "untracked": 0,
        "garbage": None,
        "models": [model],
        "truncated": 0,
        "types": [kind],
    }


def source_lines(text: str = "books = list(books)", **figures: Any) -> list[dict[str, Any]]:
    """Three lines: one without code, one that ran, one that did not."""
    return [
        {"line": 12, "source": "def book_list(request):", "hits": None},
        {"line": 13, "source": text, "hits": 4, **figures},
        {"line": 14, "source": "return None", "hits": 0},
    ]


def lines(*functions: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {
        "engine": "monitoring",
        "target": "view",
        "view": "shop.views.book_list",
        "not_run": 0,
        "truncated": 0,
        "functions": list(functions or [timed_function()]),
        **values,
    }


def timed_function(text: str = "books = list(books)", **values: Any) -> dict[str, Any]:
    return {
        "file": "shop/views.py",
        "line": 12,
        "function": "book_list",
        "kind": "project",
        "calls": 1,
        "total_ms": 20.0,
        "waited_ms": 0.0,
        "lines": source_lines(text, ms=20.0, ms_per_hit=5.0, share=1.0),
        "left_out": 0,
        **values,
    }


def line_memory(text: str = "books = list(books)", **values: Any) -> dict[str, Any]:
    found = timed_function(text, increment=2048, peak=4096)
    found["lines"] = source_lines(text, increment=2048, peak=4096)
    return lines(found, **{"unit": "traced", "before": 1024, "after": 3072, **values})


GC = {
    "count": 1,
    "total_ms": 0.4,
    "collected": 12,
    "uncollectable": 0,
    "generations": [1, 0, 0],
    "pauses": [{"generation": 0, "start_ms": 2.0, "duration_ms": 0.4, "collected": 12}],
}

MEMORY = {
    "rss_before": 1_000_000,
    "rss_after": 3_000_000,
    "rss_peak": None,
    "rss_high_water": 4_000_000,
    "blocks_before": 10,
    "blocks_after": 20,
}


def eventloop(text: str = "time.sleep(0.2)", **values: Any) -> dict[str, Any]:
    frame = {**SITE, "file": text, "function": text, "kind": "library", "package": text}
    site = {**SITE, "file": text, "function": text}
    hold = {
        "start_ms": 3.0,
        "duration_ms": 201.5,
        "cpu_ms": 0.4,
        "doing": "waiting",
        "task": "started",
        "exact": False,
        "looks": 12,
        "lines": [
            {
                "looks": 11,
                "about_ms": 201.5,
                "seen_ms": 170.0,
                "doing": "waiting",
                "importing": False,
                "call_site": site,
                "expression": text,
                "inside": frame,
                "entered": frame,
                "stack": [frame, frame],
            }
        ],
    }
    wait = {
        "start_ms": 1.0,
        "waited_ms": 80.0,
        "late_ms": 2.5,
        "suspensions": 1,
        "for": text,
        "unfinished": True,
        "call_site": site,
        "expression": text,
    }
    return {
        "loop": text,
        "blocking_ms": 50.0,
        "interval_ms": 10.0,
        "ticks": 30,
        "lag_p50_ms": 0.6,
        "lag_p95_ms": 91.0,
        "lag_max_ms": 192.0,
        "driven": True,
        "steps": 4,
        "run_ms": 203.0,
        "cpu_ms": 1.6,
        "held_count": 1,
        "held_ms": 201.5,
        "holds": [hold],
        "others": {"count": 1, "total_ms": 60.0, "max_ms": 60.0},
        "wait_count": 1,
        "waited_ms": 80.0,
        "truncated": 0,
        "waits": [wait],
        "sequences": [],
        **values,
    }


def used(model: str = "shop.Book", **values: Any) -> dict[str, Any]:
    """What was made of a queryset's rows, with a join that nobody read."""
    rows = {
        "columns": ["id", "title", "summary"],
        "keys": ["id"],
        "unseen": [],
        "read": {"title": 40},
        "bytes": {"id": 320, "title": 400, "summary": 40_000},
        "followed": 40,
    }
    relation = {
        "of": model,
        "how": "select_related",
        "accessor": "author",
        "lookup": "author",
        "queryset": 0,
        "seen": True,
        "to_attr": None,
        "of_rows": 40,
        "read": 0,
        "instances": 40,
        "distinct": 2,
        "touched": 0,
        "model": model,
        "rows": {**rows, "read": {}},
    }
    found = {
        **rows,
        "query": 0,
        "queries": [0],
        "runs": 1,
        "call_site": SITE,
        "raw": False,
        "dicts": False,
        "of": None,
        "model": model,
        "rows": 40,
        "touched": 40,
        "first": 0,
        "last": 39,
        "relations": {"author": relation},
    }
    return {**found, **values}


def usage(*querysets: dict[str, Any]) -> dict[str, Any]:
    found = list(querysets) or [used()]
    return {
        "count": len(found),
        "rows": sum(one["rows"] for one in found),
        "reads": 40,
        "truncated": 0,
        "bound": 50_000,
        "querysets": found,
    }


def instruments() -> dict[str, Any]:
    """One of each."""
    return {
        "calls": calls(function("view"), function("helper")),
        "queries": queries(query(0), query(1)),
        "cache": cache(),
        "templates": templates(),
        "memory": MEMORY,
        "gc": GC,
        "allocations": allocations(),
        "objects": objects(),
        "usage": usage(),
        "lines": lines(),
        "line_memory": line_memory(),
        "eventloop": eventloop(),
    }


def environment(text: str = "3.13.0", **values: Any) -> Environment:
    return Environment(
        python=text,
        django=text,
        hotpath="0.1.0",
        server=text,
        threads=1,
        pid=1,
        debug=True,
        **values,
    )


def capture(**values: Any) -> Capture:
    defaults: dict[str, Any] = {
        "id": new_id(),
        "started_at": "2026-11-20T12:00:00.000Z",
        "label": "GET /books/",
        "request": RequestInfo(method="GET", path="/books/", route="books/", status=200),
        "timing": Timing(wall_ms=100.0, db_ms=40.0),
        "environment": environment(),
    }
    return Capture(**{**defaults, **values})


def finding(severity: str = "high", text: str = "Many queries", **values: Any) -> Finding:
    defaults: dict[str, Any] = {
        "kind": "n_plus_one",
        "title": text,
        "detail": text,
        "count": 2,
        "cost_ms": 25.0,
        "call_site": CallSite(file="shop/views.py", line=12, function="book_list"),
        "fix": Fix(
            summary=text,
            code=text,
            predicted=Predicted(queries=(101, 1), saved_ms=24.0),
        ),
        "queries": (0, 1),
    }
    return Finding(severity=severity, **{**defaults, **values})


def hostile_capture() -> Capture:
    """``HOSTILE`` in every text of the capture."""
    text = HOSTILE
    place: dict[str, Any] = {
        "file": text,
        "line": 1,
        "function": text,
        "template": text,
        "template_line": 2,
    }
    rows = [function(text, file=text, package=text, kind="library") for _ in range(60)]
    statements = [
        query(
            i,
            f"SELECT '{text}' FROM {text}",
            fingerprint=str(i),
            params=[text],
            call_site=place,
            error=text,
        )
        for i in range(60)
    ]
    made_at = CallSite(**place)
    return capture(
        label=text,
        started_at=text,
        request=RequestInfo(
            method="GET",
            path="/" + text,
            query_string=text,
            route=text,
            view=text,
            status=500,
            content_type=text,
            exception={"type": "ValueError", "message": text},
        ),
        environment=environment(text, warnings=(text,)),
        instruments={
            "calls": calls(*rows, engine=text),
            "queries": queries(
                *statements, frames=[{**place, "kind": "project"}, {**SITE, "kind": "project"}]
            ),
            "cache": cache(text, operation=text, alias=text, error=text, call_site=place),
            "templates": templates(text),
            "allocations": {**allocations(text), "engine": text},
            "objects": objects(text),
            "usage": usage(
                used(
                    text,
                    call_site=place,
                    columns=[text],
                    keys=[],
                    bytes={text: 1},
                    of={"queryset": 0, "lookup": text},
                )
            ),
            "lines": lines(timed_function(text, function=text, file=text, kind=text), view=text),
            "line_memory": line_memory(text, unit=text, engine=text),
            "eventloop": eventloop(text),
        },
        findings=tuple(
            finding(severity, text, call_site=made_at, origin=made_at, relation=text)
            for severity in SEVERITIES
        ),
    )


def large_capture(number: int = 20_000) -> Capture:
    statements = [
        query(
            i,
            f'SELECT "a"."id", "a"."name" FROM "table_{i % 100}" WHERE "a"."id" = %s',
            fingerprint=f"{i % 100:016x}",
            start_ms=i * 0.6137,
            duration_ms=0.1 + i % 37 / 11,
            params=[str(i)],
        )
        for i in range(number)
    ]
    rows = [
        function(f"f{i}", file=f"package/module_{i % 90}.py", line=i, own_ms=1 + i % 53 / 7)
        for i in range(1200)
    ]
    return capture(instruments={"queries": queries(*statements), "calls": calls(*rows)})
