"""The statements of a capture as columns, and their groups.

A capture holds up to 20,000 of them: each pass over their dicts takes longer than what is done
with the values, so there is one for each key.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django_hotpath.report.viewmodels.sites import site_key

Key = TypeVar("Key", bound=Hashable)
Statements = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A list for each key, one entry a statement: its place counts from 0 in all of them."""

    index: list[int]
    sql: list[str]
    alias: list[str]
    start_ms: list[float]
    duration_ms: list[float]
    fetch_ms: list[float | None]
    rows: list[int | None]
    params: list[Any]
    stack: list[Any]
    many: list[Any]
    transaction: list[Any]
    duplicate_of: list[int | None]
    cut: list[int | None]
    error: list[Any]
    sites: list[Any]
    """The call sites, each once; None where there is none."""
    site: list[int]
    """Which of them."""
    group: list[int]
    """The group, by its place among ``firsts``."""
    firsts: list[int]
    """The first statement of each group; the group that took most time comes first."""

    def __len__(self) -> int:
        return len(self.index)

    def members(self, groups: int) -> list[list[int]]:
        """The places of the statements of the first few groups."""
        found: list[list[int]] = [[] for _ in self.firsts[:groups]]
        for place, group in enumerate(self.group):
            if group < groups:
                found[group].append(place)
        return found


def columns(statements: Statements) -> Columns:
    """Groups are of the same connection, fingerprint and line of code or template."""

    def needed(key: str) -> list[Any]:
        return [query[key] for query in statements]

    def maybe(key: str) -> list[Any]:
        return [query.get(key) for query in statements]

    places = maybe("call_site")
    keys, site = numbered(site_key(place) if place else None for place in places)
    # The name of the function is no part of what makes two lines the same.
    lines, line_of_site = numbered(key and key[:-1] for key in keys)
    alias = ["" if value is None else str(value) for value in maybe("alias")]
    aliases, of_alias = numbered(alias)
    _, of_fingerprint = numbered(needed("fingerprint"))
    # As one number, for the garbage collector runs for as many tuples.
    _, of_group = numbered(
        (kind * len(lines) + line_of_site[at]) * len(aliases) + connection
        for kind, at, connection in zip(of_fingerprint, site, of_alias, strict=True)
    )
    duration = needed("duration_ms")
    group, firsts = _ranked(of_group, duration)
    return Columns(
        index=needed("index"),
        sql=list(map(str, needed("sql"))),
        alias=alias,
        start_ms=needed("start_ms"),
        duration_ms=duration,
        fetch_ms=maybe("fetch_ms"),
        rows=maybe("rows"),
        params=maybe("params"),
        stack=maybe("stack"),
        many=maybe("many"),
        transaction=maybe("transaction"),
        duplicate_of=maybe("duplicate_of"),
        cut=maybe("sql_truncated"),
        error=maybe("error"),
        sites=[places[place] or None for place in _firsts(site)],
        site=site,
        group=group,
        firsts=firsts,
    )


def _ranked(found: Sequence[int], duration: Sequence[float]) -> tuple[list[int], list[int]]:
    firsts = _firsts(found)
    times = [0.0] * len(firsts)
    for group, took in zip(found, duration, strict=True):
        times[group] += took
    order = sorted(range(len(firsts)), key=lambda group: -times[group])
    rank = [0] * len(firsts)
    for place, group in enumerate(order):
        rank[group] = place
    return list(map(rank.__getitem__, found)), [firsts[group] for group in order]


def _firsts(numbers: Sequence[int]) -> list[int]:
    """Where each number of ``numbered`` is found first."""
    found: list[int] = []
    for place, number in enumerate(numbers):
        if number == len(found):
            found.append(place)
    return found


def numbered(values: Iterable[Key]) -> tuple[list[Key], list[int]]:
    """Each value once, in the order in which they come; and the number of each."""
    numbers: dict[Key, int] = {}
    found = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), found


def present(values: Sequence[Any]) -> list[tuple[int, Any]]:
    """What few statements have, with its place."""
    if values.count(None) == len(values):
        return []
    return [(place, value) for place, value in enumerate(values) if value is not None]
