"""What is replaced while a capture wants to know which columns and relations are read.

Python looks into an instance's own dict first, and asks Django's descriptor of a column only where
the column was deferred. A descriptor with ``__set__`` is asked always: so it gets one, which
stores as before, and its ``__get__`` sees every read. Reads are noted by whose row it is, in
whichever thread; an instance that no capture follows passes through.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any, Protocol

from django.db.models import Model, query
from django.db.models.query import ModelIterable, RawModelIterable
from django.db.models.query_utils import DeferredAttribute

from django_hotpath.instruments.patching import New, SharedPatch, Stay, Wrap
from django_hotpath.instruments.usage_models import relation_descriptors, relation_name
from django_hotpath.instruments.usage_rows import Rows

# The rows of each capture that is running: replaced as a whole, for it is read in every thread.
_watching: tuple[Rows, ...] = ()
_lock = threading.Lock()

# The keys of prefetched rows are read from within the making of a query.
_DEEP = 16


class _Follows(Protocol):
    def __call__(self, queryset: Any, rows: Iterator[Any]) -> Iterator[Any]: ...


def _codes(*functions: Any) -> frozenset[CodeType]:
    return frozenset(found.__code__ for found in functions)


# Django's own look at a relation, which is no use of it.
PREFETCHES = _codes(query.prefetch_related_objects, query.prefetch_one_level, query.get_prefetcher)
_INTERNAL = PREFETCHES | _codes(
    Model._prepare_related_fields_for_save  # type: ignore[attr-defined]
)


def watch(rows: Rows) -> None:
    global _watching
    with _lock:
        _watching = (*_watching, rows)


def unwatch(rows: Rows) -> None:
    global _watching
    with _lock:
        _watching = tuple(found for found in _watching if found is not rows)


def is_prefetching(frame: FrameType | None, depth: int) -> bool:
    """Whether one of the innermost frames is Django, putting prefetched objects in place."""
    for _ in range(depth):
        if frame is None:
            return False
        if frame.f_code in PREFETCHES:
            return True
        frame = frame.f_back
    return False


def note_column(watching: tuple[Rows, ...], instance: Any, name: str) -> None:
    key = id(instance)
    for rows in watching:
        row = rows.followed.get(key)
        if row is None or row() is not instance:
            if rows.builders and threading.get_ident() in rows.builders:
                rows.read_early(instance, name)
            continue
        rows.reads += 1
        shape = row.shape
        if name in shape.keys and not row.touched and is_prefetching(sys._getframe(2), _DEEP):
            continue
        shape.note(row, name)


def note_relation(descriptor: Any, instance: Any, frame: FrameType) -> None:
    """``frame`` is the one that reads it."""
    if frame.f_code in _INTERNAL:
        return
    for rows in _watching:
        row = rows.find(instance)
        if row is not None:
            rows.reads += 1
            row.shape.note(row, relation_name(descriptor))
        elif rows.builders and threading.get_ident() in rows.builders:
            rows.read_early(instance, relation_name(descriptor))


def note_whole(instance: Any) -> None:
    """It is copied or pickled: whatever becomes of the copy, nobody sees."""
    for rows in _watching:
        row = rows.find(instance)
        if row is not None:
            shape = row.shape
            for name in (*shape.columns, *shape.eager):
                shape.note(row, name)


def _wrap_get(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    def __get__(self: Any, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        data = instance.__dict__
        name = self.field.attname
        if name not in data:
            return original(self, instance, cls)
        if _watching:
            try:
                note_column(_watching, instance, name)
            except Exception as error:
                _failed(error)
        return data[name]

    return __get__


def _wrap_shadowed_get(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    """Of a subclass without ``__set__``, whose ``__get__`` a value in the instance's dict hides."""

    @functools.wraps(original)
    def __get__(self: Any, instance: Any, cls: Any = None) -> Any:
        if instance is not None and self.field.attname in instance.__dict__:
            return DeferredAttribute.__get__(self, instance, cls)
        return original(self, instance, cls)

    return __get__


def _make_set(stay: Stay) -> Callable[..., Any]:
    def __set__(self: Any, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value

    return __set__


def _make_delete(stay: Stay) -> Callable[..., Any]:
    def __delete__(self: Any, instance: Any) -> None:
        if type(self).__set__ is not DeferredAttribute.__dict__.get("__set__"):
            # One that stores in its own way has no way to delete.
            raise AttributeError("__delete__")
        name = self.field.attname
        try:
            del instance.__dict__[name]
        except KeyError:
            # In Python's own words.
            text = f"{type(instance).__name__!r} object has no attribute {name!r}"
            raise AttributeError(text) from None

    return __delete__


def _wrap_relation(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    @functools.wraps(original)
    def __get__(self: Any, instance: Any, cls: Any = None) -> Any:
        if instance is not None and _watching and not stay.over:
            try:
                note_relation(self, instance, sys._getframe(1))
            except Exception as error:
                _failed(error)
        return original(self, instance, cls)

    return __get__


def _wrap_copy(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any) -> Any:
        if _watching:
            try:
                note_whole(self)
            except Exception as error:
                _failed(error)
        return original(self)

    return method


def _failed(error: Exception) -> None:
    for rows in _watching:
        rows.failed(error)


def _wrapping_rows(follow: _Follows) -> Wrap:
    def wrap(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
        @functools.wraps(original)
        def __iter__(self: Any) -> Any:
            rows = original(self)
            return rows if stay.over else follow(self.queryset, rows)

        return __iter__

    return wrap


def patch_for(follow: _Follows) -> SharedPatch:
    """``follow`` hands the rows of a queryset on, having seen them."""

    def targets() -> list[tuple[type, str, Wrap | New]]:
        found: list[tuple[type, str, Wrap | New]] = [
            (cls, "__get__", _wrap_relation) for cls in relation_descriptors()
        ]
        found += [(cls, "__get__", _wrap_shadowed_get) for cls in _shadowed(DeferredAttribute)]
        found += [
            (Model, "__reduce__", _wrap_copy),
            (Model, "__getstate__", _wrap_copy),
            (DeferredAttribute, "__get__", _wrap_get),
            (DeferredAttribute, "__set__", New(_make_set)),
            (DeferredAttribute, "__delete__", New(_make_delete)),
            (ModelIterable, "__iter__", _wrapping_rows(follow)),
            (RawModelIterable, "__iter__", _wrapping_rows(follow)),
        ]
        return found

    return SharedPatch(targets)


def _shadowed(cls: type) -> Iterator[type]:
    found: type
    for found in cls.__subclasses__():
        if hasattr(found, "__set__") or hasattr(found, "__delete__"):
            continue
        if "__get__" in found.__dict__:
            yield found
        yield from _shadowed(found)
