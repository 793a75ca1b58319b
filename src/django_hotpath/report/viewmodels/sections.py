"""The smaller sections: cache, templates, memory, garbage collector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels.sites import Site, site

ROWS = 50


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


@dataclass(frozen=True, kw_only=True)
class CacheView:
    count: int
    total_ms: float
    hits: int
    misses: int
    truncated: int
    groups: tuple[CacheGroup, ...]
    rows: Sequence[Mapping[str, Any]]
    row_count: int


def cache_view(cache: Mapping[str, Any]) -> CacheView:
    operations = cache.get("operations") or []
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for operation in operations:
        place = operation.get("call_site") or {}
        key = (operation["operation"], operation.get("alias"), place.get("file"), place.get("line"))
        groups.setdefault(key, []).append(operation)
    found = sorted((_cache_group(rows) for rows in groups.values()), key=lambda g: -g.total_ms)
    return CacheView(
        count=cache["count"],
        total_ms=cache["total_ms"],
        hits=cache.get("hits") or 0,
        misses=cache.get("misses") or 0,
        truncated=cache.get("truncated") or 0,
        groups=tuple(found),
        rows=[{**row, "site": site(row.get("call_site"))} for row in operations[: ROWS * 4]],
        row_count=len(operations),
    )


def _cache_group(rows: Sequence[Mapping[str, Any]]) -> CacheGroup:
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
        keys=tuple(keys[:5]),
        more_keys=max(len(keys) - 5, 0),
        errors=sum(bool(row.get("error")) for row in rows),
    )


@dataclass(frozen=True, kw_only=True)
class TemplatesView:
    count: int
    total_ms: float
    truncated: int
    templates: Sequence[Mapping[str, Any]]
    """With ``own_share`` of the time of all templates."""
    hidden: int


def templates_view(templates: Mapping[str, Any]) -> TemplatesView:
    rows = templates.get("templates") or []
    total = sum(row["own_ms"] for row in rows)
    return TemplatesView(
        count=templates["count"],
        total_ms=templates["total_ms"],
        truncated=templates.get("truncated") or 0,
        templates=[{**row, "own_share": share(row["own_ms"], total)} for row in rows[: ROWS * 4]],
        hidden=max(len(rows) - ROWS * 4, 0),
    )


@dataclass(frozen=True, kw_only=True)
class MemoryView:
    """Bytes of the whole process; None where the platform does not tell."""

    rss_before: int | None
    rss_after: int | None
    rss_change: int | None
    rss_peak: int | None
    rss_high_water: int | None
    blocks_before: int | None
    blocks_after: int | None
    blocks_change: int | None


def memory_view(memory: Mapping[str, Any]) -> MemoryView:
    def change(name: str) -> int | None:
        before, after = memory.get(f"{name}_before"), memory.get(f"{name}_after")
        return None if before is None or after is None else int(after - before)

    return MemoryView(
        rss_before=memory.get("rss_before"),
        rss_after=memory.get("rss_after"),
        rss_change=change("rss"),
        rss_peak=memory.get("rss_peak"),
        rss_high_water=memory.get("rss_high_water"),
        blocks_before=memory.get("blocks_before"),
        blocks_after=memory.get("blocks_after"),
        blocks_change=change("blocks"),
    )


@dataclass(frozen=True, kw_only=True)
class GcView:
    count: int
    total_ms: float
    collected: int
    uncollectable: int
    generations: tuple[int, ...]
    pauses: Sequence[Mapping[str, Any]]
    hidden: int


def gc_view(gc: Mapping[str, Any]) -> GcView:
    """The longest 200 pauses."""
    pauses = sorted(gc.get("pauses") or [], key=lambda pause: -pause["duration_ms"])
    return GcView(
        count=gc["count"],
        total_ms=gc["total_ms"],
        collected=gc.get("collected") or 0,
        uncollectable=gc.get("uncollectable") or 0,
        generations=tuple(gc.get("generations") or ()),
        pauses=pauses[: ROWS * 4],
        hidden=max(len(pauses) - ROWS * 4, 0),
    )
