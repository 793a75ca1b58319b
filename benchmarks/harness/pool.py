"""The parent's side of the worker processes: kept alive, asked in turn, never two at once."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.contenders import Contender

_ROOT = Path(__file__).resolve().parent.parent
# What would slow every worker down, or warm up each differently.
_UNWANTED = ("PYTHONDEVMODE", "PYTHONWARNINGS", "PYTHONTRACEMALLOC", "DJANGO_SETTINGS_MODULE")


class WorkerFailed(Exception):
    """A worker ended, or answered something else than an answer; the text says why."""


class Worker:
    def __init__(self, contender: Contender, folder: Path) -> None:
        self.contender = contender
        folder.mkdir()
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed in close()
        environment = {name: os.environ[name] for name in os.environ if name not in _UNWANTED}
        # The order of sets and dicts of strings moves figures by a few per cent.
        environment["PYTHONHASHSEED"] = "0"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "harness.worker", contender.key, str(folder)],
            cwd=_ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )

    def ask(self, do: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._failure() from None
        return self.answer()

    def answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._failure()
        return json.loads(line)

    def _failure(self) -> WorkerFailed:
        code = self._process.wait()
        self._stderr.seek(0)
        said = self._stderr.read().strip().splitlines()
        return WorkerFailed(said[-1] if said else f"ended with status {code}")

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()


class Pool:
    """Workers by name, started together. One that fails is dropped; ``problems`` says why."""

    def __init__(self, wanted: Iterable[tuple[str, Contender]], folder: Path) -> None:
        self.workers: dict[str, Worker] = {}
        self.problems: dict[str, str] = {}
        for name, contender in wanted:
            if not contender.installed:
                self.problems[name] = "not installed"
                continue
            self.workers[name] = Worker(contender, Path(tempfile.mkdtemp(dir=folder)) / "worker")

    def __enter__(self) -> Self:
        for name in list(self.workers):
            self._guarded(name, lambda worker: worker.answer())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self.workers.values():
            worker.close()
        self.workers = {}

    def ask(self, name: str, do: str, **arguments: Any) -> Any:
        """The worker's answer; None when it failed."""
        return self._guarded(name, lambda worker: worker.ask(do, **arguments))

    def ask_all(self, do: str, **arguments: Any) -> None:
        for name in list(self.workers):
            self.ask(name, do, **arguments)

    def _guarded(self, name: str, action: Any) -> Any:
        worker = self.workers[name]
        try:
            return action(worker)
        except WorkerFailed as error:
            self.problems[name] = f"failed: {error}"
            self.workers.pop(name).close()
            return None
