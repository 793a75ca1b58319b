"""The attribution of a capture's queries as plain data: the table of entries, roots and paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django_hotpath.instruments.orm import Seen
from django_hotpath.instruments.orm_entry import finish

# A relation of many steps is a circle.
_MAX_STEPS = 20
# Methods that read a relation as it is, so that eager loading can take their place.
_WHOLE = frozenset(["iterate", "get", "len", "bool", "index", "contains"])


class OrmResult:
    """``entry_of`` and ``root_of`` give for each query the number of its entry and its root."""

    def __init__(self, entries: Sequence[dict[str, Any]], seen: Sequence[Seen | None]) -> None:
        self._entries = entries
        self._seen = seen
        self._places: dict[Any, dict[str, Any] | None] = {}
        self._numbers: dict[tuple[int, str | None], int] = {}
        self._roots: dict[int, tuple[int | None, str | None]] = {}
        self.table: list[dict[str, Any]] = []

    def of(self, index: int) -> dict[str, int]:
        """The keys ``orm`` and ``of`` of a query."""
        seen = self._seen[index]
        if seen is None:
            return {}
        root, path = self._root(index)
        found = {"orm": self._number(seen[0], path)}
        if root is not None:
            found["of"] = root
        return found

    def _root(self, index: int, steps: int = 0) -> tuple[int | None, str | None]:
        """The query at the top of the path, and the lookups from its rows to this query's."""
        known = self._roots.get(index)
        if known is None:
            known = self._roots[index] = self._find_root(index, steps)
        return known

    def _find_root(self, index: int, steps: int) -> tuple[int | None, str | None]:
        seen = self._seen[index]
        if seen is None or seen[1] is None or steps > _MAX_STEPS:
            return None, None
        number, parent, below = seen
        assert parent is not None
        entry = self._entries[number]
        own = entry.get("prefetch_to") or entry.get("accessor")
        if own is None:
            return None, None
        path = f"{below}__{own}" if below and "prefetch_to" not in entry else own
        above = self._seen[parent]
        if above is None or not _is_whole(self._entries[above[0]]):
            return parent, path
        root, before = self._root(parent, steps + 1)
        if root is None or before is None:
            return parent, path
        return root, f"{before}__{path}"

    def _number(self, entry: int, path: str | None) -> int:
        number = self._numbers.get((entry, path))
        if number is None:
            plain = self._plain(self._entries[entry], path)
            # The same expression may have been met at several offsets of its code.
            if plain not in self.table:
                self.table.append(plain)
            number = self._numbers[entry, path] = self.table.index(plain)
        return number

    def _plain(self, entry: dict[str, Any], path: str | None) -> dict[str, Any]:
        plain = {name: value for name, value in entry.items() if name not in ("made", "read")}
        for name in ("made", "read"):
            place = self._place(entry.get(name))
            if place is not None:
                plain[name] = place
        if path is not None and "relation" in entry:
            plain["path"] = path
        return plain

    def _place(self, place: dict[str, Any] | None) -> dict[str, Any] | None:
        if place is None:
            return None
        key = (place["path"], place["span"])
        if key not in self._places:
            self._places[key] = finish(place)
        return self._places[key]


def _is_whole(entry: dict[str, Any]) -> bool:
    """Whether eager loading can go through this query: a relation read as it is, or a prefetch."""
    if "prefetch_to" in entry:
        return True
    return "accessor" in entry and not entry.get("narrowed") and entry["method"] in _WHOLE
