"""Every operation on Django's caches: keys, hits and misses, time."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.utils.module_loading import import_string

from django_hotpath import redact
from django_hotpath.callsite import call_site, walk
from django_hotpath.instruments.base import Instrument, Session, active_instrument, clock, to_ms
from django_hotpath.instruments.cache_instances import InstancePatch
from django_hotpath.instruments.cache_operation import Operation, innermost
from django_hotpath.instruments.named_frames import Names
from django_hotpath.instruments.patching import SharedPatch, Stay, Wrap
from django_hotpath.plain import describe_error, describe_object, shorten

MAX_OPERATIONS = 5_000
_MAX_KEYS = 20

_SIMPLE = ("add", "clear", "delete", "get", "set", "touch")
_COMPOSED = ("decr", "delete_many", "get_many", "get_or_set", "has_key", "incr", "set_many")

# What the first of the running captures found in CACHES: classes and errors by alias.
_classes: dict[str, type] = {}
_broken: dict[str, str] = {}


class Cache(Instrument):
    name = "cache"
    measures = "Every operation on Django's caches: keys, hits, misses, time and the line it is on."
    cost = "about 15 microseconds an operation"
    disturbed_by = (
        "A cached None counts as a miss on cache backends that are not Django's own. Clients that "
        "you call without Django's cache framework are not seen. Asynchronous operations may "
        "include the wait for a thread."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.operations: list[Operation] = []
        self.dropped = self.hits = self.misses = self.outermost_ns = 0
        self._has_failed = False
        self._instances = InstancePatch((*_SIMPLE, *_COMPOSED), _wrapping)
        self._names = Names("cache", "(other operations)")
        self._anames = Names("cache", "(other operations)", is_async=True)

    def start(self) -> None:
        _patch.acquire()
        self._instances.start()
        self.warnings += [
            f'cache: the alias "{alias}" is not measured: {reason}'
            for alias, reason in _broken.items()
        ]

    def stop(self) -> None:
        self._instances.stop()
        _patch.release()

    def run(
        self,
        original: Callable[..., Any],
        name: str,
        cache: BaseCache,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Does the operation and records it; raises what it raises."""
        outer = self.enclosing()
        inner = (
            functools.partial(outer.run, original, name) if isinstance(outer, Cache) else original
        )
        names = self._names if self.names_frames(outer) else None
        operation, part_of = self._open(original, name, cache, args, kwargs, names)
        if part_of is not None:
            result = inner(cache, *args, **kwargs)
            part_of.note_part(name, args, kwargs, result)
            return result
        try:
            if operation.frame is None:
                result = inner(cache, *operation.args, **operation.kwargs)
            else:
                result = operation.frame(inner, cache, *operation.args, **operation.kwargs)
        except BaseException as error:
            self._close(operation, error=error)
            raise
        self._close(operation, result)
        return operation.answer(result)

    async def arun(
        self,
        original: Callable[..., Any],
        name: str,
        cache: BaseCache,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """``run`` for a coroutine function."""
        outer = self.enclosing()
        inner = (
            functools.partial(outer.arun, original, name) if isinstance(outer, Cache) else original
        )
        names = self._anames if self.names_frames(outer) else None
        operation, part_of = self._open(original, name, cache, args, kwargs, names)
        if part_of is not None:
            result = await inner(cache, *args, **kwargs)
            part_of.note_part(name, args, kwargs, result)
            return result
        try:
            if operation.frame is None:
                result = await inner(cache, *operation.args, **operation.kwargs)
            else:
                result = await operation.frame(inner, cache, *operation.args, **operation.kwargs)
        except BaseException as error:
            self._close(operation, error=error)
            raise
        self._close(operation, result)
        return operation.answer(result)

    def _open(
        self,
        original: Callable[..., Any],
        name: str,
        cache: BaseCache,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        names: Names | None,
    ) -> tuple[Operation, Operation | None]:
        """The operation, and the one that it is merely a part of; never raises."""
        entered = clock()
        operation = Operation(self, name, cache, args, kwargs)
        try:
            around = operation.around()
            if around is not None and operation.is_part_of(around):
                return operation, around
            operation.walk = walk(sys._getframe(1))
            operation.prepare(original)
            if names is not None:
                operation.frame = names.get(operation.called(), _frame_text)
        except Exception as error:
            operation.args, operation.kwargs, operation.lost = args, kwargs, True
            self._failed(error)
        operation.token = innermost.set(operation)
        operation.started = clock()
        self.overhead_ns += operation.started - entered
        return operation, None

    def _close(
        self, operation: Operation, result: Any = None, error: BaseException | None = None
    ) -> None:
        """Never raises."""
        ended = clock()
        try:
            self._leave(operation, ended)
            if error is not None:
                operation.error = describe_error(error)
            elif not operation.lost:
                operation.count(result)
        except Exception as failure:
            self._failed(failure, " in full")
        operation.frame = None
        # The values are the application's to free.
        operation.args, operation.kwargs = (), {}
        self.hits += operation.hits
        self.misses += operation.misses
        if operation.lost or len(self.operations) >= MAX_OPERATIONS:
            self.dropped += 1
        else:
            self.operations.append(operation)
        self.overhead_ns += clock() - ended

    def _leave(self, operation: Operation, ended: int) -> None:
        operation.ended = ended
        if operation.around() is None:
            self.outermost_ns += ended - operation.started
        token, operation.token = operation.token, None
        try:
            if token is not None:
                innermost.reset(token)
        except ValueError:
            # A coroutine may be closed in another context than it ran in.
            return

    def _failed(self, error: Exception, how: str = "") -> None:
        if not self._has_failed:
            self._has_failed = True
            reason = describe_error(error)
            self.warnings.append(f"cache: an operation was not recorded{how}: {reason}")

    def timing(self) -> dict[str, float]:
        return {"cache_ms": to_ms(self.outermost_ns)}

    def result(self) -> dict[str, Any]:
        kept, self.operations = self.operations, []
        operations: list[dict[str, Any]] = []
        for operation in kept:
            try:
                operations.append(_plain(operation, len(operations), self.session))
            except Exception as error:
                self.dropped += 1
                self._failed(error)
        return {
            "count": len(operations) + self.dropped,
            "total_ms": to_ms(self.outermost_ns),
            "hits": self.hits,
            "misses": self.misses,
            "truncated": self.dropped,
            "operations": operations,
        }


def _wrapping(name: str) -> Wrap:
    # A replacement goes on after its stay: a cache may keep it, bound, as an attribute of its own,
    # and where a later one records the same call this one's is a part of it.
    def wrap(original: Callable[..., Any], _stay: Stay) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(cache: BaseCache, /, *args: Any, **kwargs: Any) -> Any:
            instrument = active_instrument("cache")
            if not isinstance(instrument, Cache):
                return original(cache, *args, **kwargs)
            return instrument.run(original, name, cache, *args, **kwargs)

        @functools.wraps(original)
        async def amethod(cache: BaseCache, /, *args: Any, **kwargs: Any) -> Any:
            instrument = active_instrument("cache")
            if not isinstance(instrument, Cache):
                return await original(cache, *args, **kwargs)
            return await instrument.arun(original, name, cache, *args, **kwargs)

        return amethod if inspect.iscoroutinefunction(original) else method

    return wrap


def _targets() -> list[tuple[type, str, Wrap]]:
    """Methods where they are defined: Django compares some with those of its base class."""
    global _broken, _classes
    classes: dict[str, type] = {}
    broken: dict[str, str] = {}
    for alias in caches.settings:
        try:
            found = import_string(caches.settings[alias]["BACKEND"])
            classes[alias] = found if isinstance(found, type) else type(caches[alias])
        except Exception as error:
            broken[alias] = describe_error(error)
    _broken, _classes = broken, classes
    targets: dict[tuple[type, str], Wrap] = {}
    for backend in classes.values():
        for name in (*_SIMPLE, *_COMPOSED):
            for method in (name, f"a{name}"):
                owner = next((cls for cls in backend.__mro__ if method in cls.__dict__), None)
                if owner is not None and _is_wanted(owner, name, method):
                    targets[owner, method] = _wrapping(name)
    return [(owner, method, wrap) for (owner, method), wrap in targets.items()]


def _is_wanted(owner: type, name: str, method: str) -> bool:
    if isinstance(owner.__dict__[method], (classmethod, property, staticmethod)):
        return False
    if method == name:
        return True
    # Those of Django's base class call the synchronous ones, in a thread.
    if owner is BaseCache and name in _SIMPLE:
        return False
    return inspect.iscoroutinefunction(owner.__dict__[method])


_patch = SharedPatch(_targets)


def _plain(operation: Operation, index: int, session: Session) -> dict[str, Any]:
    cache = operation.cache
    plain: dict[str, Any] = {
        "index": index,
        "alias": _alias(cache),
        "backend": f"{type(cache).__module__}.{type(cache).__qualname__}",
        "operation": operation.name,
        "keys": [
            redact.cache_key(shorten(describe_object(key))) for key in operation.keys[:_MAX_KEYS]
        ],
        "key_count": len(operation.keys),
        "hits": operation.hits,
        "misses": operation.misses,
        "start_ms": session.ms_since_start(operation.started),
        "duration_ms": to_ms(operation.ended - operation.started),
        "call_site": call_site(operation.walk) if operation.walk else None,
    }
    if operation.version is not None:
        plain["version"] = operation.version
    if operation.error is not None:
        plain["error"] = operation.error
    return plain


def _frame_text(called: tuple[str, str]) -> str:
    name, key = called
    return f"{name.upper()} {redact.cache_key(shorten(key))}".rstrip()


def _alias(cache: BaseCache) -> str:
    # A private attribute of Django's, and the only place that tells.
    connections = getattr(caches, "_connections", None)
    for alias in caches.settings:
        if getattr(connections, alias, None) is cache:
            return str(alias)
    # A cache of another thread: by its backend alone it may be ambiguous.
    known = [alias for alias, backend in _classes.items() if backend is type(cache)]
    return known[0] if len(known) == 1 else "?"
