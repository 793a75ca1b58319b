"""A loop of lazy reads: what a fix needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django_hotpath.analysis.classcode import class_line
from django_hotpath.analysis.findings.base import Query, queries_of
from django_hotpath.analysis.orm import Entry, orm_of, site_of_place, table_of
from django_hotpath.analysis.sourcecode import Place, Source, project_source
from django_hotpath.capture import CallSite, Capture

SINGLE = frozenset(["foreign_key", "one_to_one", "reverse_one_to_one", "generic_foreign_key"])
# What a prefetched relation answers without a query.
_FROM_PREFETCHED = frozenset(
    ["iterate", "get", "len", "bool", "index", "contains", "count", "exists"]
)


@dataclass(frozen=True)
class Loop:
    """``queries`` are of one entry, read from rows of the queries of ``root_entry``."""

    capture: Capture
    queries: Sequence[Query]
    root_entry: Entry
    roots: Sequence[Query]

    @cached_property
    def entry(self) -> Entry:
        return orm_of(self.capture, self.queries[0])

    @property
    def path(self) -> str:
        return str(self.entry.get("path") or self.entry.get("accessor") or "")

    @cached_property
    def origin(self) -> CallSite | None:
        """The line that made the queryset; where library code made it, the one that ran it."""
        made = site_of_place(self.root_entry.get("made"))
        if made is not None:
            return made
        owner = self.root_entry.get("class")
        if owner is not None:
            return CallSite(file=owner["file"], line=class_line(owner), function=owner["name"])
        site = self.roots[0].get("call_site") if self.roots else None
        return CallSite(**site) if site else None

    @property
    def from_one_row(self) -> bool:
        """Whether the instances are one and the same: then eager loading is no cure."""
        rows = [root.get("rows") for root in self.roots]
        return len(rows) == 1 and rows[0] == 1

    def reads(self, path: str) -> list[Query]:
        """Every lazy read on the way along the path, from the same rows."""
        steps = prefixes(path)
        table = table_of(self.capture)
        roots = {root["index"] for root in self.roots}
        found = []
        for query in queries_of(self.capture):
            if query.get("of") not in roots:
                continue
            entry = orm_of(table, query)
            if entry.get("path") not in steps:
                continue
            # A manager's own conditions make its querysets look narrowed.
            if entry.get("narrowed") and entry is not self.entry:
                continue
            if entry.get("method") in _FROM_PREFETCHED and not query.get("error"):
                found.append(query)
        return found

    def kinds_along(self, path: str) -> list[str | None]:
        """What kind of relation each step is; None where the capture does not tell."""
        known: dict[str, str] = {}
        table = table_of(self.capture)
        roots = {root["index"] for root in self.roots}
        for query in queries_of(self.capture):
            entry = orm_of(table, query)
            if query.get("of") in roots and "path" in entry:
                known.setdefault(entry["path"], entry["relation_kind"])
        return [known.get(step) for step in prefixes(path)]


def prefixes(path: str) -> list[str]:
    """ "a__b__c": "a", "a__b", "a__b__c"."""
    steps = path.split("__")
    return ["__".join(steps[: number + 1]) for number in range(len(steps))]


def place_of(site: Mapping[str, Any]) -> Place:
    return Place(site["line"], site["column"], site["end_line"], site["end_column"])


def source_at(site: Mapping[str, Any] | None) -> Source | None:
    """The file of a place, if the place still holds what ran."""
    if not site or site.get("masked"):
        # What is secret does not go into a fix.
        return None
    source = project_source(site["file"])
    try:
        fits = source is not None and source.between(place_of(site)) == site["text"]
    except IndexError:
        return None
    return source if fits else None
