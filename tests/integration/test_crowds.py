"""Twenty profiled requests at once by every engine, and ten thousand one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.servers import FETCH, ROOT, Server, environment

pytestmark = pytest.mark.server

ASKED = ["1", "cprofile", "samples", "lines", "memory"]
PLAIN = "/orders/slow/?n=20&format=json"

everywhere = pytest.mark.parametrize("server", ["runserver", "gunicorn", "uvicorn"], indirect=True)


@everywhere
@pytest.mark.parametrize("asked", ASKED)
def test_twenty_at_once_are_all_answered_rightly(server: Server, asked: str) -> None:
    plain = server.get(PLAIN)
    answers = server.at_once([(f"{PLAIN}&profile={asked}", FETCH)] * 20)
    assert {(answer.status, answer.body) for answer in answers} == {(200, plain.body)}
    assert [a for a in answers if not (a.captured or a.refused)] == []
    assert any(answer.captured for answer in answers)


@everywhere
def test_twenty_at_once_by_all_engines_together_are_answered_rightly(server: Server) -> None:
    plain = server.get(PLAIN)
    answers = server.at_once([(f"{PLAIN}&profile={asked}", FETCH) for asked in ASKED * 4])
    assert {(answer.status, answer.body) for answer in answers} == {(200, plain.body)}
    assert [a for a in answers if not (a.captured or a.refused)] == []


@everywhere
def test_engines_that_need_no_turn_capture_all_twenty(server: Server) -> None:
    asked = "queries,lines" if sys.version_info >= (3, 12) else "queries,samples"
    answers = server.at_once([(f"{PLAIN}&profile={asked}", FETCH)] * 20)
    assert [answer.refused for answer in answers] == [None] * 20


@everywhere
def test_exact_trees_of_twenty_at_once_hold_one_request_each(server: Server) -> None:
    path = "/orders/slow/?n=20&profile=native,queries&profile_as=json"
    alone = _figures(server.get(path).json())
    crowd = [_figures(answer.json()) for answer in server.at_once([(path, FETCH)] * 20)]
    assert crowd == [alone] * 20


def _figures(capture: dict[str, Any]) -> tuple[int, int]:
    """Queries, and calls of the project's functions below the view."""
    calls = capture["instruments"]["calls"]
    assert calls["engine"] == "native"
    project = sum(row["calls"] for row in calls["functions"] if row["kind"] == "project")
    return capture["instruments"]["queries"]["count"], project


def test_ten_thousand_captures_in_one_process_leave_nothing(
    tmp_path: Path, demo_database: Path
) -> None:
    given = {**os.environ, **environment(tmp_path), "HOTPATH_DEMO_DB": str(demo_database)}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("endurance.py"))],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["captures"] == 10_000
    assert found["files_after"] <= found["files_before"]
    assert found["threads_after"] <= found["threads_before"]
    # A leak of a kilobyte a capture would be eight megabytes.
    assert found["grown"] < 4_000_000, found
