"""Requests that the application makes to other services: address, status, time, line."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from django_hotpath import redact
from django_hotpath.callsite import Walk, walk
from django_hotpath.instruments.base import Instrument, Session, active_instrument, clock, to_ms
from django_hotpath.instruments.http_exchange import (
    Asked,
    Exchange,
    Sending,
    at_least_one_ns,
    innermost,
    running,
)
from django_hotpath.instruments.named_frames import Names, Runner
from django_hotpath.instruments.patching import SharedPatch, Stay, Wrap
from django_hotpath.plain import describe_error

MAX_REQUESTS = 2_000

# The module whose import tells that a client is there, by its name.
_MODULES = {
    "urllib3": "urllib3.connectionpool",
    "requests": "requests.sessions",
    "httpx": "httpx",
}

Read = Callable[..., Asked]


class Http(Instrument):
    name = "http"
    measures = (
        "Every request made to another service by requests, urllib3 or httpx: its address, "
        "status, time and the line that made it."
    )
    cost = "about 20 microseconds a request"
    disturbed_by = (
        "Other clients (urllib.request, aiohttp, pycurl, gRPC) are not seen. Of an answer that is "
        "streamed only the time until it begins. A client that is imported for the first time "
        "while the work runs is not seen in that capture."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.exchanges: list[Exchange] = []
        self.dropped = 0
        self._names = Names("http", "(other requests)")
        self._anames = Names("http", "(other requests)", is_async=True)
        self._before: set[str] = set()

    def start(self) -> None:
        self._before = _imported()
        _patch.acquire()

    def stop(self) -> None:
        _patch.release()
        late = sorted(_imported() - self._before)
        if late:
            self.warnings.append(
                f"http: {', '.join(late)} was imported while the work ran: its requests are not "
                "in this capture, they will be in the next one"
            )

    def open(self, client: str, asked: Asked, found: Walk) -> _Step:
        """A client's method was called, which sends a request and perhaps others after it."""
        around = running(self, innermost.get())
        follows = None
        if around is not None and around.attempts:
            follows = around.exchange
            follows.note_history(asked.retries)
            follows.ended = clock()
        sending = Sending(self, client, self._exchange(client, asked, found, follows))
        return _Step(self, sending, is_attempt=False)

    def attempt(self, sending: Sending, asked: Asked) -> _Step | None:
        """A request goes out within such a call; None for the first one, which is the call's."""
        sending.attempts += 1
        if sending.attempts == 1:
            return _Step(self, sending, is_attempt=True)
        before = sending.exchange
        before.note_history(asked.retries)
        before.ended = clock()
        sending.exchange = self._exchange(sending.client, asked, before.walk, before)
        return _Step(self, sending, is_attempt=True)

    def _exchange(
        self, client: str, asked: Asked, found: Walk, follows: Exchange | None
    ) -> Exchange:
        exchange = Exchange(client, asked, found, follows)
        if len(self.exchanges) < MAX_REQUESTS:
            self.exchanges.append(exchange)
        else:
            self.dropped += 1
        return exchange

    def frame(self, asked: Asked, *, is_async: bool) -> Runner:
        names = self._anames if is_async else self._names
        return names.get((asked.method, redact.url(asked.url).partition("?")[0]), " ".join)

    def failed(self, error: Exception) -> None:
        if not any(text.startswith("http: a request") for text in self.warnings):
            problem = describe_error(error)
            self.warnings.append(f"http: a request was not recorded in full: {problem}")

    def timing(self) -> dict[str, float]:
        return {"http_ms": to_ms(at_least_one_ns(self.exchanges))}

    def result(self) -> dict[str, Any]:
        exchanges, self.exchanges = self.exchanges, []
        requests = [found.plain(index, self.session) for index, found in enumerate(exchanges)]
        return {
            "count": len(requests) + self.dropped,
            "total_ms": round(sum((request["duration_ms"] for request in requests), 0.0), 4),
            "truncated": self.dropped,
            "requests": requests,
        }


class _Step:
    """What one instrument does around one call."""

    __slots__ = ("_exchange", "_instrument", "_is_attempt", "_sending", "is_new")

    def __init__(self, instrument: Http, sending: Sending, *, is_attempt: bool) -> None:
        self._instrument, self._sending, self._is_attempt = instrument, sending, is_attempt
        self._exchange = sending.exchange
        # Whether it is a request that no frame around it is named for.
        self.is_new = not is_attempt or sending.attempts > 1

    def end(self, response: Any, error: BaseException | None) -> None:
        if not self._is_attempt:
            self._sending.end(response, error)
        elif self._sending.exchange is self._exchange:
            # Else another one has followed, and this is that one's response.
            self._exchange.note(response, error)


