from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from tests import factories
from tests.exporters import captures, readers
from tests.exporters.test_sums import assert_nested
from tests.factories import query


def events(capture: Capture, phase: str = "X") -> list[dict[str, Any]]:
    found = json.loads(capture.export("chrome"))["traceEvents"]
    return [event for event in found if event["ph"] == phase]


def everything() -> Capture:
    """All that has a start and an end, some of it at the same time."""
    row = {"start_ms": 1.0, "duration_ms": 2.0}
    site = dict(factories.SITE)
    queries = [
        query(0, "SELECT 1", start_ms=1.0, duration_ms=3.0),
        query(1, "SELECT 2", start_ms=2.0, duration_ms=3.0),
    ]
    instruments = {
        **captures.in_order().instruments,
        "queries": factories.with_queries(*queries).instruments["queries"],
        "templates": {"renders": [{**row, "name": "a.html", "engine": "django", "own_ms": 1.0}]},
        "cache": {
            "operations": [
                {**row, "index": 0, "operation": "get", "keys": ["k"], "call_site": site}
            ]
        },
        "http": {"requests": [{**row, "index": 0, "method": "GET", "url": "https://x/"}]},
        "gc": {"pauses": [{**row, "generation": 2, "collected": 3, "uncollectable": 0}]},
        "middleware": {
            "middleware": [{"name": "A", "start_ms": 0.0, "total_ms": 9.0, "own_ms": 1.0}],
            "view": {"start_ms": 0.5, "duration_ms": 8.0},
        },
        "eventloop": {
            "loop": None,
            "holds": [{**row, "doing": "computing", "task": "own"}],
            "waits": [{"start_ms": 1.0, "waited_ms": 2.0, "for": "sleep", "expression": "s()"}],
        },
    }
    return factories.capture(instruments=instruments)


def test_every_kind_of_event_has_a_track() -> None:
    capture = everything()
    names = {event["args"]["name"] for event in events(capture, "M")}
    assert names >= {
        *("Calls", "Calls, task or thread 1", "Calls, merged", "Queries", "Queries 2"),
        *("Templates", "Cache", "Other services (HTTP)", "Garbage collector"),
        *("Middleware and view", "Event loop held", "Awaits"),
    }
    assert {event["cat"] for event in events(capture)} >= {
        *("sql", "template", "cache", "http", "gc", "middleware", "eventloop", "await"),
    }
    assert_nested(events(capture))


def test_calls_are_where_they_ran() -> None:
    found = [(e["name"], e["ts"], e["dur"]) for e in events(captures.in_order()) if e["pid"] == 1]
    # The first call of outer ends where the second begins.
    assert found == [
        ("outer", 0, 5000 - 1 / 64),
        ("inner", 1000, 3000),
        ("outer", 5000, 5000),
        ("inner", 6000, 3000),
        ("worker", 2000, 5000),
    ]


def test_speedscope_reads_each_track(tmp_path: Path) -> None:
    profiles = readers.speedscope(tmp_path, "x.trace.json", everything().export("chrome"))
    totals = {found["name"].split("), ")[1]: found["nonIdle"] for found in profiles}
    assert totals["Queries (tid 1003)"] == 3000
    assert totals["Queries 2 (tid 1004)"] == 3000
    assert totals["Calls (tid 1)"] == pytest.approx(10_000, abs=1)
    assert totals["Calls, merged (tid 3)"] == 15_000


@pytest.mark.parametrize("seed", range(3))
def test_speedscope_adds_a_tree_up(tmp_path: Path, seed: int) -> None:
    capture = captures.at_random(seed)
    (found,) = readers.speedscope(tmp_path, "x.trace.json", capture.export("chrome"))
    assert found["total"] * 1000 == pytest.approx(captures.total_ns(capture), abs=16)


def test_resident_memory_is_a_counter() -> None:
    assert [e["args"]["bytes"] for e in events(captures.sampled(), "C")] == [1000, 2000]


def test_queries_alone_are_a_trace() -> None:
    (found,) = events(factories.with_queries(query(3, "SELECT\n 1")))
    assert found["name"] == "SELECT 1"
    assert found["args"]["call site"] == "shop/views.py:12 in book_list"


def test_nothing_with_a_time_is_refused() -> None:
    with pytest.raises(ExportError, match="axis of time"):
        captures.allocated().export("chrome")
    with pytest.raises(ExportError, match="no stacks"):
        factories.capture().export("chrome")
