"""Overlapping requests with all panels on, on a threaded runserver: none of them is a 500."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.fixtures import demo_database, start_server
from tests.integration.servers import FETCH, NAVIGATION, Server, environment
from tests.panels.toolbar import DEAR

__all__ = ["demo_database", "start_server"]

pytestmark = pytest.mark.server

ALL_ON = "; ".join(f"djdt{name}=on" for name in DEAR)


@pytest.fixture(scope="module", params=["runserver", "uvicorn"])
def server(
    request: pytest.FixtureRequest, demo_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("crowd")
    server = Server(
        request.param, folder, {**environment(folder), "HOTPATH_DEMO_DB": str(demo_database)}
    )
    server.start()
    yield server
    server.stop()


@pytest.mark.parametrize(
    "cookies",
    [ALL_ON, f"{ALL_ON}; djdtProfilingPanel=off", "djdtCallsPanel=on", ""],
    ids=["all", "all but theirs", "calls", "findings"],
)
def test_overlapping_requests_are_all_answered(server: Server, cookies: str) -> None:
    headers = {**NAVIGATION, "Cookie": cookies}
    answers = server.at_once([("/orders/slow/", headers)] * 3)
    assert [answer.status for answer in answers] == [200] * 3
    for answer in answers:
        request_id = answer.headers["djdt-request-id"]
        on = ["FindingsPanel", *re.findall(r"djdt(\w+)=on", cookies)]
        for panel in on:
            shown = server.get(
                f"/__debug__/render_panel/?request_id={request_id}&panel_id={panel}", FETCH
            )
            assert shown.status == 200
            content = shown.json()["content"]
            assert "<hotpath-panel" in content
            assert "cannot be shown" not in content
        findings = server.get(
            f"/__debug__/render_panel/?request_id={request_id}&panel_id=FindingsPanel", FETCH
        )
        # Of this request alone, whatever ran beside it.
        assert "Order.customer: 100 queries in a loop" in findings.json()["content"]
    assert "Traceback" not in server.log()