class _Steps:
    """Around one call, for all captures that it belongs to. Never raises."""

    __slots__ = ("_steps", "frame")

    def __init__(self, client: str | None, read: Read, call: Any, *, is_async: bool) -> None:
        self._steps: list[tuple[Http, _Step]] = []
        self.frame: Runner | None = None
        entered = clock()
        instrument = active_instrument("http")
        found: Walk | None = None
        asked: Asked | None = None
        while isinstance(instrument, Http):
            try:
                asked = asked or read(*call[0], **call[1])
                found = found or walk(sys._getframe(2))
                step = _begin(instrument, client, asked, found)
                if step is not None:
                    self._steps.append((instrument, step))
                    if step.is_new and self.frame is None and instrument.session.frames:
                        self.frame = instrument.frame(asked, is_async=is_async)
            except Exception as error:
                instrument.failed(error)
            instrument.overhead_ns += clock() - entered
            instrument = instrument.enclosing()

    def end(self, response: Any, error: BaseException | None = None) -> None:
        began = clock()
        for instrument, step in self._steps:
            try:
                step.end(response, error)
            except Exception as failure:
                instrument.failed(failure)
            instrument.overhead_ns += clock() - began


def _begin(instrument: Http, client: str | None, asked: Asked, found: Walk) -> _Step | None:
    """``client`` is None for what only sends within a client's call."""
    around = running(instrument, innermost.get())
    if client is None:
        return instrument.attempt(around, asked) if around is not None else None
    if client == "urllib3":
        if around is not None and around.client in {"requests", "urllib3"}:
            return instrument.attempt(around, asked)
        step = instrument.open(client, asked, found)
        step._sending.attempts = 1
        return step
    return instrument.open(client, asked, found)


def _wrapping(client: str | None, read: Read) -> Wrap:
    def wrap(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            if stay.over or active_instrument("http") is None:
                return original(*args, **kwargs)
            steps = _Steps(client, read, (args, kwargs), is_async=False)
            frame = steps.frame
            try:
                if frame is None:
                    response = original(*args, **kwargs)
                else:
                    response = frame(original, *args, **kwargs)
            except BaseException as error:
                steps.end(None, error)
                raise
            steps.end(response)
            return response

        @functools.wraps(original)
        async def amethod(*args: Any, **kwargs: Any) -> Any:
            if stay.over or active_instrument("http") is None:
                return await original(*args, **kwargs)
            steps = _Steps(client, read, (args, kwargs), is_async=True)
            frame = steps.frame
            try:
                if frame is None:
                    response = await original(*args, **kwargs)
                else:
                    response = await frame(original, *args, **kwargs)
            except BaseException as error:
                steps.end(None, error)
                raise
            steps.end(response)
            return response

        return amethod if inspect.iscoroutinefunction(original) else method

    return wrap


def _read_request(client: Any, request: Any, *args: Any, **kwargs: Any) -> Asked:
    """Of requests and httpx, which both hand over a request object."""
    return Asked(str(request.method), str(request.url))


def _read_pool(pool: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Asked:
    """Of a pool of urllib3, which knows the host and is given the path."""
    retries = kwargs.get("retries", args[2] if len(args) > 2 else None)
    address = str(url)
    if not address.startswith(("http://", "https://")):
        host = f"[{pool.host}]" if ":" in pool.host else pool.host
        usual = {"http": 80, "https": 443}.get(pool.scheme)
        port = f":{pool.port}" if pool.port not in {None, usual} else ""
        address = f"{pool.scheme}://{host}{port}{address}"
    return Asked(str(method), address, retries)


def _imported() -> set[str]:
    return {client for client, module in _MODULES.items() if module in sys.modules}


def _targets() -> list[tuple[type, str, Wrap]]:
    """Of the clients that the application has imported, and no others."""
    wanted = (
        ("urllib3", "HTTPConnectionPool", "urlopen", "urllib3", _read_pool),
        ("requests", "Session", "send", "requests", _read_request),
        ("httpx", "Client", "send", "httpx", _read_request),
        ("httpx", "AsyncClient", "send", "httpx", _read_request),
        # Not public: without it redirects count as one request with the one they came from.
        ("httpx", "Client", "_send_single_request", None, _read_request),
        ("httpx", "AsyncClient", "_send_single_request", None, _read_request),
    )
    targets: list[tuple[type, str, Wrap]] = []
    for module, owner, method, client, read in wanted:
        found = getattr(sys.modules.get(_MODULES[module]), owner, None)
        if isinstance(found, type) and callable(getattr(found, method, None)):
            targets.append((found, method, _wrapping(client, read)))
    return targets


_patch = SharedPatch(_targets)
