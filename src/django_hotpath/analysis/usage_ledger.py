"""What was made of the rows of each line, over one capture or the last ones of a route.

What one capture did not read may be read under other conditions: only over several can a line be
accused. A line that is not in a capture says nothing in it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django_hotpath.analysis.orm import Entry, orm_of, site_of_place
from django_hotpath.capture import CallSite, Capture

MAX_CAPTURES = 10
# So many captures that have the line, to say more than "in this capture".
ENOUGH = 3

Fetched = Mapping[str, Any]


@dataclass(kw_only=True)
class Columns:
    """The columns of rows of one model, with their bytes in the newest capture."""

    model: str
    names: tuple[str, ...]
    keys: frozenset[str]
    bytes: dict[str, int]
    read: set[str]
    """In any capture. Columns whose reads cannot be seen count as read."""

    def unread(self) -> list[str]:
        """Most bytes first; keys are never among them."""
        found = [name for name in self.names if name not in self.keys | self.read]
        return sorted(found, key=lambda name: -self.bytes.get(name, 0))

    def add(self, other: Columns, *, newer: bool) -> None:
        """``newer``: of the same capture, so that its bytes count."""
        self.read |= other.read
        self.keys |= other.keys
        if newer:
            self.names = tuple(dict.fromkeys((*self.names, *other.names)))
            for name, size in other.bytes.items():
                self.bytes[name] = self.bytes.get(name, 0) + size


@dataclass(kw_only=True)
class Loaded:
    """A relation that was loaded ahead; figures of the newest capture, ``read`` of all."""

    lookup: str
    how: str
    relation: str
    seen: bool
    """Whether a read would have been seen."""
    read: int
    of_rows: int
    instances: int
    distinct: int
    columns: Columns | None
    queries: tuple[int, ...]

    def add(self, other: Loaded, *, newer: bool) -> None:
        self.read += other.read
        self.seen = self.seen and other.seen
        if newer:
            self.of_rows += other.of_rows
            self.instances += other.instances
            self.distinct = max(self.distinct, other.distinct)
            self.queries = tuple(sorted({*self.queries, *other.queries}))
        if self.columns is not None and other.columns is not None:
            self.columns.add(other.columns, newer=newer)


@dataclass(kw_only=True)
class Use:
    """One line's rows. ``captures`` have it; other figures are the newest one's.

    ``touched``: rows of which anything was read; ``touched_share`` its greatest share in any
    capture. ``exact``: all rows were followed. ``dicts``: the code may read rows unseen.
    """

    key: Hashable
    captures: int
    runs: int
    rows: int
    followed: int
    touched: int
    touched_share: float
    first: int | None
    last: int | None
    exact: bool
    dicts: bool
    raw: bool
    inner: str | None
    """The lookup of a prefetch that brought them; None for a queryset of its own."""
    outer: Hashable
    columns: Columns
    loaded: dict[str, Loaded]
    queries: tuple[int, ...]
    entry: Entry
    call_site: CallSite | None
    of: Use | None = field(default=None, repr=False)

    @cached_property
    def made(self) -> Mapping[str, Any] | None:
        return self.entry.get("made")

    @property
    def site(self) -> CallSite | None:
        """The line of the queryset; that which ran it where library code made it.

        Of rows that a prefetch brought, the queryset that asked for them.
        """
        made = site_of_place(self.made)
        if made is not None:
            return made
        if self.of is not None:
            return self.of.site
        owner = self.entry.get("class")
        if owner is not None:
            return CallSite(file=owner["file"], line=owner["line"], function=owner["name"])
        return self.call_site

    @property
    def lazy(self) -> bool:
        """Whether Django made the queryset, because a relation or a deferred field was read."""
        return "accessor" in self.entry and self.made is None

    @property
    def enough(self) -> bool:
        return self.captures >= ENOUGH

    @property
    def often(self) -> str:
        """For a sentence: in how many captures it was so."""
        if self.enough:
            return f"in each of the last {self.captures} captures of this page that ran the line"
        return "in this capture"

    def add(self, other: Use, *, newer: bool) -> None:
        self.touched_share = max(self.touched_share, other.touched_share)
        self.dicts = self.dicts or other.dicts
        self.exact = self.exact and other.exact
        self.columns.add(other.columns, newer=newer)
        for lookup, loaded in other.loaded.items():
            if lookup in self.loaded:
                self.loaded[lookup].add(loaded, newer=newer)
            elif newer:
                self.loaded[lookup] = loaded
        if newer:
            self.runs += other.runs
            self.rows += other.rows
            self.followed += other.followed
            self.touched += other.touched
            self.first = self.last = None
            self.queries = tuple(sorted({*self.queries, *other.queries}))
        else:
            self.captures += other.captures


def ledger(newest: Capture, earlier: Iterable[Capture] = ()) -> list[Use]:
    """The lines of the newest capture, with what the earlier ones of its route say of them."""
    uses = _of_capture(newest)
    alike = {found.id: found for found in earlier if is_alike(found, newest)}
    for _id, capture in sorted(alike.items(), reverse=True)[: MAX_CAPTURES - 1]:
        for key, other in _of_capture(capture).items():
            if key in uses:
                uses[key].add(other, newer=False)
    return list(uses.values())


def is_alike(found: Capture, newest: Capture) -> bool:
    """Whether it is an earlier run of the same page that says what was read."""
    ours, theirs = newest.request, found.request
    if ours is None or theirs is None or not _recorded(found) or found.id >= newest.id:
        return False
    if (theirs.status or 500) >= 400 or theirs.method != ours.method:
        return False
    return theirs.route == ours.route if ours.route else theirs.path == ours.path


def _recorded(capture: Capture) -> Sequence[Fetched]:
    found = capture.instruments.get("usage")
    return found["querysets"] if found else ()


def _of_capture(capture: Capture) -> dict[Hashable, Use]:
    entries = _recorded(capture)
    orm = [_orm(capture, entry) for entry in entries]
    keys = [_key(number, entries, orm) for number in range(len(entries))]
    uses: dict[Hashable, Use] = {}
    owned: dict[Hashable, list[Loaded]] = defaultdict(list)
    for number, entry in enumerate(entries):
        use = _use(entry, keys[number], orm[number])
        if entry.get("of") and entry["of"]["queryset"] is not None:
            use.outer = keys[entry["of"]["queryset"]]
        for relation in entry["relations"].values():
            owner = relation.get("queryset")
            if owner is not None:
                owned[keys[owner]].append(_loaded(relation, entries))
        if use.key in uses:
            uses[use.key].add(use, newer=True)
        else:
            uses[use.key] = use
    for key, found in owned.items():
        for loaded in found:
            known = uses[key].loaded.get(loaded.lookup)
            if known is None:
                uses[key].loaded[loaded.lookup] = loaded
            else:
                known.add(loaded, newer=True)
    for use in uses.values():
        use.of = uses.get(use.outer)
    return uses


def _orm(capture: Capture, entry: Fetched) -> Entry:
    recorded = capture.instruments.get("queries")
    index = entry.get("query")
    if recorded is None or index is None or index >= len(recorded["queries"]):
        return {}
    return orm_of(capture, recorded["queries"][index])


def _key(number: int, entries: Sequence[Fetched], orm: Sequence[Entry], steps: int = 0) -> Hashable:
    """The same line, told the same, has the same key in every capture."""
    entry, told = entries[number], orm[number]
    parent = entry.get("of")
    if parent is not None and parent["queryset"] is not None and steps < 10:
        above = _key(parent["queryset"], entries, orm, steps + 1)
        return (above, parent["lookup"], entry["model"])
    place = told.get("made") or told.get("class") or entry.get("call_site") or {}
    return (place.get("file"), place.get("line"), place.get("column"), entry["model"])


def _use(entry: Fetched, key: Hashable, orm: Entry) -> Use:
    followed = entry["followed"]
    site = entry.get("call_site")
    return Use(
        key=key,
        captures=1,
        runs=entry["runs"],
        rows=entry["rows"],
        followed=followed,
        touched=entry["touched"],
        touched_share=entry["touched"] / followed if followed else 1.0,
        first=entry.get("first") if entry["runs"] == 1 else None,
        last=entry.get("last") if entry["runs"] == 1 else None,
        exact=followed == entry["rows"],
        dicts=bool(entry.get("dicts")),
        raw=bool(entry.get("raw")),
        inner=entry["of"]["lookup"] if entry.get("of") else None,
        outer=None,
        columns=_columns(entry["model"], entry),
        loaded={},
        queries=tuple(entry.get("queries") or ()),
        entry=orm,
        call_site=CallSite(**site) if site else None,
    )


def _columns(model: str, rows: Fetched) -> Columns:
    return Columns(
        model=model,
        names=tuple(rows["columns"]),
        keys=frozenset(rows["keys"]),
        bytes=dict(rows["bytes"]),
        read={*rows["read"], *rows["unseen"]},
    )


def _loaded(relation: Fetched, entries: Sequence[Fetched]) -> Loaded:
    children = [entries[number] for number in relation.get("querysets", ())]
    rows = relation.get("rows")
    name = relation["of"].rpartition(".")[2]
    return Loaded(
        lookup=relation["lookup"],
        how=relation["how"],
        relation=f"{name}.{relation['accessor']}",
        seen=relation["seen"],
        read=relation["read"],
        of_rows=relation["of_rows"],
        instances=relation["instances"],
        distinct=relation["distinct"],
        columns=_columns(relation["model"], rows) if rows else None,
        queries=tuple(index for child in children for index in child.get("queries") or ()),
    )
