"""The demo with Redis and a Celery worker: a request, the task that it queued, their captures."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.demo import redis_server
from tests.integration.servers import ROOT, Server, environment, wait_until
from tests.require import require

pytestmark = pytest.mark.server

PROFILED = {"Accept": "*/*", "Hotpath-Profile": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("worker")


@pytest.fixture(scope="module")
def shared(folder: Path, demo_database: Path) -> Iterator[dict[str, str]]:
    """The environment of both: one Redis, one database, one store."""
    require(find_spec("celery") is not None, "needs celery: python -m pip install celery")
    with redis_server.running(folder) as url:
        yield {
            **environment(folder),
            "HOTPATH_DEMO_DB": str(demo_database),
            "HOTPATH_DEMO_REDIS": url,
        }


@pytest.fixture(scope="module")
def worker(folder: Path, shared: dict[str, str]) -> Iterator[Path]:
    """A running worker; its log."""
    log = folder / "worker.txt"
    command = ["celery", "--app", "demo.celery", "worker", "--pool", "solo", "--loglevel", "INFO"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT / "demo_project",
            env=shared,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(
            lambda: process.poll() is not None or " ready." in log.read_text("utf-8", "replace"),
            "the worker",
        )
        assert process.poll() is None, log.read_text("utf-8", "replace")
        yield log
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.fixture(scope="module")
def server(folder: Path, shared: dict[str, str]) -> Iterator[Server]:
    server = Server("runserver", folder, shared)
    server.start()
    yield server
    server.stop()


def test_the_task_runs_in_the_worker_and_is_found_from_its_request(
    server: Server, worker: Path
) -> None:
    answer = server.get("/slow-transaction/fast/?n=500&format=json", PROFILED)
    queued_by = capture_of(server, answer.headers["Hotpath-Capture"])

    def tasks() -> list[Any]:
        found = server.get(f"/__hotpath__/api/captures/?path={quote(queued_by['id'])}").json()
        return list(found["captures"])

    wait_until(lambda: bool(tasks()), f"the capture of the task; log:\n{worker.read_text()}")
    (item,) = tasks()
    task = capture_of(server, f"/__hotpath__/{item['capture']}/")
    assert task["label"] == f"report task, queued by {queued_by['id']}"
    assert task["environment"]["pid"] != queued_by["environment"]["pid"]
    assert called(task, "make_report") == 1
    assert called(task, "check_digit") == 500
    assert task["instruments"]["queries"]["count"] == 1
    assert called(queued_by, "make_report") == 0
    assert queued_by["instruments"]["queries"]["count"] == 0


def test_what_one_process_leaves_in_the_cache_another_finds(server: Server) -> None:
    counts = []
    for _ in range(2):
        answer = server.get("/cache-aside/fast/?city=Ghent&format=json", PROFILED)
        cache = capture_of(server, answer.headers["Hotpath-Capture"])["instruments"]["cache"]
        counts.append((cache["hits"], cache["misses"]))
        assert cache["operations"][0]["backend"].endswith("RedisCache")
        server.stop()
        server.start()
    assert counts == [(0, 1), (1, 0)]


def capture_of(server: Server, url: str) -> Any:
    return json.loads(server.get(f"{url.rstrip('/')}.json").body)


def called(capture: Any, name: str) -> int:
    functions = capture["instruments"]["calls"]["functions"]
    return sum(found["calls"] for found in functions if found["function"] == name)
