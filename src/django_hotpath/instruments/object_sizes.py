"""How large a model instance is, without running a line of the application's code.

Types are asked for by ``type()``: ``isinstance`` asks an object for its ``__class__``, which makes
a lazy one evaluate itself. Pympler does that, with every object that it meets.
"""

from __future__ import annotations

import datetime
import decimal
import sys
import uuid
from collections.abc import Iterable
from types import FrameType
from typing import Any

from django.db.models import Model
from django.db.models.base import ModelState

from django_hotpath.instruments.object_types import type_name

_MAX_OBJECTS = 10_000

_FLAT = frozenset(
    {
        str,
        bytes,
        bytearray,
        int,
        float,
        complex,
        decimal.Decimal,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
    }
)
# Shared by all of the process.
_FREE = frozenset({bool, type(None), type, type(...)})
_ROWS = frozenset({list, tuple, set, frozenset})


def instance_size(instance: Any) -> int:
    """Bytes of the instance, its fields and their values; not of other instances.

    Text that is shared with others counts each time.
    """
    return _walk(instance, follow_models=False)[0]


def is_plain(instance: Any) -> bool:
    """Whether all it refers to is plain data and other instances of models."""
    return _walk(instance, follow_models=True)[1]


def _walk(instance: Any, *, follow_models: bool) -> tuple[int, bool]:
    """Bytes, and whether nothing was met that could not be looked into."""
    total = 0
    plain = True
    seen: set[int] = set()
    waiting: list[Any] = [instance]
    while waiting:
        found = waiting.pop()
        kind = type(found)
        if kind in _FREE or id(found) in seen:
            continue
        if len(seen) >= _MAX_OBJECTS:
            return total, False
        seen.add(id(found))
        if kind in _FLAT:
            # Python has one object for these.
            if not (kind is int and -6 < found < 257) and found != "":
                total += sys.getsizeof(found)
        elif kind is dict:
            total += sys.getsizeof(found)
            # The keys are names, which every instance shares.
            waiting += found.values()
        elif kind in _ROWS:
            total += sys.getsizeof(found)
            waiting += found
        elif kind is uuid.UUID:
            total += sys.getsizeof(found) + sys.getsizeof(found.int)
        elif kind is ModelState or (
            issubclass(kind, Model) and (found is instance or follow_models)
        ):
            total += _own_size(found, kind)
            plain = plain and not _has_own(kind, _ASKED, until=Model)
            waiting.append(object.__getattribute__(found, "__dict__"))
        else:
            plain = False
    return total, plain


# What Pympler may call on an object.
_ASKED = frozenset(
    {
        "__call__",
        "__class__",
        "__getattr__",
        "__getattribute__",
        "__iter__",
        "__len__",
        "__length_hint__",
        "__sizeof__",
        "__slots__",
        "_fields",
        "items",
        "keys",
        "values",
    }
)


def _has_own(kind: type, names: frozenset[str], until: type = object) -> bool:
    """Whether the class or one above it defines one of these, below ``until`` and object."""
    for cls in type.__dict__["__mro__"].__get__(kind):
        if (
            cls is not until
            and cls is not object
            and names & type.__dict__["__dict__"].__get__(cls).keys()
        ):
            return True
    return False


def _own_size(found: Any, kind: type) -> int:
    """Without a ``__sizeof__`` that the application wrote."""
    return _basic_size(kind) if _written_size(kind) else sys.getsizeof(found)


def _basic_size(kind: type) -> int:
    return int(type.__dict__["__basicsize__"].__get__(kind))


def _written_size(kind: type) -> bool:
    for cls in type.__dict__["__mro__"].__get__(kind):
        own = type.__dict__["__dict__"].__get__(cls).get("__sizeof__")
        if own is not None:
            # C, in a class of Python's own or of an extension.
            return type(own) is not _C_METHOD
    return False


_C_METHOD = type(object.__sizeof__)


def size_by_type(objects: Iterable[Any], sizes: dict[str, int]) -> None:
    """Adds the bytes of each object, without those that it refers to, to those of its type."""
    # Of each type, by id: its name, and its size where it is not to be asked.
    known: dict[int, tuple[str, int | None]] = {}
    kept: list[type] = []
    for found in objects:
        kind = type(found)
        what = known.get(id(kind))
        if what is None:
            kept.append(kind)
            # Asking a frame for its size would make it whole.
            asked = kind is not FrameType and not _written_size(kind)
            what = known[id(kind)] = (type_name(kind), None if asked else _basic_size(kind))
        name, size = what
        sizes[name] = sizes.get(name, 0) + (sys.getsizeof(found) if size is None else size)
