"""A Redis for tests: that of `.ci/services`, or one of our own on a free port."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.require import require

_PATIENCE = 20.0


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Its address."""
    require(find_spec("redis") is not None, "needs redis: python -m pip install redis")
    given = os.environ.get("HOTPATH_TEST_REDIS")
    if given:
        yield given
        return
    program = shutil.which("redis-server", path=f"{os.environ['PATH']}:/usr/sbin:/usr/bin")
    require(program is not None, "needs redis-server on the PATH, or HOTPATH_TEST_REDIS")
    assert program is not None
    port = _free_port()
    options = ["--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(
        [program, "--port", str(port), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("redis-server does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
