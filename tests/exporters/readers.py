"""Readers of exported files that we did not write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.npm import modules, node
from tests.require import require

HERE = Path(__file__).parent
MANIFEST = HERE / "package.json"
_PATIENCE = 60.0


def run(*command: str | Path, **environment: str) -> str:
    """What the command writes; fails with its errors when it does not end well."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **environment},
        errors="backslashreplace",
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def speedscope(folder: Path, name: str, data: bytes) -> list[dict[str, Any]]:
    """``{"name", "unit", "total", "nonIdle", "frames", "calls", "deepest"}`` of each profile."""
    path = folder / name
    path.write_bytes(data)
    text = run(node(), HERE / "read_speedscope.cjs", modules(MANIFEST), path)
    profiles: list[dict[str, Any]] = json.loads(text)["profiles"]
    assert profiles is not None, text
    return profiles


def speedscope_schema() -> Any:
    path = modules(MANIFEST) / "speedscope/dist/release/file-format-schema.json"
    return json.loads(path.read_text())


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    require(found is not None, f"needs {name} (Debian's {package})")
    assert found is not None
    return found


def go_pprof(folder: Path, data: bytes, *arguments: str) -> str:
    path = folder / "profile.pb.gz"
    path.write_bytes(data)
    go = tool("go", "golang-go")
    # Its temporary files and settings are the test's own.
    home = {"HOME": str(folder), "PPROF_TMPDIR": str(folder), "GOFLAGS": "", "GOPROXY": "off"}
    return run(go, "tool", "pprof", *arguments, path, **home)


def callgrind(folder: Path, data: bytes, *arguments: str) -> str:
    path = folder / "callgrind.out.1"
    path.write_bytes(data)
    return run(tool("callgrind_annotate", "valgrind"), *arguments, path)


@contextmanager
def firefox(folder: Path, data: bytes) -> Iterator[Firefox]:
    """The profile in the Firefox Profiler, by its command-line interface."""
    path = folder / "profile.firefox.json"
    path.write_bytes(data)
    script = modules(MANIFEST) / "@firefox-devtools/profiler-cli/dist/profiler-cli.js"
    sessions = folder / "s"
    environment = {**os.environ, "PROFILER_CLI_SESSION_DIR": str(sessions)}
    command = [node(), str(script)]
    # Its own "load" gives the server half a second to start.
    server = subprocess.Popen(
        [*command, "--daemon", str(path), "--session", "test"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        opened = Firefox(command, environment)
        opened.wait(server)
        yield opened
    finally:
        server.terminate()
        server.wait(10)


class Firefox:
    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment

    def wait(self, server: subprocess.Popen[bytes]) -> None:
        until = time.monotonic() + _PATIENCE
        while True:
            done = self._run("profile", "info")
            if done.returncode == 0:
                return
            assert server.poll() is None, "the Firefox Profiler does not read the profile"
            assert time.monotonic() < until, done.stdout + done.stderr
            time.sleep(0.1)

    def ask(self, *words: str) -> Any:
        """The answer to a command, as JSON."""
        done = self._run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *words, "--session", "test", "--json"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
        )
