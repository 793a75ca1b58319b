"""Captures of a chosen size, made without running anything."""

from __future__ import annotations

import random
from typing import Any

from django_hotpath.capture import Capture, Environment, RequestInfo, Timing, new_id
from django_hotpath.instruments.tree import plain_tree

_FUNCTIONS = 4_000
_DEEPEST = 60


def of_nodes(nodes: int, seed: int = 1) -> Capture:
    """With a call tree of so many nodes, as a large page makes them, and its calls in order."""
    rng = random.Random(seed)
    parent, frame, own, depth = [-1], [-1], [0], [0]
    for node in range(1, nodes):
        above = node - 1 if rng.random() < 0.55 else rng.randrange(max(node - 400, 0), node)
        if depth[above] >= _DEEPEST:
            above = 0
        parent.append(above)
        depth.append(depth[above] + 1)
        # A few functions are called from everywhere, most from one place.
        frame.append(int(rng.random() ** 2 * (_FUNCTIONS - 1)))
        own.append(int(rng.expovariate(1 / 20_000)))
    codes = [_code(i) for i in range(_FUNCTIONS)]
    calls = plain_tree(codes, parent, frame, [0, *[1] * (nodes - 1)], own)
    calls |= {"engine": "native", "builtins": False, "lost": 0}
    return _capture(f"GET /tree/{nodes}/", sum(own) / 1e6, {"calls": calls})


def of_queries(number: int, seed: int = 1) -> Capture:
    """With so many statements of fifty kinds, from two hundred lines."""
    rng = random.Random(seed)
    frames = [
        {"file": f"shop/views_{i % 20}.py", "line": i, "function": f"f{i}", "kind": "project"}
        for i in range(200)
    ]
    rows: list[dict[str, Any]] = []
    at = 0.0
    for index in range(number):
        kind, place = rng.randrange(50), rng.randrange(200)
        took = rng.expovariate(5)
        rows.append(
            {
                "index": index,
                "alias": "default",
                "vendor": "sqlite",
                "sql": f'SELECT "shop_book"."id", "shop_book"."title", "shop_book"."price_{kind}" '
                f'FROM "shop_book" WHERE "shop_book"."author_id" = %s AND "kind" = {kind} LIMIT 21',
                "params": [str(rng.randrange(10_000))],
                "fingerprint": f"{kind:016x}",
                "start_ms": round(at, 4),
                "duration_ms": round(took, 4),
                "fetch_ms": round(took / 5, 4),
                "rows": rng.randrange(30),
                "many": False,
                "transaction": False,
                "call_site": {name: frames[place][name] for name in ("file", "line", "function")},
                "stack": [place],
                "positions": [0],
            }
        )
        at += took + 0.05
    data = {
        "count": number,
        "total_ms": sum(row["duration_ms"] for row in rows),
        "truncated": 0,
        "frames": frames,
        "orm": [],
        "queries": rows,
    }
    return _capture(f"GET /queries/{number}/", at, {"queries": data})


def small(index: int) -> Capture:
    """One of many, for a list of them."""
    return _capture(f"GET /books/{index % 40}/", 10 + index % 300, {}, route="books/<int:pk>/")


def _code(index: int) -> Any:
    kinds = ("shop/views.py", "django/db/models/query.py", "django/template/base.py")
    name = f"function_{index}"
    source = f"def {name}(): pass"
    scope: dict[str, Any] = {}
    exec(compile(source, f"{kinds[index % 3]}", "exec"), scope)
    return scope[name].__code__


def _capture(label: str, wall_ms: float, instruments: dict[str, Any], **request: Any) -> Capture:
    method, path = label.split(" ", 1)
    return Capture(
        id=new_id(),
        started_at="2026-11-20T12:00:00.000Z",
        label=label,
        request=RequestInfo(method=method, path=path, status=200, **request),
        timing=Timing(wall_ms=wall_ms),
        environment=Environment(
            python="3", django="5", hotpath="0", server="benchmark", threads=1, pid=1, debug=True
        ),
        instruments=instruments,
    )
