"""The rows that querysets fetched in one capture, and what was read of each of them.

A row belongs to the queryset that made it, by identity: so a read counts in whichever thread it
happens. Rows are held by weak references only.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple
from weakref import ref

from django.db.models import Model

from django_hotpath.instruments.usage_models import key_columns
from django_hotpath.instruments.usage_sizes import value_bytes

# Rows followed at once in one capture, and lines of querysets that are told apart.
MAX_FOLLOWED = 50_000
MAX_FETCHES = 500
# Of larger results every so many rows are sized after the first ones.
_SIZED, _SIZED_EVERY = 50, 16
_MAX_INDEXES = 100


class Followed(ref[Any]):
    """A weak reference to a row: what it is a row of, and a bit for each thing read of it."""

    __slots__ = ("number", "read", "shape", "touched")

    number: int
    read: int
    shape: Shape
    touched: bool


class Eager:
    """A relation that was loaded ahead: by which means, and by which lookup of which queryset.

    ``rows`` are the instances that it was loaded for; ``visible`` whether a read can be seen.
    """

    __slots__ = ("how", "lookup", "owner", "rows", "to_attr", "visible")

    def __init__(self, how: str, lookup: str, owner: Fetch | None) -> None:
        self.how, self.lookup, self.owner = how, lookup, owner
        self.rows = 0
        self.to_attr = ""
        self.visible = True


class Shape:
    """Rows of one model with the same columns, at one place of a queryset."""

    __slots__ = (
        "bits",
        "bytes",
        "columns",
        "eager",
        "fetch",
        "first",
        "followed",
        "keys",
        "last",
        "model",
        "path",
        "pks",
        "read",
        "rows",
        "sized",
        "touched",
    )

    def __init__(self, fetch: Fetch, path: str, instance: Model) -> None:
        self.fetch, self.path, self.model = fetch, path, type(instance)
        self.columns = loaded_columns(instance)
        self.keys = key_columns(self.model)
        self.bits = {name: 1 << position for position, name in enumerate(self.columns)}
        self.bytes = dict.fromkeys(self.columns, 0)
        self.read: dict[str, int] = {}
        self.eager: dict[str, Eager] = {}
        self.rows = self.followed = self.touched = self.sized = 0
        # The first and the last row that anything was read of.
        self.first = self.last = -1
        self.pks: set[Hashable] = set()

    def note(self, row: Followed, name: str, *, touches: bool = True) -> None:
        bit = self.bits.get(name)
        if bit is None:
            bit = self.bits[name] = 1 << len(self.bits)
        if touches and not row.touched:
            row.touched = True
            self.touched += 1
            self.last = max(self.last, row.number)
            if not 0 <= self.first <= row.number:
                self.first = row.number
        if not row.read & bit:
            row.read |= bit
            self.read[name] = self.read.get(name, 0) + 1

    def size(self, instance: Model, weight: int) -> None:
        data = instance.__dict__
        self.sized += weight
        for name in self.columns:
            self.bytes[name] += weight * value_bytes(data.get(name))


class Place(NamedTuple):
    """The call site as captures show it; whether it was raw SQL; what it was prefetched for.

    ``dicts``: the code may read instances in a way that nobody sees. ``keep`` holds what ids in
    the key of the fetch are of.
    """

    call_site: dict[str, Any] | None
    raw: bool
    dicts: bool
    parent: tuple[Shape, Eager] | None
    keep: object


class Fetch:
    """What one line fetched, once or again and again: querysets that were told the same."""

    __slots__ = ("indexes", "number", "place", "runs", "shapes")

    def __init__(self, number: int, place: Place) -> None:
        self.number, self.place = number, place
        self.runs = 0
        self.indexes: list[int] = []
        self.shapes: dict[tuple[str, type], Shape] = {}

    def ran(self, index: int | None) -> None:
        self.runs += 1
        if index is not None and len(self.indexes) < _MAX_INDEXES:
            self.indexes.append(index)

    def shape(self, path: str, instance: Model) -> Shape:
        key = (path, type(instance))
        found = self.shapes.get(key)
        if found is None:
            found = self.shapes[key] = Shape(self, path, instance)
        return found


class Rows:
    """All of one capture."""

    def __init__(self) -> None:
        self.fetches: list[Fetch] = []
        # Runs of querysets that had no room.
        self.dropped = 0
        self.reads = 0
        # Values of columns that rows came with.
        self.stored = 0
        # The threads in which a row is being made: what reads of it there is its own __init__, or
        # a receiver of post_init.
        self.builders: list[int] = []
        self.closed = False
        self._unfinished: dict[int, list[str]] = {}
        self._known: dict[Hashable, Fetch] = {}
        self.followed: dict[int, Followed] = {}
        self._full = False
        self.error: Exception | None = None

    def fetch(self, key: Hashable, place: Place) -> Fetch | None:
        """That of this key, a new one if there is none; None where there is no room."""
        found = self._known.get(key)
        if found is None:
            if len(self.fetches) >= MAX_FETCHES:
                self.dropped += 1
                return None
            found = self._known[key] = Fetch(len(self.fetches), place)
            self.fetches.append(found)
        return found

    def add(self, shape: Shape, instance: Model) -> None:
        """A row has come."""
        number = shape.rows
        shape.rows += 1
        self.stored += len(shape.columns)
        if number < _SIZED:
            shape.size(instance, 1)
        elif number % _SIZED_EVERY == 0:
            shape.size(instance, _SIZED_EVERY)
        early = self._unfinished.pop(id(instance), ()) if self._unfinished else ()
        # Instances that came to nothing.
        self._unfinished.clear()
        if self._full or (len(self.followed) >= MAX_FOLLOWED and not self._make_room()):
            return
        row = Followed(instance)
        row.number, row.read, row.shape, row.touched = number, 0, shape, False
        shape.followed += 1
        self.followed[id(instance)] = row
        for name in early:
            # Without the column it would be fetched then, row by row.
            shape.note(row, name, touches=False)

    def _make_room(self) -> bool:
        self.followed = {key: row for key, row in list(self.followed.items()) if row() is not None}
        # Looking again and again at what lives would cost more each time.
        self._full = len(self.followed) > MAX_FOLLOWED // 2
        return not self._full

    def find(self, instance: Any) -> Followed | None:
        row = self.followed.get(id(instance))
        return row if row is not None and row() is instance else None

    def read_early(self, instance: Any, name: str) -> None:
        self._unfinished.setdefault(id(instance), []).append(name)

    def failed(self, error: Exception) -> None:
        self.error = self.error or error

    def release(self) -> None:
        self.closed = True
        self.followed = {}
        self._known = {}
        self._unfinished = {}


def loaded_columns(instance: Model) -> tuple[str, ...]:
    """The columns that came with it, by the names of their attributes."""
    data: Mapping[str, Any] = instance.__dict__
    fields: Sequence[Any] = instance._meta.concrete_fields
    return tuple(field.attname for field in fields if field.attname in data)
