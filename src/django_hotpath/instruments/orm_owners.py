"""Which query fetched an instance that the application reads a relation from.

Instances are followed by weak references. A queryset itself is held only until the next query of
the capture: then its result is known, and nothing lives longer because of us than one result.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import ref

from django.db.models import Model

MAX_INSTANCES = 50_000
_MAX_PENDING = 50
_MAX_DEPTH = 5
# Results this small are looked up at once; larger ones when somebody asks.
_SMALL = 8


# (index of the query, lookups from its rows to the instance: "" for a row itself).
Owner = tuple[int, str]
# A weak reference to the instance, then its owner.
_Known = tuple[Any, int, str]


class Owners:
    def __init__(self) -> None:
        self.truncated = False
        self._held = 0
        self.pending: list[tuple[int, Any]] = []
        self._known: dict[int, _Known] = {}
        self._large: list[tuple[int, list[Any], bool]] = []
        self._eager: list[tuple[int, list[Any]]] = []
        self._iterated: list[tuple[int, type]] = []

    def expect(self, index: int, queryset: Any) -> None:
        """This query is about to fetch the rows of this queryset."""
        if len(self.pending) >= _MAX_PENDING:
            del self.pending[0]
        self.pending.append((index, queryset))

    def expect_iterator(self, index: int, model: type) -> None:
        """The rows of ``iterator()`` are in nobody's hands: known by their class alone."""
        self._iterated.append((index, model))

    def settle(self) -> None:
        """Takes note of the rows that have come since, and lets go of their querysets."""
        pending = self.pending
        if not pending:
            return
        self.pending = []
        for index, queryset in pending:
            rows = queryset._result_cache
            if rows is None:
                self.pending.append((index, queryset))
            elif rows and isinstance(rows[0], Model):
                query = getattr(queryset, "_query", None)
                self._take(index, rows, query is not None and bool(query.select_related))

    def release(self) -> None:
        self.pending = []
        self._known = {}
        self._large = []
        self._eager = []

    def _take(self, index: int, rows: list[Any], eager: bool) -> None:
        self._held += len(rows)
        if self._held > MAX_INSTANCES:
            self._held -= len(rows)
            self.truncated = True
            return
        try:
            if len(rows) > _SMALL:
                self._large.append((index, list(map(ref, rows)), eager))
                return
            for row in rows:
                self._known[id(row)] = (ref(row), index, "")
        except TypeError:
            # A model with __slots__ that cannot be referred to weakly.
            return
        if eager:
            self._eager.append((index, list(map(ref, rows))))

    def find(self, instance: Any) -> Owner | None:
        found = self._known.get(id(instance))
        if found is not None and found[0]() is instance:
            return found[1:]
        for look in (self._open_large, self._open_eager):
            if look():
                found = self._known.get(id(instance))
                if found is not None and found[0]() is instance:
                    return found[1:]
        for index, model in reversed(self._iterated):
            if isinstance(instance, model):
                return (index, "")
        return None

    def find_by_class(self, model: type) -> Owner | None:
        """The last query that fetched instances of the class, for who has no instance."""
        self._open_large()
        best: Owner | None = None
        for reference, index, path in self._known.values():
            if path == "" and isinstance(reference(), model):
                best = (index, path) if best is None else max(best, (index, path))
        return best

    def _open_large(self) -> bool:
        opened = bool(self._large)
        for index, refs, eager in self._large:
            for reference in refs:
                instance = reference()
                if instance is not None:
                    self._known[id(instance)] = (reference, index, "")
            if eager:
                self._eager.append((index, refs))
        self._large = []
        return opened

    def _open_eager(self) -> bool:
        """What ``select_related`` brought along, below the rows."""
        opened = bool(self._eager)
        for index, refs in self._eager:
            for reference in refs:
                instance = reference()
                if instance is not None:
                    for child, path in _children(instance, "", _MAX_DEPTH):
                        known = self._known.get(id(child))
                        if known is None or known[0]() is not child:
                            self._known[id(child)] = (ref(child), index, path)
        self._eager = []
        return opened


def _children(instance: Any, prefix: str, depth: int) -> Iterator[tuple[Any, str]]:
    if not depth:
        return
    cached = instance._state.__dict__.get("fields_cache") or {}
    for name, child in list(cached.items()):
        if isinstance(child, Model):
            path = f"{prefix}{name}"
            yield child, path
            yield from _children(child, f"{path}__", depth - 1)
