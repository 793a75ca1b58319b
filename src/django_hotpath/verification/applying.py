"""Applies a fix at its origin while a request is replayed, in the context of the replay only.

What a queryset of the target fetches is completed by ``prefetch_related_objects`` at once, which
stands for ``select_related`` too; other fixes alter the queryset before it runs.
"""

from __future__ import annotations

import functools
import linecache
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from types import CodeType
from typing import Any

from asgiref.sync import sync_to_async
from django.db import models
from django.db.models import Model, QuerySet, prefetch_related_objects
from django.db.models.query import RawQuerySet

from django_hotpath.analysis.source import span
from django_hotpath.callsite import locate
from django_hotpath.instruments.base import active_instrument
from django_hotpath.instruments.orm_made import made_at
from django_hotpath.instruments.patching import SharedPatch, Stay, Wrap
from django_hotpath.instruments.queries import Queries
from django_hotpath.verification import altering
from django_hotpath.verification.target import ALTERS, FETCHES, Place, Target

_CHUNK = 2000


class Application:
    """A fix at work.

    ``applied`` counts the times that rows of the target were fetched, ``own`` the queries that it
    took to complete them.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.applied = 0
        self.own = 0
        # A code object takes long to hash; kept, its id stays its own.
        self._known: dict[tuple[int, int], tuple[CodeType, bool]] = {}

    @property
    def joins(self) -> bool:
        """Whether the fix itself is a join, for which this stands."""
        return self.target.kind in {"select_related", "list_select_related"}

    def concerns(self, queryset: Any) -> bool:
        made = made_at(queryset)
        if made is None:
            return queryset.model._meta.label in self.target.models
        if isinstance(made, type):
            return any(_is_of(place, made) for place in self.target.places)
        code, offset = made
        known = self._known.get((id(code), offset))
        if known is None:
            stands = any(_stands_at(place, code, offset) for place in self.target.places)
            known = self._known[id(code), offset] = (code, stands)
        return known[1]

    def before(self, queryset: Any) -> None:
        """The queryset is about to run."""
        kind = self.target.kind
        if kind == "fetch_peers":
            queryset._fetch_mode = models.FETCH_PEERS
        elif kind in ALTERS and isinstance(queryset, QuerySet):
            altering.apply(self.target, queryset)

    def after(self, rows: list[Any]) -> None:
        """The rows are there, and nobody has seen them yet."""
        if not rows:
            return
        if self.target.kind in FETCHES or self.target.kind == "replace_eager_load":
            if not isinstance(rows[0], Model):
                return
            # Querysets of the prefetch may come through the same line: a manager's, say.
            token = _application.set(None)
            before = _queries_so_far()
            try:
                prefetch_related_objects(rows, *self.target.paths)
            finally:
                self.own += _queries_so_far() - before
                _application.reset(token)
        self.applied += 1

    def in_chunks(self, rows: Iterator[Any], size: int) -> Iterator[Any]:
        while chunk := list(islice(rows, size)):
            self.after(chunk)
            yield from chunk

    async def in_async_chunks(self, rows: AsyncIterator[Any], size: int) -> AsyncIterator[Any]:
        chunk: list[Any] = []
        async for row in rows:
            chunk.append(row)
            if len(chunk) == size:
                await sync_to_async(self.after)(chunk)
                for found in chunk:
                    yield found
                chunk = []
        await sync_to_async(self.after)(chunk)
        for found in chunk:
            yield found


def _queries_so_far() -> int:
    instrument = active_instrument("queries")
    return instrument.count if isinstance(instrument, Queries) else 0


_application: ContextVar[Application | None] = ContextVar("hotpath_application", default=None)


@contextmanager
def ready() -> Iterator[None]:
    """Querysets can be reached within this block; runs with and without a fix belong into one."""
    _patch.acquire()
    try:
        yield
    finally:
        _patch.release()


@contextmanager
def applied(target: Target | None) -> Iterator[Application | None]:
    """With a target its fix is applied to what runs in this context; only while ``ready``."""
    application = None if target is None else Application(target)
    token = _application.set(application)
    try:
        yield application
    finally:
        _application.reset(token)


def _concerned(queryset: Any, stay: Stay) -> Application | None:
    """The fix that this queryset, which is about to run, is to get."""
    application = _application.get()
    if application is None or stay.over or not application.concerns(queryset):
        return None
    application.before(queryset)
    return application


def _wrap_fetch_all(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    @functools.wraps(original)
    def _fetch_all(self: Any) -> None:
        application = None if self._result_cache is not None else _concerned(self, stay)
        original(self)
        if application is not None:
            application.after(self._result_cache)

    return _fetch_all


def _wrap_iterator(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    @functools.wraps(original)
    def _iterator(self: Any, use_chunked_fetch: bool, chunk_size: int | None) -> Iterator[Any]:
        application = _concerned(self, stay)
        rows: Iterator[Any] = original(self, use_chunked_fetch, chunk_size)
        return rows if application is None else application.in_chunks(rows, chunk_size or _CHUNK)

    return _iterator


def _wrap_aiterator(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    @functools.wraps(original)
    def aiterator(self: Any, chunk_size: int = _CHUNK) -> AsyncIterator[Any]:
        application = _concerned(self, stay)
        rows: AsyncIterator[Any] = original(self, chunk_size)
        return rows if application is None else application.in_async_chunks(rows, chunk_size)

    return aiterator


def _targets() -> list[tuple[type, str, Wrap]]:
    return [
        (QuerySet, "_fetch_all", _wrap_fetch_all),
        (QuerySet, "_iterator", _wrap_iterator),
        (QuerySet, "aiterator", _wrap_aiterator),
        (RawQuerySet, "_fetch_all", _wrap_fetch_all),
    ]


_patch = SharedPatch(_targets)


def _stands_at(place: Place, code: CodeType, offset: int) -> bool:
    if code.co_qualname != place.function or locate(code.co_filename).file != place.file:
        return False
    found = span(code, offset)
    if found is None or not place.line <= found.line <= (place.end_line or place.line):
        return False
    if place.end_column is None:
        return True
    # Where it begins Python versions do not agree; no two steps of an expression end in one place.
    end_column = _characters(code, found.end_line, found.end_column)
    return (found.end_line, end_column) == (place.end_line, place.end_column)


def _is_of(place: Place, cls: type) -> bool:
    """Whether library code made the queryset for this class, or one that inherits from it."""
    for base in cls.__mro__:
        file = getattr(sys.modules.get(base.__module__), "__file__", None)
        if base.__qualname__ == place.function and file and locate(file).file == place.file:
            return True
    return False


def _characters(code: CodeType, line: int, column: int) -> int:
    """Python counts bytes."""
    text = linecache.getline(code.co_filename, line)
    return len(text.encode()[:column].decode(errors="replace"))
