"""``profile()``: the same captures for any piece of Python."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType, FrameType, TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from asgiref.sync import iscoroutinefunction

from django_hotpath import stores, trigger
from django_hotpath.capture import Capture
from django_hotpath.instruments.base import current
from django_hotpath.recorder import Recorder, Refused
from django_hotpath.steps import Steps

P = ParamSpec("P")
R = TypeVar("R")

logger = logging.getLogger("hotpath")


class profile:
    """Captures a block or every call of a function, sync or async.

    ``with profile("import prices", instruments=["calls", "queries"]) as run: ...`` leaves the
    record in ``run.capture``; ``@profile("nightly report")`` the one of the last call. Without
    ``instruments`` the default set runs. ``save=False`` keeps it out of the store.

    Raises ``ValueError`` for unknown instruments when it is made, and ``TypeError`` when it
    decorates an async generator. Nothing else of ours is ever raised: when the instruments cannot
    run now, the work runs unmeasured, ``capture`` is None and ``refused`` says why. Captures may
    nest: what runs in the inner one is in both.
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

    def __enter__(self) -> Self:
        recorder = self._start(self.label or "profile()", _calling_code())
        if recorder is not None and _in_task():
            recorder.warnings.append(
                "a with block inside a coroutine cannot be paused while it awaits: calls of other "
                "tasks may be in it. Decorate the coroutine function instead"
            )
        _entered.set((*_entered.get(), (self, recorder)))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        recorder = self._leave()
        if recorder is None:
            return
        if exc is not None:
            recorder.note_exception(exc)
        self._finish(recorder)

    def _leave(self) -> Recorder | None:
        """The recorder of the innermost block of this object that this context has entered."""
        stack = _entered.get()
        for index in reversed(range(len(stack))):
            if stack[index][0] is self:
                _entered.set((*stack[:index], *stack[index + 1 :]))
                return stack[index][1]
        return None

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        if isinstance(function, (classmethod, staticmethod)):
            return type(function)(self(function.__func__))
        if inspect.isasyncgenfunction(function):
            raise TypeError("profile() cannot decorate an async generator: use a block inside it")
        label = self.label or _name(function)
        if iscoroutinefunction(function):
            return self._around_coroutine(function, label)
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function, label)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._measuring(label, function):
                return function(*args, **kwargs)

        return wrapper

    def _around_coroutine(self, function: Callable[P, Any], label: str) -> Callable[P, Any]:
        @functools.wraps(function)
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
            with self._measuring(label, function) as recorder:
                work = function(*args, **kwargs)
                return await (work if recorder is None else Steps(recorder, work))

        return wrapper

    def _around_generator(self, function: Callable[P, Any], label: str) -> Callable[P, Any]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> Any:
            with self._measuring(label, function) as recorder:
                work = function(*args, **kwargs)
                return (yield from work if recorder is None else Steps(recorder, work).steps())

        return wrapper

    @contextmanager
    def _measuring(self, label: str, function: Callable[..., Any]) -> Iterator[Recorder | None]:
        recorder = self._start(label, function)
        try:
            yield recorder
        except BaseException as error:
            if recorder is not None:
                recorder.note_exception(error)
            raise
        finally:
            if recorder is not None:
                self._finish(recorder)

    def _start(self, label: str, subject: object) -> Recorder | None:
        recorder = Recorder(self.specs, label)
        recorder.session.subject = subject
        try:
            recorder.start()
        except Refused as refused:
            self.capture, self.refused = None, str(refused)
        except Exception as error:
            logger.exception("%s runs unprofiled", label)
            self.capture, self.refused = None, str(error)
        else:
            self.capture = self.refused = None
            return recorder
        # Inside another capture (a recursive function) that is to be expected, and may be often.
        level = logging.WARNING if current.get() is None else logging.DEBUG
        logger.log(level, "%s was not profiled: %s", label, self.refused)
        return None

    def _finish(self, recorder: Recorder) -> None:
        try:
            recorder.stop()
            self.capture, self.refused = recorder.capture(), None
            if self.save:
                stores.get_store().save(self.capture)
        except Exception as error:
            logger.warning("the capture of %s was not stored: %s", recorder.label, error)


def capture_id() -> str | None:
    """The id of the capture that this code runs in, None outside of one.

    Hand it to a task that is queued here, and name the task's own ``profile()`` by it: the two can
    then be found from each other.
    """
    active = current.get()
    if active is not None:
        active = active.alive()
    owner = active.owner if active is not None else None
    return owner.id if isinstance(owner, Recorder) else None


# The blocks that this context is in, outermost first.
_entered: ContextVar[tuple[tuple[profile, Recorder | None], ...]] = ContextVar(
    "hotpath_entered", default=()
)


def _name(function: Callable[..., Any]) -> str:
    module = getattr(function, "__module__", None) or type(function).__module__
    return f"{module}.{getattr(function, '__qualname__', type(function).__qualname__)}"


def _calling_code() -> CodeType | None:
    """The code that holds the ``with``, through ``ExitStack`` and the like."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") == "contextlib":
        frame = frame.f_back
    return None if frame is None else frame.f_code


def _in_task() -> bool:
    try:
        return asyncio.current_task() is not None
    except RuntimeError:
        return False
