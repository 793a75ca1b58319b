"""``usage``: which columns, relations and rows of what was fetched the application read."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

from django.db.models import Model

from django_hotpath.callsite import Walk, call_site, walk
from django_hotpath.instruments.base import Instrument, Session, active_instrument, clock
from django_hotpath.instruments.orm_made import Made, made_at
from django_hotpath.instruments.usage_dicts import reads_dicts
from django_hotpath.instruments.usage_eager import Parent, prefetched_for
from django_hotpath.instruments.usage_models import Joined, is_visible_relation, joined
from django_hotpath.instruments.usage_patches import patch_for, unwatch, watch
from django_hotpath.instruments.usage_result import plain
from django_hotpath.instruments.usage_rows import (
    Eager,
    Fetch,
    Place,
    Rows,
    Shape,
    loaded_columns,
)
from django_hotpath.plain import describe_error

# What storing a column through a descriptor takes longer than without: our clock cannot see it.
STORE_NS = 100


class Usage(Instrument):
    name = "usage"
    measures = (
        "What was made of the rows that querysets fetched: which columns and relations of them "
        "were read, how many bytes came for nothing, which rows nobody looked at."
    )
    cost = (
        "40 microseconds for each queryset, 5 for each row and up to 1 for each read of a column: "
        "a page that is mostly rows is 1.3 to 2 times slower. While it runs, a column that other "
        "requests read costs them a fifth of a microsecond more"
    )
    disturbed_by = (
        "A read of instance.__dict__ or vars(instance) is not seen, nor are values(), "
        "values_list() and lists made by Prefetch(to_attr=...). A row that is copied or pickled "
        "counts as read as a whole."
    )

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.rows = Rows()
        self._entered = False

    def start(self) -> None:
        _patch.acquire()
        self._entered = True
        watch(self.rows)

    def stop(self) -> None:
        if not self._entered:
            return
        self._entered = False
        unwatch(self.rows)
        _patch.release()
        self.rows.release()
        if self.rows.error is not None:
            self.warnings.append(f"usage: a row was not seen: {describe_error(self.rows.error)}")

    def result(self) -> dict[str, Any]:
        return plain(self.rows)


class _Following:
    """One run of a queryset, for one capture."""

    def __init__(self, usage: Usage, queryset: Any, frame: Any) -> None:
        self._usage, self.rows, self._queryset = usage, usage.rows, queryset
        self._walk: Walk = walk(frame)
        self._dicts = reads_dicts(self._walk, frame)
        self._parent: Parent | None = prefetched_for(usage.rows, frame)
        self._before = _recorded()
        self._joined: tuple[Joined, ...] = joined(
            queryset.model, getattr(queryset.query, "select_related", None)
        )
        self._fetch: Fetch | None = None
        self._begun = False
        self._shape: Shape | None = None
        self._cls: type | None = None

    def add(self, instance: Any) -> None:
        if self.rows.closed:
            # An iterator that outlives the capture.
            return
        entered = clock()
        try:
            if not self._begun:
                self._begun = True
                self._begin(instance)
            if self._fetch is not None:
                self._take(self._fetch, instance)
        except Exception as error:
            self.rows.failed(error)
        self._usage.overhead_ns += clock() - entered

    def _begin(self, first: Any) -> None:
        index = _index_of(self._before, self._walk)
        told = tuple(path for path, *_ in self._joined)
        key = (
            # Not the offset: that of a loop is another one the first time.
            tuple((id(code), line) for code, line, _offset in self._walk.frames),
            self._walk.template and (id(self._walk.template[0]), self._walk.template[1]),
            _comparable(made_at(self._queryset)),
            self._queryset.model,
            loaded_columns(first),
            told,
            self._parent and (self._parent.shape.fetch.number, self._parent.eager.lookup),
        )
        place = Place(
            call_site(self._walk),
            hasattr(self._queryset, "raw_query"),
            self._dicts,
            self._parent,
            self._walk,
        )
        self._fetch = self.rows.fetch(key, place)
        if self._fetch is not None:
            self._fetch.ran(index)

    def _take(self, fetch: Fetch, instance: Any) -> None:
        before = self.rows.stored
        cls = type(instance)
        if cls is not self._cls or self._shape is None:
            self._cls, self._shape = cls, fetch.shape("", instance)
        self.rows.add(self._shape, instance)
        if self._parent is not None:
            # A many-to-many relation brings one row as often as it is related.
            self._shape.pks.add(_pk(instance))
        if self._joined:
            self._take_joined(fetch, instance)
        self._usage.overhead_ns += (self.rows.stored - before) * STORE_NS

    def _take_joined(self, fetch: Fetch, instance: Any) -> None:
        at: dict[str, Any] = {"": instance}
        for path, parent, accessor, cache_name in self._joined:
            above = at.get(parent)
            if above is None:
                continue
            above_shape = fetch.shape(parent, above)
            eager = above_shape.eager.get(accessor)
            if eager is None:
                eager = above_shape.eager[accessor] = Eager("select_related", path, fetch)
                eager.visible = is_visible_relation(above_shape.model, accessor)
            eager.rows += 1
            cached = above._state.__dict__.get("fields_cache") or {}
            child = cached.get(cache_name)
            if isinstance(child, Model):
                at[path] = child
                shape = fetch.shape(path, child)
                self.rows.add(shape, child)
                shape.pks.add(_pk(child))


def _pk(instance: Model) -> Any:
    value = instance.__dict__.get(instance._meta.pk.attname)
    return value if value.__hash__ is not None else repr(value)


def _comparable(made: Made | None) -> Any:
    """A code object takes long to hash."""
    return (id(made[0]), made[1]) if isinstance(made, tuple) else made


def _recorded() -> int:
    return len(getattr(active_instrument("queries"), "records", ()))


def _index_of(before: int, found: Walk) -> int | None:
    """The query that this run made: the first one since that the same lines led to."""
    records = getattr(active_instrument("queries"), "records", ())
    for index in range(before, len(records)):
        if records[index].walk.frames == found.frames:
            return index
    return None


def _follow(queryset: Any, rows: Iterator[Any]) -> Iterator[Any]:
    usage = active_instrument("usage")
    return _followed(usage, queryset, rows) if isinstance(usage, Usage) else rows


def _followed(usage: Usage | None, queryset: Any, rows: Iterator[Any]) -> Iterator[Any]:
    runs: list[_Following] = []
    while isinstance(usage, Usage):
        entered = clock()
        try:
            runs.append(_Following(usage, queryset, sys._getframe(1)))
        except Exception as error:
            usage.rows.failed(error)
        usage.overhead_ns += clock() - entered
        outer = usage.enclosing()
        usage = outer if isinstance(outer, Usage) else None
    thread = threading.get_ident()
    _begin(runs, thread)
    building = True
    try:
        for instance in rows:
            _end(runs, thread)
            building = False
            for run in runs:
                run.add(instance)
            yield instance
            # Asynchronous iteration may go on in another thread.
            thread = threading.get_ident()
            _begin(runs, thread)
            building = True
    finally:
        if building:
            _end(runs, thread)


def _begin(runs: list[_Following], thread: int) -> None:
    """A row is about to be made."""
    for run in runs:
        run.rows.builders.append(thread)


def _end(runs: list[_Following], thread: int) -> None:
    for run in runs:
        run.rows.builders.remove(thread)


_patch = patch_for(_follow)
