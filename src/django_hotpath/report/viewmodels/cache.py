"""Operations of caches: by call site, by key, and in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels.querycolumns import numbered
from django_hotpath.report.viewmodels.querydata import packed_site
from django_hotpath.report.viewmodels.sites import Site, site

ROWS = 20
KEYS = 200
KEYS_OF_ROW = 5


@dataclass(frozen=True, kw_only=True)
class CacheGroup:
    """Operations of one sort from one line."""

    operation: str
    alias: str
    backend: str
    site: Site | None
    count: int
    total_ms: float
    hits: int
    misses: int
    keys: tuple[str, ...]
    """The first few."""
    more_keys: int
    errors: int

    @property
    def hit_share(self) -> float | None:
        """Of the keys that were read, from 0 to 1; None where none was."""
        return self.hits / (self.hits + self.misses) if self.hits + self.misses else None


@dataclass(frozen=True, kw_only=True)
class CacheKey:
    """What was done with a key. Of an operation on several keys, of which some were there and some
    were not, it is not known which: those are ``unknown``."""

    key: str
    alias: str
    count: int
    hits: int
    misses: int
    unknown: int
    writes: int
    total_ms: float
    """Of operations on several keys, its part."""


@dataclass(frozen=True, kw_only=True)
class CacheView:
    count: int
    total_ms: float
    hits: int
    misses: int
    hit_share: float | None
    truncated: int
    groups: tuple[CacheGroup, ...]
    keys: tuple[CacheKey, ...]
    """The dearest, those that missed first."""
    key_count: int
    rows: Sequence[Mapping[str, Any]]
    """The first 20 in order, with ``site``, ``start_share`` and ``duration_share``."""
    row_count: int
    data: dict[str, Any]
    """What ``cachetab.js`` reads: all operations in order, as columns."""


def cache_view(cache: Mapping[str, Any], wall_ms: float = 0.0) -> CacheView:
    """The shares of ``rows`` are of ``wall_ms``, or of the time until the last one ended."""
    operations = cache.get("operations") or []
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for operation in operations:
        place = operation.get("call_site") or {}
        key = (operation["operation"], operation.get("alias"), place.get("file"), place.get("line"))
        groups.setdefault(key, []).append(operation)
    found = sorted((_group(rows) for rows in groups.values()), key=lambda g: -g.total_ms)
    hits, misses = cache.get("hits") or 0, cache.get("misses") or 0
    keys = _keys(operations)
    span = max([wall_ms, *(row["start_ms"] + row["duration_ms"] for row in operations)])
    return CacheView(
        count=cache["count"],
        total_ms=cache["total_ms"],
        hits=hits,
        misses=misses,
        hit_share=hits / (hits + misses) if hits + misses else None,
        truncated=cache.get("truncated") or 0,
        groups=tuple(found),
        keys=tuple(keys[:KEYS]),
        key_count=len(keys),
        rows=[
            {
                **row,
                "site": site(row.get("call_site")),
                "start_share": share(row["start_ms"], span),
                "duration_share": share(row["duration_ms"], span),
            }
            for row in operations[:ROWS]
        ],
        row_count=len(operations),
        data=_data(operations, span),
    )


def _group(rows: Sequence[Mapping[str, Any]]) -> CacheGroup:
    first = rows[0]
    keys = list(dict.fromkeys(str(key) for row in rows for key in row.get("keys") or ()))
    return CacheGroup(
        operation=str(first["operation"]),
        alias=str(first.get("alias", "")),
        backend=str(first.get("backend", "")),
        site=site(first.get("call_site")),
        count=len(rows),
        total_ms=sum(row["duration_ms"] for row in rows),
        hits=sum(row.get("hits") or 0 for row in rows),
        misses=sum(row.get("misses") or 0 for row in rows),
        keys=tuple(keys[:KEYS_OF_ROW]),
        more_keys=max(len(keys) - KEYS_OF_ROW, 0),
        errors=sum(bool(row.get("error")) for row in rows),
    )


def _keys(operations: Sequence[Mapping[str, Any]]) -> list[CacheKey]:
    found: dict[tuple[str, str], dict[str, float]] = {}
    for row in operations:
        keys = [str(key) for key in row.get("keys") or ()]
        hits, misses = row.get("hits"), row.get("misses")
        every = row.get("key_count") or len(keys)
        for key in keys:
            sums = found.setdefault((str(row.get("alias", "")), key), dict.fromkeys(_SUMS, 0))
            sums["count"] += 1
            sums["total_ms"] += row["duration_ms"] / max(every, 1)
            sums[_what(hits, misses)] += 1
    rows = [
        CacheKey(key=key, alias=alias, total_ms=sums.pop("total_ms"), **_whole(sums))
        for (alias, key), sums in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.misses, -row.total_ms))


_SUMS = ("count", "hits", "misses", "unknown", "writes", "total_ms")


def _whole(sums: Mapping[str, float]) -> dict[str, int]:
    return {name: int(value) for name, value in sums.items()}


def _what(hits: int | None, misses: int | None) -> str:
    if hits is None and misses is None:
        return "writes"
    if hits and misses:
        return "unknown"
    return "misses" if misses else "hits"


def _data(operations: Sequence[Mapping[str, Any]], span: float) -> dict[str, Any]:
    """``keys``, ``sites`` and ``names`` hold each once; ``columns`` number them."""
    keys, of_key = numbered(tuple(map(str, row.get("keys") or ())) for row in operations)
    places = [packed_site(site(row.get("call_site"))) for row in operations]
    sites, of_site = numbered(tuple(place) if place else None for place in places)
    names, of_name = numbered(
        (str(row["operation"]), str(row.get("alias", ""))) for row in operations
    )
    return {
        "span": round(span, 3),
        "keys": keys,
        "sites": sites,
        "names": names,
        "columns": {
            "name": of_name,
            "keys": of_key,
            "site": of_site,
            "more": [
                max((row.get("key_count") or 0) - len(row.get("keys") or ()), 0)
                for row in operations
            ],
            "hits": [row.get("hits") for row in operations],
            "misses": [row.get("misses") for row in operations],
            "start": [round(row["start_ms"], 2) for row in operations],
            "took": [round(row["duration_ms"], 3) for row in operations],
        },
        "errors": {
            place: str(row["error"]) for place, row in enumerate(operations) if row.get("error")
        },
    }
