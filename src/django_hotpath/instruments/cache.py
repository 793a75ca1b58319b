"""Every operation on Django's caches: keys, hits and misses, time."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

from django_hotpath import redact
from django_hotpath.callsite import Walk, call_site, walk
from django_hotpath.instruments.base import Instrument, Session, clock, current, to_ms
from django_hotpath.instruments.patching import SharedPatch, Wrap
from django_hotpath.plain import describe_error, describe_object, shorten

MAX_OPERATIONS = 5_000
_MAX_KEYS = 20

READS = frozenset({"get", "get_many", "has_key", "get_or_set"})
_OPERATIONS = (
    *sorted(READS),
    "add",
    "set",
    "set_many",
    "touch",
    "incr",
    "decr",
    "delete",
    "delete_many",
    "clear",
)
_MISSING = object()

# Operations that call others (get_or_set, the default get_many) count once, as themselves.
_outer: ContextVar[_Operation | None] = ContextVar("hotpath_cache_operation", default=None)


class _Operation:
    __slots__ = ("cache", "ended", "error", "hits", "keys", "misses", "name", "started", "walk")

    cache: BaseCache
    ended: int
    error: str | None
    hits: int
    keys: list[Any]
    misses: int
    name: str
    started: int
    walk: Walk | None


class Cache(Instrument):
    name = "cache"
    measures = "Every operation on Django's caches: keys, hits, misses, time and the line it is on."
    cost = "about 10 microseconds an operation"
    disturbed_by = (
        "A cached None counts as a miss on cache backends that are not Django's own. Clients that "
        "you call without Django's cache framework are not seen."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.operations: list[_Operation] = []
        self.dropped = 0
        self.dropped_ns = 0

    def start(self) -> None:
        _patch.acquire()

    def stop(self) -> None:
        _patch.release()

    def run(
        self,
        original: Callable[..., Any],
        name: str,
        cache: BaseCache,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        entered = clock()
        operation = _Operation()
        operation.name, operation.cache = name, cache
        operation.keys = _keys(name, args, kwargs)
        operation.hits = operation.misses = 0
        operation.error = None
        # From here: run, the replaced method, the application.
        operation.walk = walk(sys._getframe(2))
        token = _outer.set(operation)
        operation.started = clock()
        try:
            result = _call(operation, original, cache, args, kwargs)
        except BaseException as error:
            operation.error = describe_error(error)
            raise
        finally:
            operation.ended = clock()
            _outer.reset(token)
            self._keep(operation)
            self.overhead_ns += clock() - operation.ended + operation.started - entered
        return result

    def _keep(self, operation: _Operation) -> None:
        if len(self.operations) < MAX_OPERATIONS:
            self.operations.append(operation)
        else:
            self.dropped += 1
            self.dropped_ns += operation.ended - operation.started

    def timing(self) -> dict[str, float]:
        recorded = sum(operation.ended - operation.started for operation in self.operations)
        return {"cache_ms": to_ms(recorded + self.dropped_ns)}

    def result(self) -> dict[str, Any]:
        operations = [
            _plain(operation, index, self.session)
            for index, operation in enumerate(self.operations)
        ]
        total_ms = self.timing()["cache_ms"]
        self.operations = []
        return {
            "count": len(operations) + self.dropped,
            "total_ms": total_ms,
            "hits": sum(operation["hits"] for operation in operations),
            "misses": sum(operation["misses"] for operation in operations),
            "truncated": self.dropped,
            "operations": operations,
        }


def _call(
    operation: _Operation,
    original: Callable[..., Any],
    cache: BaseCache,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    name = operation.name
    if name == "get":
        return _get(operation, original, cache, args, kwargs)
    result = original(cache, *args, **kwargs)
    if name == "get_many":
        operation.hits = len(result)
        operation.misses = max(len(operation.keys) - len(result), 0)
    elif name == "has_key":
        operation.hits, operation.misses = int(bool(result)), int(not result)
    return result


def _get(
    operation: _Operation,
    original: Callable[..., Any],
    cache: BaseCache,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    default = kwargs.get("default", args[1] if len(args) > 1 else None)
    if not original.__module__.startswith("django.core.cache.backends"):
        result = original(cache, *args, **kwargs)
        hit = result is not default
    else:
        # Django's own backends hand the default through: one of ours tells a cached None apart.
        if len(args) > 1:
            args = (args[0], _MISSING, *args[2:])
        else:
            kwargs = {**kwargs, "default": _MISSING}
        result = original(cache, *args, **kwargs)
        hit = result is not _MISSING
        result = result if hit else default
    operation.hits, operation.misses = int(hit), int(not hit)
    return result


def _nested(
    outer: _Operation,
    original: Callable[..., Any],
    name: str,
    cache: BaseCache,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    result = original(cache, *args, **kwargs)
    if outer.name == "get_or_set" and name in {"get", "add", "set"}:
        # It reads first; whatever it writes afterwards says that there was nothing to read.
        wrote = name != "get"
        outer.hits, outer.misses = int(not wrote and not outer.misses), int(wrote or outer.misses)
    return result


def _keys(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    if name == "clear":
        return []
    first = args[0] if args else kwargs.get("key", kwargs.get("keys", kwargs.get("data")))
    if name not in {"get_many", "set_many", "delete_many"}:
        return [first]
    # A generator can be read only once, and that is the backend's to do.
    return list(first) if isinstance(first, (list, tuple, set, frozenset, dict)) else []


def _wrapping(name: str) -> Wrap:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def method(cache: BaseCache, *args: Any, **kwargs: Any) -> Any:
            active = current.get()
            instrument = active.get("cache") if active is not None else None
            if not isinstance(instrument, Cache):
                return original(cache, *args, **kwargs)
            outer = _outer.get()
            if outer is not None and outer.cache is cache:
                return _nested(outer, original, name, cache, args, kwargs)
            return instrument.run(original, name, cache, args, kwargs)

        return method

    return wrap


def _targets() -> list[tuple[type, str, Wrap]]:
    classes = {type(caches[alias]) for alias in caches.settings}
    return [
        (owner, name, _wrapping(name))
        for owner in classes
        for name in _OPERATIONS
        if hasattr(owner, name)
    ]


_patch = SharedPatch(_targets)


def _plain(operation: _Operation, index: int, session: Session) -> dict[str, Any]:
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
    if operation.error is not None:
        plain["error"] = operation.error
    return plain


def _alias(cache: BaseCache) -> str:
    for alias in caches.settings:
        if getattr(caches._connections, alias, None) is cache:  # type: ignore[attr-defined]
            return str(alias)
    # A cache of another thread: by its backend alone it may be ambiguous.
    known = [alias for alias in caches.settings if type(caches[alias]) is type(cache)]
    return str(known[0]) if len(known) == 1 else "?"
