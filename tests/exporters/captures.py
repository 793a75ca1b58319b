"""Captures made by hand for exporters: trees at random, hostile names, everything at once."""

from __future__ import annotations

import random
from typing import Any

from django_hotpath.capture import Capture
from tests import factories
from tests.factories import function, query

HOSTILE = (
    "</script><img onerror=alert(1)>",
    "a;b\nc\r\nd\te",
    "fn=(3) 12 34",
    "(12) name",
    "\u202egnp.exe\u200b\u2066",
    "\udcff\udc80",
    "nul\x00 bell\x07 esc\x1b[31m",
    "SELECT " + "x" * 10_000,
    "=HYPERLINK(1)",
    "`*_[x](y)|~~@user #12 http://x",
    "日本語 🐍 é",
    "",
    " ",
)


def random_tree(seed: int, nodes: int, rows: int = 12) -> dict[str, Any]:
    """A tree as in a capture: whole tenths of microseconds, a parent before its child."""
    dice = random.Random(seed)
    parent, frame = [-1], [-1]
    for index in range(1, nodes):
        parent.append(dice.randrange(max(0, index - 20), index))
        frame.append(dice.randrange(rows))
    own = [dice.choice((0, 0, dice.randrange(1, 100_000))) for _ in range(nodes)]
    total = list(own)
    for index in range(nodes - 1, 0, -1):
        total[parent[index]] += total[index]
    return {
        "parent": parent,
        "frame": frame,
        "calls": [0, *(dice.randrange(1, 50) for _ in range(nodes - 1))],
        "own_ms": [round(value / 10_000, 4) for value in own],
        "total_ms": [round(value / 10_000, 4) for value in total],
        "omitted": 0,
    }


def table(tree: dict[str, Any], names: list[str] | None = None) -> dict[str, Any]:
    """``functions`` and ``edges`` that fit the tree, figures of a recursion summed up."""
    number = max(tree["frame"], default=-1) + 1
    names = names or [f"function_{index}" for index in range(number)]
    own, cumulative, calls = [0.0] * number, [0.0] * number, [0] * number
    edges: dict[tuple[int, int], list[Any]] = {}
    for node, frame in enumerate(tree["frame"]):
        if frame < 0:
            continue
        own[frame] += tree["own_ms"][node]
        cumulative[frame] += tree["total_ms"][node]
        calls[frame] += tree["calls"][node]
        above = tree["frame"][tree["parent"][node]]
        if above >= 0:
            edge = edges.setdefault((above, frame), [0, 0.0, 0.0])
            edge[0] += tree["calls"][node]
            edge[1] += tree["own_ms"][node]
            edge[2] += tree["total_ms"][node]
    functions = [
        function(
            names[row],
            file=f"shop/part_{row % 4}.py",
            line=row + 1,
            calls=calls[row],
            primitive_calls=calls[row],
            own_ms=round(own[row], 4),
            cumulative_ms=round(cumulative[row], 4),
        )
        for row in range(number)
    ]
    plain = [
        [caller, callee, count, count, round(own_ms, 4), round(total_ms, 4)]
        for (caller, callee), (count, own_ms, total_ms) in edges.items()
    ]
    return {"functions": functions, "edges": plain}


def of_tree(tree: dict[str, Any], names: list[str] | None = None, **instruments: Any) -> Capture:
    calls = {
        "engine": "native",
        "builtins": False,
        "lost": 0,
        "total_ms": tree["total_ms"][0],
        "calls": sum(tree["calls"]),
        "primitive_calls": sum(tree["calls"]),
        "truncated": 0,
        **table(tree, names),
        "tree": tree,
    }
    return factories.capture(instruments={"calls": calls, **instruments})


def at_random(seed: int, nodes: int = 300) -> Capture:
    return of_tree(random_tree(seed, nodes))


def total_ns(capture: Capture) -> int:
    """What every export of the tree has to add up to."""
    return sum(round(own * 1e6) for own in capture.instruments["calls"]["tree"]["own_ms"])


