"""``profile()``: the same captures for any piece of Python."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from asgiref.sync import iscoroutinefunction

from django_hotpath import stores, trigger
from django_hotpath.capture import Capture
from django_hotpath.recorder import Recorder, Refused, Steps

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("hotpath")


class profile:
    """Captures a block or every call of a function, sync or async.

    ``with profile("import prices", instruments=["calls", "queries"]) as run: ...`` leaves the
    record in ``run.capture``; ``@profile("nightly report")`` the one of the last call. Without
    ``instruments`` the default set runs. ``save=False`` keeps it out of the store.

    Raises ``ValueError`` for unknown instruments, when it is made. Nothing else of ours is ever
    raised: when the instruments cannot run now, the work runs unmeasured, ``capture`` stays None
    and ``refused`` says why.
    """

    def __init__(
        self,
        label: str | None = None,
        *,
        instruments: Sequence[str] | None = None,
        save: bool = True,
    ) -> None:
        self.label = label
        self.specs = trigger.select(["1"] if instruments is None else instruments)
        self.save = save
        self.capture: Capture | None = None
        self.refused: str | None = None
        self._recorder: Recorder | None = None

    def __enter__(self) -> Self:
        if self._recorder is not None:
            raise RuntimeError("this profile() is already running: make one for each block")
        self.capture, self.refused = None, None
        self._recorder = self._start(self.label or "profile()")
        if self._recorder is not None and _in_task():
            self._recorder.warnings.append(
                "a with block inside a coroutine cannot be paused while it awaits: calls of other "
                "tasks may be in it. Decorate the coroutine function instead"
            )
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        if exc is not None:
            recorder.note_exception(exc)
        self._finish(recorder)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        label = self.label or f"{function.__module__}.{function.__qualname__}"
        if iscoroutinefunction(function):
            return self._around_coroutine(function, label)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            recorder = self._start(label)
            if recorder is None:
                return function(*args, **kwargs)
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                recorder.note_exception(error)
                raise
            finally:
                self._finish(recorder)

        return wrapper

    def _around_coroutine(self, function: Callable[P, Any], label: str) -> Callable[P, Any]:
        @functools.wraps(function)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
            recorder = self._start(label)
            if recorder is None:
                return await function(*args, **kwargs)
            try:
                return await Steps(recorder, function(*args, **kwargs))
            except BaseException as error:
                recorder.note_exception(error)
                raise
            finally:
                self._finish(recorder)

        return wrapper

    def _start(self, label: str) -> Recorder | None:
        recorder = Recorder(self.specs, label)
        try:
            recorder.start()
        except Refused as refused:
            self.refused = str(refused)
        except Exception as error:
            logger.exception("%s runs unprofiled", label)
            self.refused = str(error)
        else:
            return recorder
        logger.warning("%s was not profiled: %s", label, self.refused)
        return None

    def _finish(self, recorder: Recorder) -> None:
        try:
            recorder.stop()
            self.capture = recorder.capture()
            if self.save:
                stores.get_store().save(self.capture)
        except Exception as error:
            logger.warning("the capture of %s was not stored: %s", recorder.label, error)


def _in_task() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False
