"""What a view, a class or a function means in code objects.

Attributes are looked up statically: no property, no metaclass and no lazy module of the
application runs for it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from django.utils.functional import cached_property

from django_hotpath.callsite import locate

MAX_PIECES = 5_000
# How far decorators are followed, so that a ring of them ends.
_MAX_DEPTH = 100

_CACHED = (cached_property, functools.cached_property)
_PARTIAL = (functools.partial, functools.partialmethod)
_METHOD = (staticmethod, classmethod)
_WRAPPERS = (FunctionType, MethodType, property, *_METHOD, *_PARTIAL, *_CACHED)


class Piece(NamedTuple):
    """Code to measure, and the function that it belongs to.

    ``function`` is None for code inside other code: nested functions, lambdas, generator
    expressions. ``named`` code is shown even when it never ran.
    """

    code: CodeType
    # A FunctionType or None; to type checkers an attribute that is a function is a method.
    function: Any = None
    named: bool = False


class Unwrapped(NamedTuple):
    """``functions`` from the outermost decorator to what it is all about; the classes behind them,
    each with the names of the methods that a request enters by."""

    functions: list[FunctionType]
    classes: list[tuple[type, tuple[str, ...]]]


def of_view(view: object, base_classes: bool = False) -> list[Piece]:
    """The view without its decorators, and those decorators that the project wrote.

    For a class: ``dispatch``, the handlers, and every method that the project wrote, its own or
    inherited; with ``base_classes`` those of Django and of other packages too.
    """
    pieces = _Pieces()
    found = unwrap(view)
    kinds = {"project", "django", "library"} if base_classes else {"project"}
    pieces.add_all(function for function in found.functions if _kind(function) in kinds)
    if found.functions and not found.classes:
        pieces.add(found.functions[-1], named=True)
    for cls, entries in found.classes:
        pieces.add_view_class(cls, entries, kinds)
    return pieces.found()


def of_object(target: object) -> list[Piece]:
    """Everything that runs by that name: a function, a method, a property, a class, a module."""
    if isinstance(target, CodeType):
        return of_code(target)
    pieces = _Pieces()
    if isinstance(target, ModuleType):
        pieces.add_module(target)
    elif isinstance(target, type):
        for value in vars(target).values():
            pieces.add_all(_functions(value))
        pieces.add_methods(target, {"project"})
    elif isinstance(target, property):
        for function in unwrap(target).functions:
            pieces.add(function, named=True)
    else:
        return of_view(target)
    return pieces.found()


def of_code(code: CodeType) -> list[Piece]:
    pieces = _Pieces()
    pieces.add_code(code, None, named=True)
    return pieces.found()


class _Pieces:
    def __init__(self) -> None:
        self._by_id: dict[int, Piece] = {}

    def found(self) -> list[Piece]:
        return list(self._by_id.values())

    def add(self, function: FunctionType, *, named: bool = False) -> None:
        self.add_code(function.__code__, function, named=named)

    def add_all(self, functions: Iterable[FunctionType]) -> None:
        for function in functions:
            # What dataclasses and the like generate has no lines to show.
            if not function.__code__.co_filename.startswith("<"):
                self.add(function)

    def add_code(self, code: CodeType, function: FunctionType | None, *, named: bool) -> None:
        known = self._by_id.get(id(code))
        if len(self._by_id) >= MAX_PIECES:
            return
        if known is None or (named and not known.named):
            self._by_id[id(code)] = Piece(code, function, named)
        if known is None:
            for constant in code.co_consts:
                if isinstance(constant, CodeType):
                    self.add_code(constant, None, named=False)

    def add_view_class(self, cls: type, entries: Iterable[str], kinds: set[str]) -> None:
        for name in entries:
            self.add_all(_functions(inspect.getattr_static(cls, name, None)))
        self.add_methods(cls, kinds)

    def add_methods(self, cls: type, kinds: set[str]) -> None:
        for owner in cls.__mro__:
            for value in vars(owner).values():
                functions = _functions(value)
                self.add_all(function for function in functions if _kind(function) in kinds)

    def add_module(self, module: ModuleType) -> None:
        """What is written in its file."""
        for value in list(vars(module).values()):
            own = isinstance(value, type) and value.__module__ == module.__name__
            for attribute in list(vars(value).values()) if own else [value]:
                self.add_all(
                    function
                    for function in _functions(attribute)
                    if function.__code__.co_filename == getattr(module, "__file__", None)
                )


def unwrap(view: object) -> Unwrapped:
    """Through decorators, partials, bound methods and closures, to functions and classes."""
    found = Unwrapped([], [])
    _unwrap(view, found, [])
    return found


def _unwrap(wrapper: object, found: Unwrapped, seen: list[object]) -> None:
    if len(seen) >= _MAX_DEPTH or any(wrapper is known for known in seen):
        return
    seen.append(wrapper)
    for inner in _inside(wrapper, found):
        _unwrap(inner, found, seen)


def _inside(wrapper: object, found: Unwrapped) -> Iterator[object]:
    """What this wraps; notes it where it is a function or a class itself."""
    if isinstance(wrapper, FunctionType):
        found.functions.append(wrapper)
        yield from _inside_function(wrapper, found)
    elif isinstance(wrapper, MethodType):
        owner = wrapper.__self__
        cls = owner if isinstance(owner, type) else type(owner)
        found.classes.append((cls, (getattr(wrapper.__func__, "__name__", ""),)))
        yield wrapper.__func__
    elif isinstance(wrapper, _METHOD):
        yield wrapper.__func__
    elif isinstance(wrapper, (*_PARTIAL, *_CACHED)):
        yield wrapper.func
    elif isinstance(wrapper, property):
        yield from (part for part in (wrapper.fget, wrapper.fset, wrapper.fdel) if part)
    elif isinstance(wrapper, type):
        found.classes.append((wrapper, _handlers(wrapper)))
    elif callable(wrapper):
        yield from _inside_instance(wrapper, found)


def _inside_function(function: FunctionType, found: Unwrapped) -> Iterator[object]:
    attributes = vars(function)
    # View.as_view() leaves view_class, Django REST framework cls and actions; whoever wraps those
    # copies them. And as_view() copies what a decorator left on dispatch.
    classes = [attributes.get(name) for name in ("view_class", "cls")]
    for cls in classes:
        if isinstance(cls, type) and all(cls is not known for known, _entries in found.classes):
            actions = attributes.get("actions")
            named = tuple(actions.values()) if isinstance(actions, dict) else ()
            found.classes.append((cls, (*_handlers(cls), *named)))
    if "__wrapped__" in attributes:
        yield attributes["__wrapped__"]
    if "__wrapped__" in attributes or any(isinstance(cls, type) for cls in classes):
        return
    for cell in function.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        if isinstance(content, _WRAPPERS):
            yield content


def _inside_instance(instance: object, found: Unwrapped) -> Iterator[object]:
    attributes = getattr(instance, "__dict__", {})
    if "__wrapped__" in attributes:
        yield attributes["__wrapped__"]
    else:
        yield from (value for value in attributes.values() if isinstance(value, _WRAPPERS))
    call: Any = inspect.getattr_static(type(instance), "__call__", None)
    if isinstance(call, FunctionType) and _kind(call) != "stdlib":
        found.classes.append((type(instance), ("__call__",)))


def _handlers(cls: type) -> tuple[str, ...]:
    names = inspect.getattr_static(cls, "http_method_names", ())
    return "dispatch", *(name for name in names if isinstance(name, str))


def _functions(value: object) -> list[FunctionType]:
    """The functions behind an attribute of a class or a module; none for plain values."""
    if isinstance(value, _WRAPPERS) or "__wrapped__" in getattr(value, "__dict__", {}):
        found = unwrap(value)
        if isinstance(value, property):
            return found.functions
        last = found.functions[-1:]
        return [f for f in found.functions if f in last or _kind(f) == "project"]
    return []


def _kind(function: FunctionType) -> str:
    return locate(function.__code__.co_filename).kind
