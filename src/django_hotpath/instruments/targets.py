"""The text after ``lines:``: which code it asks for.

Words joined by ``+`` (or a space, which is what ``+`` means in a URL): ``view``, ``django`` and
dotted paths. Nothing is imported and no attribute is computed for them: a path leads through what
the application has loaded already, so that asking costs nothing and starts nothing.
"""

from __future__ import annotations

import inspect
import re
import sys
from contextlib import suppress
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

from django.urls import get_resolver

from django_hotpath.conf import nearest
from django_hotpath.instruments import target_code
from django_hotpath.instruments.target_code import Piece

VIEW = "view"
BASE_CLASSES = "django"

_MISSING = object()


class TargetError(ValueError):
    """The text names nothing that can be measured; the message says what is wrong."""


class Wanted(NamedTuple):
    """``view``: the view, or the function that a ``profile()`` is about; ``pieces``: the rest."""

    view: bool
    base_classes: bool
    pieces: tuple[Piece, ...]


def read(text: str | None) -> Wanted:
    """Raises ``TargetError``."""
    words = [word for word in re.split(r"[+\s]+", text or VIEW) if word]
    if not words:
        raise TargetError("the target is empty: write view, or the dotted path of a function")
    found: dict[int, Piece] = {}
    for word in words:
        if word not in {VIEW, BASE_CLASSES}:
            for piece in _pieces(word):
                found.setdefault(id(piece.code), piece)
    return Wanted(
        view=bool({VIEW, BASE_CLASSES} & set(words)),
        base_classes=BASE_CLASSES in words,
        pieces=tuple(found.values()),
    )


def problem(text: str) -> str | None:
    """What is wrong with the text; None when it can be measured."""
    try:
        read(text)
    except TargetError as error:
        return str(error)
    return None


def of_subject(subject: object, base_classes: bool = False) -> list[Piece]:
    """The code of a view, or of what a ``profile()`` is about: a function or a code object."""
    if isinstance(subject, CodeType):
        return target_code.of_code(subject)
    return target_code.of_view(subject, base_classes)


def _pieces(path: str) -> list[Piece]:
    target = look_up(path)
    pieces = target_code.of_object(target)
    if pieces:
        return pieces
    if callable(target) or isinstance(target, (type, ModuleType)):
        raise TargetError(f"{path} holds no Python code (functions written in C have no lines)")
    raise TargetError(
        f"{path} is of type {type(target).__name__}: a function, a method, a class or a module "
        "can be measured"
    )


def look_up(path: str) -> Any:
    """The object at a dotted path, by static lookups alone. Raises ``TargetError``."""
    try:
        return _follow(path)
    except TargetError:
        # The views are loaded with the URLs, which the first request may find unloaded.
        with suppress(Exception):
            _ = get_resolver().url_patterns
        return _follow(path)


def _follow(path: str) -> Any:
    parts = path.split(".")
    found, depth = _loaded_module(parts)
    if found is None:
        raise TargetError(_no_module(path, parts[0]))
    for index in range(depth, len(parts)):
        name = parts[index]
        inner = found if name == "<locals>" else _attribute(found, name)
        if inner is _MISSING:
            raise TargetError(_no_attribute(found, ".".join(parts[:index]), name))
        found = inner
    return found


def _loaded_module(parts: list[str]) -> tuple[Any, int]:
    for depth in range(len(parts), 0, -1):
        module = sys.modules.get(".".join(parts[:depth]))
        if isinstance(module, ModuleType):
            return module, depth
    return None, 0


def _attribute(owner: Any, name: str) -> Any:
    if isinstance(owner, ModuleType):
        return vars(owner).get(name, _MISSING)
    found = inspect.getattr_static(owner, name, _MISSING)
    if found is _MISSING:
        return _nested_code(owner).get(name, _MISSING)
    return found


def _nested_code(owner: Any) -> dict[str, CodeType]:
    """Functions inside a function, by name."""
    code = owner.__code__ if isinstance(owner, FunctionType) else owner
    if not isinstance(code, CodeType):
        return {}
    return {inner.co_name: inner for inner in code.co_consts if isinstance(inner, CodeType)}


def _no_module(path: str, first: str) -> str:
    loaded = {name.partition(".")[0] for name in list(sys.modules)}
    near = nearest(first, sorted(loaded))
    hint = f", did you mean {near}?" if near and near != first else ""
    return (
        f"{path}: the application has loaded no module {first}{hint}. Only code that is loaded can "
        "be measured, nothing is imported for it"
    )


def _no_attribute(owner: Any, path: str, name: str) -> str:
    near = nearest(name, _names(owner, path))
    if near:
        return f"{path}.{name}: there is no {name} in {path}, did you mean {near}?"
    loaded = " (modules count once they are loaded)" if isinstance(owner, ModuleType) else ""
    return f"{path}.{name}: there is no {name} in {path}{loaded}"


def _names(owner: Any, path: str) -> list[str]:
    if isinstance(owner, ModuleType):
        inside = [
            name.removeprefix(f"{path}.").partition(".")[0]
            for name in list(sys.modules)
            if name.startswith(f"{path}.")
        ]
        return sorted({*vars(owner), *inside})
    classes = owner.__mro__ if isinstance(owner, type) else type(owner).__mro__
    return sorted({name for cls in classes for name in vars(cls)} | set(_nested_code(owner)))
