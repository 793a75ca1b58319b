"""A request's chain of middleware: who is in it, and where each keeps the one that it calls.

Django tells nobody: every middleware is given the next one as ``get_response``, wrapped by
``convert_exception_to_response``, and keeps it as it likes. So the next one is looked for where
code keeps things: attributes, the cells of closures, the parts of a ``partial``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import CellType, FunctionType, MemberDescriptorType, MethodType
from typing import Any, Protocol

from asgiref.sync import AsyncToSync, SyncToAsync
from django.conf import settings as django_settings
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response

HOOKS = ("process_view", "process_template_response", "process_exception")

# As far as a middleware is looked into: a class of its own around a function, say.
_MAX_DEPTH = 3
_MAX_LOOKED_AT = 200

Handler = Callable[..., Any]


async def _async_handler(request: object) -> None:
    """Of no use but to see what Django makes of it."""


_CONVERTERS = frozenset(
    convert_exception_to_response(handler).__code__  # type: ignore[arg-type]
    for handler in (lambda request: None, _async_handler)
)


class Slot(Protocol):
    """Where a middleware keeps the next one."""

    def get(self) -> object: ...
    def put(self, handler: Handler) -> None:
        """May raise."""


class _Attribute:
    def __init__(self, attributes: dict[str, Any], name: str) -> None:
        self._attributes, self._name = attributes, name

    def get(self) -> object:
        return self._attributes.get(self._name)

    def put(self, handler: Handler) -> None:
        self._attributes[self._name] = handler


class _Member:
    """An attribute of a class with ``__slots__``."""

    def __init__(self, holder: object, name: str) -> None:
        self._holder, self._name = holder, name

    def get(self) -> object:
        return getattr(self._holder, self._name, None)

    def put(self, handler: Handler) -> None:
        object.__setattr__(self._holder, self._name, handler)


class _Cell:
    def __init__(self, cell: CellType) -> None:
        self._cell = cell

    def get(self) -> object:
        return _content(self._cell)

    def put(self, handler: Handler) -> None:
        self._cell.cell_contents = handler


@dataclass(frozen=True)
class Link:
    """One of the chain. ``slots``: where the one before keeps it, as ``handler``.

    Without slots it cannot be told apart from the one before. ``middleware`` is None for Django's
    own handler, which is the last.
    """

    name: str
    handler: Handler
    slots: tuple[Slot, ...]
    middleware: Any = None

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2]

    @property
    def hooks(self) -> list[str]:
        """Methods that Django's handler calls, within its own time."""
        return [f"{self.name}.{hook}" for hook in HOOKS if hasattr(self.middleware, hook)]


def links(outermost: object) -> tuple[list[Link], list[str]]:
    """The chain below a middleware, and the names of those that were not found.

    The chain ends before a middleware that does not show what it calls.
    """
    found: list[Link] = []
    owner = outermost
    while len(found) < _MAX_LOOKED_AT:
        handler, slots = _next(owner)
        if handler is None:
            return found, _after(found, outermost)
        converted = _stripped(handler)
        owner = getattr(converted, "__wrapped__", converted)
        if _is_last(owner):
            return [*_by_settings(found, outermost), Link("", handler, slots)], []
        found.append(Link(name_of(owner), handler, slots, owner))
    return found, []


def name_of(middleware: Any) -> str:
    """The dotted path by which the settings name it, as well as can be told."""
    if isinstance(middleware, functools.partial):
        return name_of(middleware.func)
    if isinstance(middleware, (FunctionType, MethodType)):
        named: Any = middleware
        qualified = named.__qualname__.partition(".<locals>")[0]
    else:
        named = type(middleware)
        qualified = named.__qualname__
    return f"{named.__module__}.{qualified}"


def _by_settings(found: list[Link], outermost: object) -> list[Link]:
    """The whole chain, called as in the settings: a function may be made by any other one."""
    names = _names_below(name_of(outermost))
    if len(names) != len(found):
        # Some declined to be used.
        return found
    return [replace(link, name=name) for link, name in zip(found, names, strict=True)]


def _names_below(name: str) -> list[str]:
    names = [str(found) for found in getattr(django_settings, "MIDDLEWARE", ())]
    return names[names.index(name) + 1 :] if name in names else []


def _after(found: list[Link], outermost: object) -> list[str]:
    """Those that the settings name after the last one that was found."""
    return _names_below(found[-1].name if found else name_of(outermost))


def _is_last(handler: object) -> bool:
    return isinstance(handler, MethodType) and isinstance(handler.__self__, BaseHandler)


def _stripped(handler: Any) -> Any:
    """Without the adapters between sync and async, and without replacements of ours."""
    for _ in range(_MAX_DEPTH * 2):
        if isinstance(handler, SyncToAsync):
            handler = handler.func
        elif isinstance(handler, AsyncToSync):
            handler = handler.awaitable
        elif isinstance(handler, FunctionType) and hasattr(handler, "hotpath_original"):
            handler = handler.hotpath_original
        else:
            break
    return handler


def _is_handler(value: object) -> bool:
    found = _stripped(value)
    return isinstance(found, FunctionType) and found.__code__ in _CONVERTERS


def _next(owner: object) -> tuple[Handler | None, tuple[Slot, ...]]:
    """What this middleware calls, and every place nearby where it keeps it."""
    level, seen = [owner], {id(owner)}
    for _ in range(_MAX_DEPTH):
        held = [pair for holder in level for pair in _held(holder)]
        handlers = [value for _slot, value in held if _is_handler(value)]
        if handlers:
            slots = [slot for slot, value in held if value is handlers[0] and slot is not None]
            return handlers[0], tuple(slots)
        level = []
        for _slot, value in held:
            if id(value) not in seen and _may_hold(value) and len(seen) < _MAX_LOOKED_AT:
                seen.add(id(value))
                level.append(value)
    return None, ()


def _may_hold(value: object) -> bool:
    return callable(value) and not isinstance(value, (type, BaseHandler))


def _held(holder: Any) -> Iterator[tuple[Slot | None, Any]]:
    """What an object holds, each with its slot; None where it cannot be replaced."""
    if isinstance(holder, MethodType):
        yield None, holder.__func__
        yield from _held(holder.__self__)
        return
    if isinstance(holder, functools.partial):
        yield from ((None, value) for value in (holder.func, *holder.args))
        yield from ((None, value) for value in holder.keywords.values())
    if isinstance(holder, FunctionType):
        for cell in holder.__closure__ or ():
            yield _Cell(cell), _content(cell)
    for name, member in _members(type(holder)):
        yield _Member(holder, name), getattr(holder, name, member)
    attributes = getattr(holder, "__dict__", None)
    if isinstance(attributes, dict):
        # Under its usual name first: a middleware may keep handlers of others too.
        for name in sorted(attributes, key=lambda name: name != "get_response"):
            yield _Attribute(attributes, name), attributes[name]


def _members(cls: type) -> Iterator[tuple[str, object]]:
    for base in cls.__mro__[:-1]:
        for name, member in base.__dict__.items():
            if isinstance(member, MemberDescriptorType) and "__slots__" in base.__dict__:
                yield name, member


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        # Not assigned yet.
        return None
