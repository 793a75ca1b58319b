"""One plan tree for all databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

# What a node does, whatever the database calls it.
FULL_SCAN = "full_scan"
INDEX_SCAN = "index_scan"
INDEX_SEARCH = "index_search"
SORT = "sort"
TEMPORARY = "temporary"
OTHER = "other"

READS = frozenset({FULL_SCAN, INDEX_SCAN, INDEX_SEARCH})


class PlanError(ValueError):
    """The output is not a plan that can be read here; the text says what is in it."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One step of a plan; its inputs are its ``children``.

    ``operation`` is the database's own name for it, ``kind`` ours. ``table`` is the name of a
    table, or of its alias where the database tells nothing else. Figures are those of one loop;
    None means that the database does not tell. ``rows`` is estimated, ``rows_actual`` counted (by
    ANALYZE only), ``discarded`` are the rows that were read and then thrown away by ``filter``.
    ``kept`` is the share of the rows read that the database expects to keep (0 to 1). ``raw`` is
    what it said itself, without the children.
    """

    operation: str
    kind: str = OTHER
    table: str | None = None
    alias: str | None = None
    index: str | None = None
    covering: bool = False
    """The index holds all that is read: the table itself is not visited."""
    rows: float | None = None
    rows_actual: float | None = None
    discarded: float | None = None
    kept: float | None = None
    loops: float | None = None
    ms: float | None = None
    cost: float | None = None
    filter: str | None = None
    on_disk: bool = False
    children: tuple[Node, ...] = ()
    raw: Any = None

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def to_dict(self) -> dict[str, Any]:
        """Without keys that say nothing."""
        return _compact(asdict(self))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        values = dict(data)
        values["children"] = tuple(cls.from_dict(child) for child in values.get("children", ()))
        return cls(**values)


def _compact(data: dict[str, Any]) -> dict[str, Any]:
    found = {
        key: value
        for key, value in data.items()
        if value is not None and value is not False and value != ()
    }
    if "children" in found:
        found["children"] = [_compact(child) for child in found["children"]]
    return found
