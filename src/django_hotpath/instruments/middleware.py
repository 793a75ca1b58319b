"""Own time of each middleware: between entering and leaving it, without those that it calls."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction

from django_hotpath.instruments import middleware_patch
from django_hotpath.instruments.base import Instrument, Session, active_instrument, clock, to_ms
from django_hotpath.instruments.middleware_chain import Link
from django_hotpath.instruments.middleware_patch import Chain
from django_hotpath.instruments.named_frames import Runner, anamed, named
from django_hotpath.instruments.view_hook import view_hook


class _Span:
    """How long something ran, in all; it may run more than once, but not inside itself."""

    __slots__ = ("began", "frame", "started", "total_ns")

    def __init__(self, frame: Runner | None = None) -> None:
        self.frame = frame
        self.started = self.began = self.total_ns = 0

    @property
    def is_running(self) -> bool:
        return self.began != 0

    def enter(self) -> None:
        self.began = clock()
        self.started = self.started or self.began

    def leave(self) -> None:
        self.total_ns += clock() - self.began
        self.began = 0


class Middleware(Instrument):
    name = "middleware"
    measures = "Own time of each middleware, in order, of Django's handler and of the view."
    cost = "about 1 microsecond for each middleware"
    disturbed_by = (
        "Only middleware below ProfilingMiddleware is seen. process_view, "
        "process_template_response and process_exception run in Django's handler and are its time. "
        "Waiting for a thread between sync and async middleware is time of the inner one, and what "
        "a middleware does while the body is streamed is not in it."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._chain: Chain | None = None
        # What is left of it after the end.
        self._links: list[Link] = []
        self._unknown: list[str] = []
        self._watched: set[int] = set()
        self._spans: dict[int, _Span] = {}
        self._view: _Span | None = None
        self._is_held = False

    def start(self) -> None:
        if self.session.outermost is None:
            return
        # One that cannot be walked raises, and nothing is held.
        chain = self._chain = middleware_patch.acquire(self.session.outermost, _watch)
        view_hook.acquire()
        self._is_held = True
        self._links, self._unknown = chain.links, chain.unknown
        self._watched = chain.watched

    def stop(self) -> None:
        if self._is_held:
            self._is_held = False
            view_hook.release()
        chain, self._chain = self._chain, None
        if chain is not None:
            middleware_patch.release(chain)

    def begin_stream(self) -> None:
        # The middleware is done; a stream may last for hours.
        self.stop()

    def passing(self, chain: Chain, place: int) -> _Span | None:
        """The boundary that this request is about to pass; None where it is not this request."""
        if chain is not self._chain:
            return None
        span = self._spans.get(place)
        if span is None:
            span = self._spans[place] = _Span(self._frame(chain.links[place]))
        # Another request that the application makes within this one, by a test client, say.
        return None if span.is_running else span

    def _frame(self, link: Link) -> Runner | None:
        if not self.session.frames or link.middleware is None:
            return None
        make = anamed if iscoroutinefunction(link.handler) else named
        return make("middleware", link.short)

    def on_view(self, view: Callable[..., Any]) -> Callable[..., Any]:
        if self._view is not None:
            return view
        span = self._view = _Span()

        @functools.wraps(view)
        def timed(*args: Any, **kwargs: Any) -> Any:
            span.enter()
            try:
                return view(*args, **kwargs)
            finally:
                span.leave()

        @functools.wraps(view)
        async def atimed(*args: Any, **kwargs: Any) -> Any:
            span.enter()
            try:
                return await view(*args, **kwargs)
            finally:
                span.leave()

        return atimed if iscoroutinefunction(view) else timed

    def result(self) -> dict[str, Any]:
        rows: list[dict[str, Any]] = []
        handler: dict[str, Any] | None = None
        view, missed = self._plain_view(), self._missed()
        places = sorted(self._watched)
        for number, place in enumerate(places):
            span = self._spans.get(place)
            if span is None:
                continue
            link = self._links[place]
            below = self._spans.get(places[number + 1]) if number + 1 < len(places) else None
            row = {
                "start_ms": self.session.ms_since_start(span.started),
                "total_ms": to_ms(span.total_ns),
                "own_ms": to_ms(max(span.total_ns - (below.total_ns if below else 0), 0)),
            }
            if link.middleware is not None:
                rows.append({"index": place, "name": link.name, **row})
            else:
                if self._view is not None:
                    row["own_ms"] = to_ms(max(span.total_ns - self._view.total_ns, 0))
                handler = row
        result = {
            "middleware": rows,
            "handler": handler,
            "view": view,
            "hooks": [hook for link in self._links for hook in link.hooks],
            "not_reached": [
                self._links[place].name
                for place in places
                if place not in self._spans and self._links[place].middleware is not None
            ],
            "missed": missed,
        }
        self._links = []
        return result

    def _plain_view(self) -> dict[str, float] | None:
        if self._view is None or not self._view.started:
            return None
        return {
            "start_ms": self.session.ms_since_start(self._view.started),
            "duration_ms": to_ms(self._view.total_ns),
        }

    def _missed(self) -> list[dict[str, str]]:
        """Those that cannot be told apart, each with the one whose time holds theirs."""
        missed = []
        holder = "nobody"
        above = "ProfilingMiddleware"
        for place, link in enumerate(self._links):
            name = link.name or "Django's handler"
            if place in self._watched:
                holder = name
            else:
                reason = f"{above} keeps it where it cannot be watched: its time is in {holder}"
                missed.append({"name": name, "reason": reason})
            above = name
        reason = f"{above} does not show what it calls: its time is in {holder}"
        return missed + [{"name": name, "reason": reason} for name in self._unknown]


def _watch(chain: Chain, place: int) -> _Span | None:
    instrument = active_instrument("middleware")
    return instrument.passing(chain, place) if isinstance(instrument, Middleware) else None
