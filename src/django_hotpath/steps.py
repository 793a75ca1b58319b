"""Runs a coroutine or generator step by step, measured only while it runs itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

from django_hotpath import asyncstack, callsite
from django_hotpath.recorder import Recorder


class Steps:
    """Runs a coroutine or generator step by step, with the recorder paused between the steps.

    ``await Steps(...)`` for what can be awaited, ``yield from Steps(...).steps()`` for a generator.
    ``keep_on`` is asked at each suspension: true leaves the instruments on.
    """

    def __init__(
        self,
        recorder: Recorder,
        work: Coroutine[Any, Any, Any] | Generator[Any, Any, Any] | Awaitable[Any],
        keep_on: Callable[[], bool] = lambda: False,
    ) -> None:
        self.recorder = recorder
        self.work: Any = work if hasattr(work, "send") else _awaiting(work)
        self.keep_on = keep_on

    def __await__(self) -> Generator[Any, Any, Any]:
        around = asyncstack.root.get()
        asyncstack.root.set(self.work)
        self.recorder.session.work = self.work
        try:
            return (yield from self.steps())
        finally:
            asyncstack.root.set(around)

    def steps(self) -> Generator[Any, Any, Any]:
        recorder, work = self.recorder, self.work
        sent: Any = None
        thrown: BaseException | None = None
        while True:
            try:
                if thrown is None:
                    waiting_for = work.send(sent)
                else:
                    # Nothing of ours may hold the error: its traceback holds this frame.
                    error, thrown = thrown, None
                    try:
                        waiting_for = work.throw(error)
                    finally:
                        del error
            except StopIteration as stop:
                return stop.value
            paused = not self.keep_on()
            if paused:
                recorder.pause()
            else:
                recorder.suspended()
            try:
                sent = yield waiting_for
            except GeneratorExit:
                work.close()
                raise
            except BaseException as caught:
                sent, thrown = None, caught
            if paused:
                recorder.resume()
            else:
                recorder.continued()


async def _awaiting(work: Awaitable[Any]) -> Any:
    return await work


callsite.boundary(Steps.steps.__code__)
