"""One operation on a cache: what it asks for, what it finds, and which calls are parts of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView
from contextvars import ContextVar, Token
from typing import Any

from django.core.cache.backends.base import BaseCache

from django_hotpath.callsite import Walk
from django_hotpath.instruments.named_frames import Runner
from django_hotpath.plain import identity

_BACKENDS = "django.core.cache.backends."
_MISSING = object()
# Where the version stands among the positional arguments; third where nothing is said.
_VERSION_AT = {
    "add": 3,
    "get_or_set": 3,
    "set": 3,
    "delete": 1,
    "delete_many": 1,
    "get_many": 1,
    "has_key": 1,
}
_READABLE = (list, tuple, set, frozenset, dict, KeysView)

# Operations that call others (get_or_set, the default get_many) count once, as themselves.
innermost: ContextVar[Operation | None] = ContextVar("hotpath_cache_operation", default=None)


class Operation:
    """``args`` and ``kwargs`` are what the backend gets while it runs, and empty afterwards."""

    __slots__ = (
        "above",
        "args",
        "cache",
        "default",
        "ended",
        "error",
        "frame",
        "hits",
        "keys",
        "kwargs",
        "lost",
        "misses",
        "name",
        "owner",
        "started",
        "theirs",
        "token",
        "unread",
        "version",
        "walk",
    )

    def __init__(
        self,
        owner: object,
        name: str,
        cache: BaseCache,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.owner, self.name, self.cache = owner, name, cache
        self.args, self.kwargs = args, kwargs
        self.above = innermost.get()
        self.token: Token[Operation | None] | None = None
        self.default: Any = None
        self.keys: list[Any] = []
        self.hits = self.misses = self.started = self.ended = 0
        self.error: str | None = None
        self.walk: Walk | None = None
        # Runs it in a named frame, where somebody sees frames.
        self.frame: Runner | None = None
        # Its details could not be recorded.
        self.lost = False
        # The application's generator is making a key just now.
        self.theirs = False
        # Its keys are something that only the backend may read.
        self.unread = False
        # Of its keys, where it is not that of the cache.
        self.version: int | None = None

    def around(self) -> Operation | None:
        """The running operation, recorded by the same owner, within whose time this one is."""
        above = self.above
        while above is not None and (above.owner is not self.owner or above.ended):
            above = above.above
        return above

    def is_part_of(self, outer: Operation) -> bool:
        """Whether ``outer`` makes this call, and not code of the application that it runs."""
        if outer.cache is not self.cache:
            return False
        if outer.name != "get_or_set":
            return not outer.theirs
        if outer.lost:
            return True
        keys = _keys(self.name, self.args, self.kwargs)
        wanted = [identity(key) for key in outer.keys]
        return bool(keys) and all(identity(key) in wanted for key in keys)

    def prepare(self, original: Callable[..., Any]) -> None:
        """Reads the keys and sets what tells a hit; may raise."""
        name, args, kwargs = self.name, self.args, self.kwargs
        self.version = _version(name, self.cache, args, kwargs)
        many = args[0] if args else kwargs.get("keys")
        if name in {"get_many", "delete_many"} and isinstance(many, Iterator):
            # It can be read only once, and that is the backend's to do.
            watched = self._watched(many)
            if args:
                self.args = (watched, *args[1:])
            else:
                self.kwargs = {**kwargs, "keys": watched}
            return
        self.keys = _keys(name, args, kwargs)
        self.unread = name == "get_many" and not isinstance(many, _READABLE)
        if name == "get" and _is_djangos(self.cache, original):
            # Django's own backends hand the default through: ours tells a cached None apart.
            self.default = _default(args, kwargs)
            if len(args) > 1:
                self.args = (args[0], _MISSING, *args[2:])
            else:
                self.kwargs = {**kwargs, "default": _MISSING}

    def called(self) -> tuple[str, str]:
        """What a frame of it is named for: the operation and its first key."""
        key = self.keys[0] if self.keys else ""
        if type(key) not in (str, int):
            key = f"<{type(key).__qualname__}>"
        return self.name, str(key)

    def _watched(self, keys: Iterator[Any]) -> Iterator[Any]:
        while True:
            self.theirs = True
            try:
                key = next(keys)
            except StopIteration:
                return
            finally:
                self.theirs = False
            self.keys.append(key)
            yield key

    def count(self, result: Any) -> None:
        """Counts hits and misses; raises for a result that cannot be read without side effects."""
        if self.name == "get":
            self._found(result is not _default(self.args, self.kwargs))
        elif self.name == "has_key":
            if type(result) not in (bool, int):
                raise TypeError(f"has_key gave {type(result).__qualname__}")
            self._found(bool(result))
        elif self.name == "get_many":
            if not isinstance(result, dict):
                raise TypeError(f"get_many gave {type(result).__qualname__}")
            self.hits = dict.__len__(result)
            if self.unread:
                raise TypeError("without the keys of get_many nothing tells the misses")
            asked = len({identity(key) for key in self.keys})
            self.misses = max(asked - self.hits, 0)

    def note_part(
        self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        """The first thing that get_or_set does tells whether the key was there."""
        if self.name == "get_or_set" and not self.hits and not self.misses:
            if name == "get":
                self._found(result is not _default(args, kwargs))
            elif name in {"add", "set"}:
                self._found(False)

    def _found(self, hit: bool) -> None:
        self.hits, self.misses = int(hit), int(not hit)

    def answer(self, result: Any) -> Any:
        """The backend's result, with the application's default in place of ours."""
        return self.default if result is _MISSING else result


def _default(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return kwargs.get("default", args[1] if len(args) > 1 else None)


def _keys(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    if name == "clear":
        return []
    first = args[0] if args else kwargs.get("key", kwargs.get("keys", kwargs.get("data")))
    if name not in {"get_many", "set_many", "delete_many"}:
        return [first]
    # Not a queryset, for example: reading would evaluate it.
    return list(first) if isinstance(first, _READABLE) else []


def _version(
    name: str, cache: BaseCache, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> int | None:
    place = _VERSION_AT.get(name, 2)
    version = args[place] if len(args) > place else kwargs.get("version")
    return version if type(version) is int and version != cache.version else None


def _is_djangos(cache: BaseCache, original: Callable[..., Any]) -> bool:
    """Neither a subclass nor a method that somebody wrapped: they might look at the default."""
    module = getattr(original, "__globals__", {}).get("__name__", "")
    return module.startswith(_BACKENDS) and type(cache).__module__.startswith(_BACKENDS)
