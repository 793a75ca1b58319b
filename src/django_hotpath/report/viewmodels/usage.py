"""What was made of the rows of each queryset: columns, relations, rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.orm import orm_of, site_of_place
from django_hotpath.capture import Capture
from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels.sites import Site, site

LINES = 100


@dataclass(frozen=True, kw_only=True)
class Column:
    """``note`` says why it is not counted as unread although no row's was read."""

    name: str
    read: int
    bytes: int
    unread: bool
    note: str


@dataclass(frozen=True, kw_only=True)
class Relation:
    lookup: str
    how: str
    read: str
    """Of how many rows it was read; words where that cannot be seen."""
    unread: bool
    of_rows: int
    instances: int
    distinct: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class Line:
    """The rows that one line fetched."""

    model: str
    site: Site | None
    inner: str
    """The lookup of the prefetch that brought them."""
    runs: int
    rows: int
    followed: int
    touched: int
    columns: tuple[Column, ...]
    read_columns: int
    relations: tuple[Relation, ...]
    bytes: int
    unread_bytes: int
    """In columns that nothing read, of joined rows too."""
    unread_share: float
    raw: bool
    dicts: bool


@dataclass(frozen=True, kw_only=True)
class UsageView:
    count: int
    rows: int
    bytes: int
    unread_bytes: int
    lines: tuple[Line, ...]
    """Most unread bytes first."""
    hidden: int
    truncated: int
    unfollowed: int
    bound: int


def usage_view(usage: Mapping[str, Any], capture: Capture) -> UsageView:
    lines = sorted(
        (_line(entry, capture) for entry in usage["querysets"]),
        key=lambda line: (-line.unread_bytes, -line.rows),
    )
    return UsageView(
        count=usage["count"],
        rows=usage["rows"],
        bytes=sum(line.bytes for line in lines),
        unread_bytes=sum(line.unread_bytes for line in lines),
        lines=tuple(lines[:LINES]),
        hidden=max(len(lines) - LINES, 0),
        truncated=usage.get("truncated") or 0,
        unfollowed=sum(line.rows - line.followed for line in lines),
        bound=usage.get("bound") or 0,
    )


def _line(entry: Mapping[str, Any], capture: Capture) -> Line:
    columns = tuple(_columns(entry))
    relations = tuple(
        _relation(lookup, relation) for lookup, relation in entry["relations"].items()
    )
    every = [*columns, *(column for relation in relations for column in relation.columns)]
    fetched = sum(column.bytes for column in every)
    dicts = bool(entry.get("dicts"))
    # Where rows may be read unseen, nothing counts as unread.
    unread = 0 if dicts else sum(column.bytes for column in every if column.unread)
    return Line(
        model=str(entry["model"]),
        site=_site(entry, capture),
        inner=str(entry["of"]["lookup"]) if entry.get("of") else "",
        runs=entry["runs"],
        rows=entry["rows"],
        followed=entry["followed"],
        touched=entry["touched"],
        columns=columns,
        read_columns=sum(bool(column.read) for column in columns),
        relations=relations,
        bytes=fetched,
        unread_bytes=unread,
        unread_share=share(unread, fetched),
        raw=bool(entry.get("raw")),
        dicts=dicts,
    )


def _site(entry: Mapping[str, Any], capture: Capture) -> Site | None:
    """The line that made the queryset, else the one that ran it."""
    index = entry.get("query")
    queries = (capture.instruments.get("queries") or {}).get("queries") or ()
    if index is not None and index < len(queries):
        made = site_of_place(orm_of(capture, queries[index]).get("made"))
        if made is not None:
            return site(made)
    return site(entry.get("call_site"))


def _columns(rows: Mapping[str, Any]) -> Iterator[Column]:
    for name in rows["columns"]:
        read = rows["read"].get(name, 0)
        note = "key" if name in rows["keys"] else "not seen" if name in rows["unseen"] else ""
        yield Column(
            name=str(name),
            read=read,
            bytes=rows["bytes"].get(name, 0),
            unread=not read and not note,
            note="" if read else note,
        )


def _relation(lookup: str, relation: Mapping[str, Any]) -> Relation:
    read = relation["read"]
    rows: Mapping[str, Any] | None = relation.get("rows")
    return Relation(
        lookup=str(lookup),
        how=str(relation["how"]),
        read="cannot be seen" if not relation["seen"] and not read else str(read),
        unread=not read and bool(relation["seen"]),
        of_rows=relation["of_rows"],
        instances=relation["instances"],
        distinct=relation["distinct"],
        columns=tuple(_columns(rows)) if rows else (),
    )
