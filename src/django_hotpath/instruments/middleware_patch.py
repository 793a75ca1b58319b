"""Stands between the middleware of a chain while captures run, and not a request longer."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any, Protocol

from asgiref.sync import iscoroutinefunction

from django_hotpath.instruments.middleware_chain import Handler, Link, Slot, links
from django_hotpath.instruments.named_frames import Runner

logger = logging.getLogger("hotpath")


class Passing(Protocol):
    """One boundary of one request."""

    frame: Runner | None

    def enter(self) -> None: ...
    def leave(self) -> None: ...


# For a chain and the place in it: None where the request that comes by is nobody's.
Watch = Callable[["Chain", int], Passing | None]


class Chain:
    """The chain below one outermost middleware, with every boundary replaced.

    ``users`` counts the captures; ``watched`` are the places whose boundary could be replaced,
    ``unknown`` the names of those that were not found.
    """

    def __init__(self, outermost: object, watch: Watch) -> None:
        self.outermost = outermost
        self.users = 0
        self.over = False
        self.links: list[Link]
        self.links, self.unknown = links(outermost)
        self.watched: set[int] = set()
        self._undo: list[tuple[Slot, Handler, Handler]] = []
        for place, link in enumerate(self.links):
            self._replace(place, link, watch)

    def _replace(self, place: int, link: Link, watch: Watch) -> None:
        replacement = _between(self, place, link.handler, watch)
        for slot in link.slots:
            try:
                slot.put(replacement)
            except Exception:
                logger.debug("%s cannot be watched", link.name, exc_info=True)
            else:
                self._undo.append((slot, link.handler, replacement))
                self.watched.add(place)

    def put_back(self) -> None:
        self.over = True
        while self._undo:
            slot, handler, replacement = self._undo.pop()
            # What somebody put there meanwhile is theirs, and may call ours for good.
            if slot.get() is replacement:
                slot.put(handler)


_lock = threading.Lock()
_chains: dict[int, Chain] = {}


def acquire(outermost: object, watch: Watch) -> Chain:
    with _lock:
        chain = _chains.get(id(outermost))
        if chain is None:
            chain = _chains[id(outermost)] = Chain(outermost, watch)
        chain.users += 1
        return chain


def release(chain: Chain) -> None:
    with _lock:
        chain.users -= 1
        if chain.users == 0:
            del _chains[id(chain.outermost)]
            chain.put_back()


def _between(chain: Chain, place: int, handler: Handler, watch: Watch) -> Handler:
    def get_response(*args: Any, **kwargs: Any) -> Any:
        passing = None if chain.over else watch(chain, place)
        if passing is None:
            return handler(*args, **kwargs)
        passing.enter()
        try:
            if passing.frame is None:
                return handler(*args, **kwargs)
            return passing.frame(handler, *args, **kwargs)
        finally:
            passing.leave()

    async def aget_response(*args: Any, **kwargs: Any) -> Any:
        passing = None if chain.over else watch(chain, place)
        if passing is None:
            return await handler(*args, **kwargs)
        passing.enter()
        try:
            if passing.frame is None:
                return await handler(*args, **kwargs)
            return await passing.frame(handler, *args, **kwargs)
        finally:
            passing.leave()

    made: Any = aget_response if iscoroutinefunction(handler) else get_response
    # Of an adapter between sync and async nothing is taken over but its name.
    taken_over = ("__dict__",) if isinstance(handler, FunctionType) else ()
    functools.update_wrapper(made, handler, updated=taken_over)
    made.hotpath_original = handler
    return made  # type: ignore[no-any-return]