def chain(names: list[str], spans: dict[str, Any] | None = None) -> Capture:
    """Each calls the next; 1 ms each, 2 in the last."""
    number = len(names)
    tree = {
        "parent": [-1, *range(number)],
        "frame": [-1, *range(number)],
        "calls": [0] + [1] * number,
        "own_ms": [0.0] + [1.0] * (number - 1) + [2.0],
        "total_ms": [number + 1.0, *(number + 1.0 - index for index in range(number))],
        "omitted": 0,
    }
    capture = of_tree(tree, names)
    if spans:
        capture.instruments["calls"]["spans"] = spans
    return capture


def hostile() -> Capture:
    capture = chain(list(HOSTILE))
    functions = capture.instruments["calls"]["functions"]
    for row, text in zip(functions, HOSTILE, strict=True):
        row["file"] = text
    functions[-1]["kind"] = "sql"
    queries = [query(index, text, params=[text]) for index, text in enumerate(HOSTILE)]
    for found, text in zip(queries, HOSTILE, strict=True):
        found["call_site"] = {"file": text, "line": 1, "function": text}
    recorded = factories.with_queries(*queries).instruments["queries"]
    instruments = {**capture.instruments, "queries": recorded}
    return factories.capture(label="".join(HOSTILE), instruments=instruments)


def in_order() -> Capture:
    """Two lanes: ``outer`` twice around ``inner``, and ``worker`` beside them."""
    tree = {
        "parent": [-1, 0, 1, 0],
        "frame": [-1, 0, 1, 2],
        "calls": [0, 2, 2, 1],
        "own_ms": [0.0, 4.0, 6.0, 5.0],
        "total_ms": [15.0, 10.0, 6.0, 5.0],
        "omitted": 0,
    }
    spans = {
        "node": [1, 2, 3, 1, 2],
        "start_ms": [0.0, 1.0, 2.0, 5.0, 6.0],
        "duration_ms": [5.0, 3.0, 5.0, 5.0, 3.0],
        "lane": [0, 0, 1, 0, 0],
        "least_ms": 0.02,
        "omitted": 3,
    }
    capture = of_tree(tree, ["outer", "inner", "worker"])
    capture.instruments["calls"]["spans"] = spans
    return capture


def sampled() -> Capture:
    tree = {
        "parent": [-1, 0, 1, 1],
        "frame": [-1, 0, 1, 2],
        "calls": [0, 1, 2, 1],
        "own_ms": [0.0, 1.0, 2.0, 1.0],
        "total_ms": [4.0, 4.0, 2.0, 1.0],
        "omitted": 0,
    }
    samples = {
        "engine": "thread",
        "mode": "wall",
        "samples": 4,
        "sampled_ms": 4.0,
        "order": {"node": [2, 3, 2, 1], "ms": [1.0, 1.0, 1.0, 1.0]},
        "memory": {"points": [[0.0, 1000], [4.0, 2000]]},
        "truncated": 0,
        **table(tree, ["view", "left", "right"]),
        "tree": tree,
    }
    return factories.capture(instruments={"samples": samples})


def allocated() -> Capture:
    def line(file: str, number: int) -> dict[str, Any]:
        return {"file": file, "line": number, "kind": "project"}

    traced = {
        "engine": "tracemalloc",
        "nframe": 2,
        "foreign": False,
        "traced_before": 0,
        "traced_after": 1000,
        "traced_peak": 1200,
        "tools_size": 0,
        "total_size": 1000,
        "total_count": 10,
        "by_line": [{**line("shop/a.py", 3), "size": 900, "count": 9, "source": "x"}],
        "by_file": [],
        "by_traceback": [
            {"frames": [line("shop/a.py", 1), line("shop/b.py", 2)], "size": 600, "count": 6},
            {"frames": [line("shop/a.py", 1), line("shop/b.py", 5)], "size": 300, "count": 3},
        ],
    }
    return factories.capture(instruments={"allocations": traced})
