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


class Owner(tuple[int, str]):
    """(index of the query, lookups from its rows to the instance: "" for a row itself)."""

    __slots__ = ()


class Owners:
    def __init__(self) -> None:
        self.truncated = False
        self._held = 0
        self._pending: list[tuple[int, Any]] = []
        self._known: dict[int, tuple[Any, Owner]] = {}
        self._large: list[tuple[int, list[Any], bool]] = []
        self._eager: list[tuple[int, list[Any]]] = []
        self._iterated: list[tuple[int, type]] = []

    def expect(self, index: int, queryset: Any) -> None:
        """This query is about to fetch the rows of this queryset."""
        if len(self._pending) >= _MAX_PENDING:
            del self._pending[0]
        self._pending.append((index, queryset))

    def expect_iterator(self, index: int, model: type) -> None:
        """The rows of ``iterator()`` are in nobody's hands: known by their class alone."""
        self._iterated.append((index, model))

    def settle(self) -> None:
        """Takes note of the rows that have come since, and lets go of their querysets."""
        if not self._pending:
            return
        waiting = []
        for index, queryset in self._pending:
            rows = queryset._result_cache
            if rows is None:
                waiting.append((index, queryset))
            elif rows and isinstance(rows[0], Model):
                self._take(index, rows, bool(getattr(queryset.query, "select_related", False)))
        self._pending = waiting

    def release(self) -> None:
        self._pending = []
        self._known = {}
        self._large = []
        self._eager = []

    def _take(self, index: int, rows: list[Any], eager: bool) -> None:
        if self._held + len(rows) > MAX_INSTANCES:
            self.truncated = True
            return
        self._held += len(rows)
        try:
            refs = list(map(ref, rows))
        except TypeError:
            # A model with __slots__ that cannot be referred to weakly.
            return
        if len(rows) <= _SMALL:
            owner = Owner((index, ""))
            for row, reference in zip(rows, refs, strict=True):
                self._known[id(row)] = (reference, owner)
            if eager:
                self._eager.append((index, refs))
        else:
            self._large.append((index, refs, eager))

    def find(self, instance: Any) -> Owner | None:
        found = self._known.get(id(instance))
        if found is not None and found[0]() is instance:
            return found[1]
        for look in (self._open_large, self._open_eager):
            if look():
                found = self._known.get(id(instance))
                if found is not None and found[0]() is instance:
                    return found[1]
        for index, model in reversed(self._iterated):
            if isinstance(instance, model):
                return Owner((index, ""))
        return None

    def find_by_class(self, model: type) -> Owner | None:
        """The last query that fetched instances of the class, for who has no instance."""
        self._open_large()
        best: Owner | None = None
        for reference, owner in self._known.values():
            if owner[1] == "" and isinstance(reference(), model):
                best = owner if best is None else max(best, owner)
        return best

    def _open_large(self) -> bool:
        opened = bool(self._large)
        for index, refs, eager in self._large:
            owner = Owner((index, ""))
            for reference in refs:
                instance = reference()
                if instance is not None:
                    self._known[id(instance)] = (reference, owner)
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
                            self._known[id(child)] = (ref(child), Owner((index, path)))
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
