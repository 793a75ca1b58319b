"""What a task waits for: at each suspension, the awaits that it stands at, from the outside in."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from types import CodeType, CoroutineType, FrameType
from typing import Any

from django_hotpath.analysis.source import expression, line_of
from django_hotpath.callsite import locate
from django_hotpath.instruments.await_reasons import handed_over, reason, sync_code
from django_hotpath.instruments.base import Session, to_ms
from django_hotpath.steps import Steps

MAX_WAITS = 1_000
MAX_CALLS = 5_000
_MAX_DEPTH = 500

_STEPS = Steps.steps.__code__
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
# A call of a coroutine, numbered, with the place in it: code and offset of the instruction.
Place = tuple[int, CodeType, int]


@dataclass(slots=True)
class Wait:
    """Suspensions one after another at the same awaits.

    ``late_ns`` is the part in which the loop was held by others, at the end of a suspension: what
    was awaited may have been there already.
    """

    start_ns: int
    places: tuple[Place, ...]
    reason: str
    waited_ns: int = 0
    late_ns: int = 0
    suspensions: int = 0
    unfinished: bool = False


@dataclass(slots=True)
class Awaited:
    """One await expression of one call: how often it was reached and what it waited.

    Times are without the lateness of the loop. ``thread_ns`` is the part that waited for the one
    thread in which a request's sync code runs.
    """

    code: CodeType
    offset: int
    executions: int = 0
    waited_ns: int = 0
    longest_ns: int = 0
    thread_ns: int = 0
    # By their id: to hash a code object is slow.
    callees: dict[int, CodeType] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)
    token: int = -1
    this_ns: int = 0


@dataclass(slots=True)
class Call:
    """One call of a coroutine function of the project, with its awaits in the order reached."""

    code: CodeType
    names: dict[str, Any]
    outer: tuple[Place, ...]
    awaits: dict[tuple[int, int], Awaited] = field(default_factory=dict)


@dataclass(slots=True)
class _Suspension:
    places: tuple[Place, ...]
    tokens: tuple[int, ...]
    reason: str
    handed: CodeType | None


class Awaits:
    """``suspended`` and ``resumed`` come in turns, in the task."""

    def __init__(self) -> None:
        self.waits: list[Wait] = []
        self.calls: dict[int, Call] = {}
        self.count = 0
        self.waited_ns = 0
        self.truncated = 0
        self._numbers: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._next = 0
        self._kinds: dict[int, tuple[CodeType, str]] = {}
        self._since: int | None = None
        self._at: _Suspension | None = None
        self._last: tuple[Any, ...] | None = None

    def suspended(self, work: Any, now_ns: int) -> None:
        """``work`` is the coroutine that was driven and has just yielded."""
        self._since, self._at = now_ns, None
        self._at = self._walk(work)

    @property
    def since_ns(self) -> int | None:
        """Since when the task is suspended; None while it runs."""
        return self._since

    def resumed(self, now_ns: int, late_ns: int = 0, *, unfinished: bool = False) -> None:
        since, at = self._since, self._at
        self._since = self._at = None
        if since is None:
            return
        waited = now_ns - since
        self.waited_ns += waited
        self.count += 1
        if at is None:
            return
        wait = self._add_wait(at, since)
        if wait is not None:
            wait.waited_ns += waited
            wait.late_ns += late_ns
            wait.suspensions += 1
            wait.unfinished = unfinished
        if not unfinished:
            self._add_to_calls(at, max(waited - late_ns, 0))

    def dropped(self) -> None:
        """What was suspended last was no wait."""
        self._since = self._at = None

    def _add_wait(self, at: _Suspension, since: int) -> Wait | None:
        key = (at.places, at.tokens, at.reason)
        if key != self._last:
            self._last = key
            if len(self.waits) >= MAX_WAITS:
                self.truncated += 1
                return None
            self.waits.append(Wait(since, at.places, at.reason))
        elif self.truncated:
            return None
        return self.waits[-1]

    def _add_to_calls(self, at: _Suspension, waited: int) -> None:
        callees = [(id(code), code) for _number, code, _offset in at.places]
        if at.handed is not None:
            callees.append((id(at.handed), at.handed))
        for index, ((number, code, offset), token) in enumerate(
            zip(at.places, at.tokens, strict=True)
        ):
            call = self.calls.get(number)
            if call is None:
                continue
            found = call.awaits.get((id(code), offset))
            if found is None:
                call.outer = at.places[:index]
                found = call.awaits[id(code), offset] = Awaited(code, offset)
            if found.token != token:
                found.token = token
                found.executions += 1
                found.this_ns = 0
            found.waited_ns += waited
            found.this_ns += waited
            found.longest_ns = max(found.longest_ns, found.this_ns)
            if at.reason == "thread":
                found.thread_ns += waited
            found.callees.update(callees[index + 1 :])
            found.reasons.add(at.reason)

    def _walk(self, work: Any) -> _Suspension:
        places: list[Place] = []
        tokens: list[int] = []
        inner: list[FrameType] = []
        awaitable, depth = work, 0
        while awaitable is not None and depth < _MAX_DEPTH:
            depth += 1
            frame, following = _step_in(awaitable)
            if frame is None:
                break
            code = frame.f_code
            if self._kind(code) != "project":
                inner.append(frame)
            elif places and code.co_name in _COMPREHENSIONS:
                # Before Python 3.12 a comprehension is a coroutine of its own.
                places[-1] = (places[-1][0], code, frame.f_lasti)
                tokens[-1] = self._number(following)
                inner.clear()
            else:
                number = self._number(awaitable)
                if number not in self.calls and len(self.calls) < MAX_CALLS:
                    self.calls[number] = Call(code, frame.f_globals, ())
                places.append((number, code, frame.f_lasti))
                tokens.append(self._number(following))
                inner.clear()
            awaitable = following
        handed = next((found for frame in inner if (found := handed_over(frame))), None)
        sync = sync_code(handed)
        if sync is not None and self._kind(sync) != "project":
            sync = None
        why = reason(inner, awaitable)
        return _Suspension(tuple(places), tuple(tokens), why, sync)

    def _kind(self, code: CodeType) -> str:
        found = self._kinds.get(id(code))
        if found is None:
            found = self._kinds[id(code)] = (code, locate(code.co_filename).kind)
        return found[1]

    def _number(self, awaitable: Any) -> int:
        """The same for the same object, never again for another one."""
        found = self._numbers.get(id(awaitable))
        if found is not None and found[0]() is awaitable:
            return found[1]
        self._next += 1
        # The iterator of a future takes no reference; it suspends once and is never seen again.
        if type(awaitable).__weakrefoffset__:
            self._numbers[id(awaitable)] = (weakref.ref(awaitable), self._next)
        return self._next


def _step_in(awaitable: Any) -> tuple[FrameType | None, Any]:
    """The frame of a suspended coroutine or generator, and what it waits for."""
    if type(awaitable) is CoroutineType:
        return awaitable.cr_frame, awaitable.cr_await
    frame = getattr(awaitable, "cr_frame", None)
    if frame is not None:
        return frame, awaitable.cr_await
    frame = getattr(awaitable, "gi_frame", None)
    if frame is not None:
        if frame.f_code is _STEPS:
            # A capture inside this one drives its coroutine by hand.
            return frame, getattr(frame.f_locals.get("self"), "work", None)
        return frame, awaitable.gi_yieldfrom
    return getattr(awaitable, "ag_frame", None), getattr(awaitable, "ag_await", None)


def plain_wait(wait: Wait, session: Session) -> dict[str, Any]:
    """As in ``docs/reference/capture.md``."""
    plain: dict[str, Any] = {
        "start_ms": session.ms_since_start(wait.start_ns),
        "waited_ms": to_ms(wait.waited_ns),
        "late_ms": to_ms(wait.late_ns),
        "suspensions": wait.suspensions,
        "for": wait.reason,
        "unfinished": wait.unfinished,
        "call_site": None,
        "expression": None,
    }
    if wait.places:
        _number, code, offset = wait.places[-1]
        plain["call_site"] = {
            "file": locate(code.co_filename).file,
            "line": line_of(code, offset),
            "function": code.co_qualname,
        }
        plain["expression"] = expression(code, offset)
    return plain
