from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.integration.fixtures import StartServer, demo_database, start_server
from tests.integration.servers import Server

__all__ = ["demo_database", "start_server"]

_SERVER = pytest.StashKey[Server]()


@pytest.fixture
def server(request: pytest.FixtureRequest, start_server: StartServer) -> Iterator[Server]:
    """The server that the test is parametrised with; it must not log a traceback meanwhile."""
    server = start_server(request.param)
    request.node.stash[_SERVER] = server
    before = len(server.log())
    yield server
    logged = server.log()[before:]
    assert "Traceback" not in logged, f"{server.name} logged an error:\n{logged}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and (server := item.stash.get(_SERVER, None)) is not None:
        report.sections.append((f"log of {server.name}", server.log()[-20_000:]))
    return report
