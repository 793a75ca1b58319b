from __future__ import annotations

import json
from pathlib import Path

import pytest

from django_hotpath.exporters import ExportError
from tests import factories
from tests.exporters import captures, readers
from tests.exporters.test_chrome import everything


def test_the_firefox_profiler_reads_calls(tmp_path: Path) -> None:
    with readers.firefox(tmp_path, captures.in_order().export("firefox")) as opened:
        threads = opened.ask("thread", "list")["threads"]
        assert {found["name"] for found in threads} == {
            "Calls",
            "Calls, task or thread 1",
            "Calls, merged",
        }
        top = opened.ask("thread", "samples", "--thread", "t-0")["topFunctionsByTotal"]
        merged = opened.ask("thread", "samples", "--thread", "t-2")["topFunctionsByTotal"]
    times = {found["name"]: found["totalSamples"] for found in top}
    assert times == {"outer": pytest.approx(10), "inner": pytest.approx(6)}
    own = {found["name"]: found["selfSamples"] for found in merged}
    assert own["worker"] == pytest.approx(5)


def test_the_firefox_profiler_reads_queries_as_markers(tmp_path: Path) -> None:
    with readers.firefox(tmp_path, everything().export("firefox")) as opened:
        threads = {t["name"]: t for t in opened.ask("thread", "list")["threads"]}
        handle = threads["Queries"]["threadHandle"]
        markers = opened.ask("thread", "markers", "--thread", handle, "--list")["flatMarkers"]
    assert threads["Queries 2"]["markerCount"] == 1
    (marker,) = markers
    assert marker["duration"] == pytest.approx(3)
    assert "SELECT 1" in json.dumps(marker)


def test_the_firefox_profiler_reads_memory_as_bytes(tmp_path: Path) -> None:
    with readers.firefox(tmp_path, captures.allocated().export("firefox")) as opened:
        found = opened.ask("thread", "samples", "--thread", "t-0")
    assert found["weightType"] == "bytes"
    assert {row["name"]: row["totalSamples"] for row in found["topFunctionsByTotal"]}[
        "a.py:1"
    ] == pytest.approx(900)


def test_the_firefox_profiler_shows_hostile_names(tmp_path: Path) -> None:
    with readers.firefox(tmp_path, captures.hostile().export("firefox")) as opened:
        top = opened.ask("thread", "samples", "--thread", "t-0")["topFunctionsByTotal"]
    assert "</script><img onerror=alert(1)>" in [found["name"] for found in top]


def test_queries_alone_are_a_profile() -> None:
    document = json.loads(factories.with_queries(factories.query(0)).export("firefox"))
    assert [thread["name"] for thread in document["threads"]] == ["Queries"]


def test_an_empty_capture_is_refused() -> None:
    with pytest.raises(ExportError, match="no stacks"):
        factories.capture().export("firefox")
