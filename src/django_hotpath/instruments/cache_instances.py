"""Methods that another tool has replaced on a cache object, in front of those of its class.

The debug toolbar's cache panel does so with every cache that it meets, for good, and its
replacements call what was there at the time: what is replaced on the class later is never asked.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from django_hotpath.instruments.patching import Stay, Wrap

Method = Callable[..., Any]


class InstancePatch:
    """Puts ours in front of theirs, on the caches of this thread or task, for one capture."""

    def __init__(self, names: Iterable[str], wrapping: Callable[[str], Wrap]) -> None:
        self._names = tuple(names)
        self._wrapping = wrapping
        self._stay = Stay()
        self._undo: list[tuple[BaseCache, str, Method, Method]] = []

    def start(self) -> None:
        for cache in caches.all(initialized_only=True):
            own = vars(cache)
            for name in self._names:
                for attribute in (name, f"a{name}"):
                    theirs = own.get(attribute)
                    if callable(theirs):
                        self._replace(cache, name, attribute, theirs)

    def _replace(self, cache: BaseCache, name: str, attribute: str, theirs: Method) -> None:
        method = self._wrapping(name)(_with_cache(theirs), self._stay)
        ours = functools.partial(method, cache)
        setattr(cache, attribute, ours)
        self._undo.append((cache, attribute, theirs, ours))

    def stop(self) -> None:
        self._stay.over = True
        while self._undo:
            cache, attribute, theirs, ours = self._undo.pop()
            if vars(cache).get(attribute) is ours:
                setattr(cache, attribute, theirs)


def _with_cache(theirs: Method) -> Method:
    """Takes the cache first, as methods of classes do."""
    if inspect.iscoroutinefunction(theirs):

        async def acall(_cache: BaseCache, /, *args: Any, **kwargs: Any) -> Any:
            return await theirs(*args, **kwargs)

        return acall

    def call(_cache: BaseCache, /, *args: Any, **kwargs: Any) -> Any:
        return theirs(*args, **kwargs)

    return call
