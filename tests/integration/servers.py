"""Real servers in processes of their own, on free ports, all that they write in one folder."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from importlib.util import find_spec
from pathlib import Path
from threading import Barrier
from typing import Any

from tests.require import require

ROOT = Path(__file__).resolve().parents[2]
NAVIGATION = {"Accept": "text/html,*/*;q=0.8", "Sec-Fetch-Dest": "document"}
FETCH = {"Accept": "*/*", "Sec-Fetch-Dest": "empty"}
_PATIENCE = 30.0
# Twenty profiled at once slow each other, under tracemalloc most: how long is not the question.
_ANSWERS_WITHIN = 180.0

COMMANDS: dict[str, list[str]] = {
    "runserver": ["django", "runserver", "127.0.0.1:{port}", "--noreload"],
    "gunicorn": [
        *["gunicorn", "demo.wsgi:application", "--bind", "127.0.0.1:{port}"],
        *["--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "2"],
    ],
    "gunicorn-preload": [
        *["gunicorn", "demo.wsgi:application", "--bind", "127.0.0.1:{port}"],
        *["--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "2"],
        *["--workers", "2", "--preload"],
    ],
    "uvicorn": [
        *["uvicorn", "demo.asgi:application", "--host", "127.0.0.1", "--port", "{port}"],
        *["--timeout-graceful-shutdown", "2"],
    ],
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    body: bytes

    @property
    def captured(self) -> bool:
        return "Hotpath-Capture" in self.headers

    @property
    def refused(self) -> str | None:
        return self.headers["Hotpath-Refused"]

    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.folder = folder
        self.environment = environment
        self.port = 0
        self._log = folder / "log.txt"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def start(self) -> None:
        command = COMMANDS[self.name]
        module = command[0]
        require(find_spec(module) is not None, f"needs {module}: python -m pip install {module}")
        for _attempt in range(3):
            # Somebody else may take the port before the server does.
            self.port = _free_port()
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", *(word.format(port=self.port) for word in command)],
                    cwd=self.folder,
                    env=self.environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            if self._wait_for_answer():
                return
            self.stop()
        raise AssertionError(f"{self.name} does not answer; its log:\n{self.log()}")

    def _wait_for_answer(self) -> bool:
        assert self._process is not None
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.get("/answers/held/").status == 200:
                    return self._process.poll() is None
            time.sleep(0.05)
        return False

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        # Workers that outlived their parent are in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def get(self, path: str, headers: dict[str, str] = FETCH) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_ANSWERS_WITHIN)
        try:
            connection.request("GET", path, headers={**headers, "Connection": "close"})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def at_once(self, requests: Sequence[tuple[str, dict[str, str]]]) -> list[Answer]:
        """All of them, each on its own connection, begun at the same moment."""
        barrier = Barrier(len(requests))

        def ask(path: str, headers: dict[str, str]) -> Answer:
            barrier.wait(_PATIENCE)
            return self.get(path, headers)

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(lambda request: ask(*request), requests))

    @contextlib.contextmanager
    def leaving(self, path: str, headers: dict[str, str] = FETCH) -> Iterator[None]:
        """A request whose client closes the connection at the end of the block."""
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as client:
            client.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
            yield

    @contextlib.contextmanager
    def streaming(self, path: str) -> Iterator[http.client.HTTPResponse]:
        """An answer of which the client has read the head; it leaves at the end of the block."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        try:
            connection.request("GET", path, headers={**FETCH, "Connection": "close"})
            with connection.getresponse() as response:
                yield response
        finally:
            connection.close()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        time.sleep(0.02)


def environment(folder: Path) -> dict[str, str]:
    """For a server or a command of the demo site whose data lie in the folder."""
    inherited = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "demo_project"), *inherited]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "tests.integration.demo_settings",
        "HOTPATH_DEMO_DB": str(folder / "demo.sqlite3"),
        "HOTPATH_TEST_STORE": str(folder / "captures" / "captures.sqlite3"),
    }


def manage(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "django", *arguments],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{' '.join(arguments)} failed:\n{done.stdout}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
