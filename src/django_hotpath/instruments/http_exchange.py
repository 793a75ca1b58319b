"""Requests to other services, and how calls of clients become such requests.

A client's ``send`` may make several: it follows redirects, tries again, answers a challenge. Each
that goes out is one ``Exchange``; where another one follows within the same call, the earlier one
is over.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any, NamedTuple

from django_hotpath import redact
from django_hotpath.callsite import Walk, call_site
from django_hotpath.instruments.base import Session, clock, to_ms
from django_hotpath.plain import describe_error, shorten

MAX_URL = 2_000


class Asked(NamedTuple):
    """What a client is asked to do; ``retries`` are urllib3's, which know what came before."""

    method: str
    url: str
    retries: Any = None


class Exchange:
    """One request that went out. ``ended`` is 0 while it runs; ``follows`` the one before it."""

    __slots__ = (
        "client",
        "ended",
        "error",
        "follows",
        "index",
        "method",
        "nested_ns",
        "started",
        "status",
        "url",
        "walk",
    )

    def __init__(self, client: str, asked: Asked, walk: Walk, follows: Exchange | None) -> None:
        self.client, self.method, self.url = client, asked.method, asked.url
        self.walk, self.follows = walk, follows
        self.index: int | None = None
        self.status: int | None = None
        self.error: str | None = None
        # Other requests that were made before this one could go out: for a token, say.
        self.nested_ns = self.ended = 0
        self.started = clock()

    @property
    def duration_ns(self) -> int:
        return max(self.ended - self.started - self.nested_ns, 0) if self.ended else 0

    def note(self, response: Any, error: BaseException | None) -> None:
        """What came of it, as far as that is not known."""
        if self.status is not None or self.error is not None:
            return
        if error is not None:
            self.error = redact.message(describe_error(error))
            return
        status = getattr(response, "status_code", getattr(response, "status", None))
        if isinstance(status, int):
            self.status = int(status)

    def note_history(self, retries: Any) -> None:
        """What urllib3 keeps of the try that failed."""
        history = getattr(retries, "history", None)
        if not history or self.status is not None or self.error is not None:
            return
        last = history[-1]
        self.note(last, getattr(last, "error", None))

    def plain(self, index: int, session: Session) -> dict[str, Any]:
        self.index = index
        plain: dict[str, Any] = {
            "index": index,
            "client": self.client,
            "method": shorten(self.method),
            "url": shorten(redact.url(self.url), MAX_URL),
            "status": self.status,
            "start_ms": session.ms_since_start(self.started),
            "duration_ms": to_ms(self.duration_ns),
            "call_site": call_site(self.walk),
        }
        if self.error is not None:
            plain["error"] = self.error
        if self.follows is not None and self.follows.index is not None:
            plain["follows"] = self.follows.index
        if not self.ended:
            plain["running"] = True
        return plain


class Sending:
    """A call of a client's method that runs now; ``exchange`` is its request of this moment."""

    __slots__ = ("above", "attempts", "client", "ended", "exchange", "owner", "token")

    def __init__(self, owner: object, client: str, exchange: Exchange) -> None:
        self.owner, self.client, self.exchange = owner, client, exchange
        self.attempts = 0
        self.ended = False
        self.above = innermost.get()
        self.token: Token[Sending | None] | None = innermost.set(self)

    def end(self, response: Any, error: BaseException | None) -> None:
        self.ended = True
        exchange = self.exchange
        exchange.note(response, error)
        exchange.ended = clock()
        around = running(self.owner, self.above)
        if around is not None and around.attempts:
            # It went on from the request before: what is left to do, reading, say, is for this one.
            around.exchange = exchange
        elif around is not None:
            around.exchange.nested_ns += exchange.ended - exchange.started
        token, self.token = self.token, None
        try:
            if token is not None:
                innermost.reset(token)
        except ValueError:
            # A coroutine may be closed in another context than it ran in.
            return


innermost: ContextVar[Sending | None] = ContextVar("hotpath_http", default=None)


def running(owner: object, sending: Sending | None) -> Sending | None:
    """The nearest call, from this one outward, that this owner records and that still runs."""
    while sending is not None and (sending.owner is not owner or sending.ended):
        sending = sending.above
    return sending


def at_least_one_ns(exchanges: list[Exchange]) -> int:
    """How long at least one of them was under way."""
    total = reached = 0
    for exchange in sorted(exchanges, key=lambda found: found.started):
        if exchange.ended > reached:
            total += exchange.ended - max(exchange.started, reached)
            reached = exchange.ended
    return total
