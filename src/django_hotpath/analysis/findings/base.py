"""What rules share. A rule is a function from a capture to its findings, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import CallSite, Capture, Finding


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The thresholds that rules go by."""

    slow_query_ms: float = 100
    n_plus_one: int = 3


Rule = Callable[[Capture, Limits], Iterator[Finding]]
Query = Mapping[str, Any]

UNKNOWN_LINE = "line unknown"


def queries_of(capture: Capture) -> Sequence[Query]:
    recorded = capture.instruments.get("queries")
    return recorded["queries"] if recorded else ()


def site_of(query: Query) -> CallSite | None:
    found = query.get("call_site")
    return CallSite(**found) if found else None


def is_answered(query: Query) -> bool:
    """Whether it ended well and its text is whole: a tail that was cut off may hide a write."""
    return not (query.get("error") or query.get("running") or query.get("sql_truncated"))


def distinct(queries: Sequence[Query]) -> int:
    """How many of them differ, parameters included."""
    originals = set()
    for query in queries:
        first = query.get("duplicate_of")
        originals.add(query["index"] if first is None else first)
    return len(originals)


def indexes(queries: Sequence[Query]) -> tuple[int, ...]:
    return tuple(query["index"] for query in queries)


def total_ms(queries: Sequence[Query]) -> float:
    total: float = sum(query["duration_ms"] for query in queries)
    return round(total, 4)


def where(site: CallSite | None) -> str:
    """The line to look at, for a sentence."""
    if site is None:
        return UNKNOWN_LINE
    if site.template is not None:
        return f"{site.template}:{site.template_line}"
    return f"{site.file}:{site.line}"


def placed(words: str, site: CallSite | None) -> str:
    """The words with the line after them: ``placed("A loop at", site)``."""
    if site is not None:
        return f"{words} {where(site)}"
    return f"{words.rpartition(' ')[0].rstrip(',')}, {UNKNOWN_LINE}"


def severity_by_cost(cost_ms: float, wall_ms: float) -> str:
    """By the share of the whole that could be saved."""
    share = cost_ms / wall_ms if wall_ms > 0 else 0.0
    if cost_ms >= 20 and share >= 0.2:
        return "high"
    if cost_ms >= 5 and share >= 0.05:
        return "medium"
    return "low"
