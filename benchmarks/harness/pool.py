"""The parent's side of the worker processes: kept alive, asked in turn, never two at once."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harness.clock import VARIABLE
from harness.contenders import Contender

_ROOT = Path(__file__).resolve().parent.parent
# What would slow every worker down, or warm up each differently.
_UNWANTED = ("PYTHONDEVMODE", "PYTHONWARNINGS", "PYTHONTRACEMALLOC", "DJANGO_SETTINGS_MODULE")

NOT_INSTALLED = "not installed"


class WorkerFailed(Exception):
    """A worker ended, or answered something else than an answer; the text says why."""


class Worker:
    def __init__(self, contender: Contender, folder: Path, clock: str) -> None:
        self.contender = contender
        folder.mkdir()
        self._stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed in close()
        environment = {name: os.environ[name] for name in os.environ if name not in _UNWANTED}
        # The order of sets and dicts of strings moves figures by a few per cent.
        environment["PYTHONHASHSEED"] = "0"
        environment[VARIABLE] = clock
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
    """Workers by the key of their contender, started when first wanted and then kept.

    One that fails is dropped; ``problems`` says why, also of those that are not installed.
    """

    def __init__(self, folder: Path, clock: str) -> None:
        self.workers: dict[str, Worker] = {}
        self.problems: dict[str, str] = {}
        self._folder = folder
        self._clock = clock

    def __enter__(self) -> Self:
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

    def start(self, wanted: Iterable[Contender]) -> list[str]:
        """The keys of those that run; they start side by side and are ready when this returns."""
        keys = []
        new = []
        for contender in wanted:
            keys.append(contender.key)
            if contender.key in self.workers or contender.key in self.problems:
                continue
            if not contender.installed:
                self.problems[contender.key] = NOT_INSTALLED
                continue
            folder = self._folder / re.sub(r"[^\w-]+", "-", contender.key)
            self.workers[contender.key] = Worker(contender, folder, self._clock)
            new.append(contender.key)
        for key in new:
            self._guarded(key, lambda worker: worker.answer())
        return [key for key in keys if key in self.workers]

    def ask(self, key: str, do: str, **arguments: Any) -> Any:
        """The worker's answer; None when it failed, now or earlier."""
        return self._guarded(key, lambda worker: worker.ask(do, **arguments))

    def _guarded(self, key: str, action: Callable[[Worker], Any]) -> Any:
        worker = self.workers.get(key)
        if worker is None:
            return None
        try:
            return action(worker)
        except WorkerFailed as error:
            self.problems[key] = f"failed: {error}"
            self.workers.pop(key).close()
            return None
