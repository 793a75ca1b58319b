"""Fixtures for tests on the running demo site; each worker of pytest-xdist has its own servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.servers import Server, environment, manage

StartServer = Callable[[str], Server]


@pytest.fixture(scope="session")
def demo_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    manage(folder, "migrate", "--verbosity", "0")
    manage(folder, "seed")
    return folder / "demo.sqlite3"


@pytest.fixture(scope="session")
def start_server(
    demo_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Starts the server of that name, or gives back the one that runs already."""
    running: dict[str, Server] = {}

    def start(name: str) -> Server:
        if name not in running:
            folder = tmp_path_factory.mktemp(name)
            given = {**environment(folder), "HOTPATH_DEMO_DB": str(demo_database)}
            server = Server(name, folder, given)
            server.start()
            running[name] = server
        return running[name]

    yield start
    for server in running.values():
        server.stop()
