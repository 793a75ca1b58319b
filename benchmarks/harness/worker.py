"""A contender in a process of its own, which patches whatever it patches for itself alone.

Reads commands from standard input and answers on standard output, one JSON object a line.
Started by ``harness.pool``: ``python -m harness.worker <contender> <folder>``.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import sys
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

from harness.contenders import by_key
from harness.phases import LATER, Phases
from harness.project import Site, set_up
from harness.visits import Row, Visits

_ORDERS = ((False, True), (True, False))


class Worker:
    def __init__(self, key: str, folder: Path) -> None:
        self.contender = by_key(key)
        set_up(self.contender, folder)
        self.phases = Phases() if key.startswith("hotpath") else None
        self.site = None if key.startswith("idle") else Site(self.contender)
        self._warm: set[str] = set()

    def obey(self, command: dict[str, Any]) -> Any:
        return getattr(self, f"do_{command.pop('do')}")(**command)

    def do_warm_up(self, view: str, times: int) -> None:
        assert self.site is not None
        self.site.check(view)
        if view not in self._warm:
            self._warm.add(view)
            for _ in range(times * 10 if view == "hello" else times):
                self.site.get(view)
        self.contender.tidy()

    def do_run(self, view: str, times: int) -> list[dict[str, float]]:
        """Seconds of each request: ``before``, ``view``, ``after``, ``total``; then the steps.

        ``closed`` is ``total`` with what is done once the last byte has left.
        """
        assert self.site is not None
        self._settle()
        measured = [self._timed(view) for _ in range(times)]
        self.contender.tidy()
        return measured

    def do_pairs(self, view: str, rounds: int) -> list[list[dict[str, float]]]:
        """The view as it is and with the contender asked for, in turn, in this one process."""
        assert self.site is not None
        pairs = []
        for number in range(rounds):
            self._settle()
            pair = {asked: self._timed(view, asked=asked) for asked in _ORDERS[number % 2]}
            pairs.append([pair[False], pair[True]])
        return pairs

    def _settle(self) -> None:
        # The collector stays on, as in production; garbage of earlier requests is not counted.
        gc.collect()
        # Its walk over the heap leaves the CPU's caches cold.
        assert self.site is not None
        self.site.get("hello")

    def _timed(self, view: str, *, asked: bool = True) -> dict[str, float]:
        assert self.site is not None
        self._phases()
        early: dict[str, float] = {}
        answer = self.site.get(view, asked=asked, at_end=lambda: early.update(self._phases()))
        row = {
            "before": answer.view_began - answer.began,
            "view": answer.view_ended - answer.view_began,
            "after": answer.ended - answer.view_ended,
            "total": answer.ended - answer.began,
            "closed": answer.closed - answer.began,
        }
        return row | early | {f"{LATER}{step}": spent for step, spent in self._phases().items()}

    def _phases(self) -> dict[str, float]:
        return self.phases.take() if self.phases is not None else {}

    def do_problem(self, view: str) -> str | None:
        """Why the contender does not measure this view."""
        try:
            return self._visits.problem(view)
        finally:
            self.contender.tidy()

    def do_visit(self, view: str, times: int) -> None:
        self._visits.warm_up(view, times)
        self.contender.tidy()

    def do_pair(self, view: str, number: int, times: int) -> tuple[Row, Row]:
        return self._visits.pair(view, number, times)

    def do_call(self, function: str, **arguments: Any) -> Any:
        """``harness.module:function`` within this contender's Django."""
        module, _, name = function.partition(":")
        return getattr(import_module(module), name)(**arguments)

    @cached_property
    def _visits(self) -> Visits:
        return Visits(self.contender)

    def do_idle(self, way: str, rounds: int) -> dict[str, list[float]]:
        from harness import idle

        return idle.measure(way, rounds)


def _take_stdout() -> TextIO:
    """Our own end of the pipe; whatever else prints goes to standard error."""
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return pipe


def _end_with_parent() -> None:
    """A run that is killed leaves nobody behind who is busy (Linux)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def main() -> None:
    _end_with_parent()
    pipe = _take_stdout()
    worker = Worker(sys.argv[1], Path(sys.argv[2]))
    print(json.dumps("ready"), file=pipe, flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.obey(json.loads(line))), file=pipe, flush=True)


if __name__ == "__main__":
    main()
