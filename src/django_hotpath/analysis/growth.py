"""Memory that a route keeps each time: the allocations of its last captures, compared.

tracemalloc says what a run allocated and still held at its end. That is no leak yet: the answer
itself is held, a full cache keeps the new entry and lets an old one go, garbage waits for the
collector. What tells them apart is whether the process grew from the start of one run to the start
of the next by about as much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django_hotpath.capture import SEVERITIES, CallSite, Capture, Finding, Fix

MAX_RUNS = 10
# Runs to compare at all, and to accuse a line: each step between two of them is a test.
MIN_RUNS = 3
MIN_RUNS_TO_ACCUSE = 4
MIN_LINE_BYTES = 1024
# Python counts blocks of at most 512 bytes; larger pieces show in the resident set size alone.
SMALL_BLOCK = 512
_NOISE_BLOCKS = 5_000
_NOISE_BLOCKS_COLLECTED = 200
_NOISE_RSS = 1_000_000
HIGH_BYTES = 5_000_000


@dataclass(frozen=True, kw_only=True)
class GrowingLine:
    """A line that kept memory in each run; ``sizes`` and ``counts`` are bytes and blocks a run."""

    file: str
    line: int
    kind: str
    source: str
    sizes: tuple[int, ...]
    counts: tuple[int, ...]
    confirmed: bool
    """The process grew by about as much, from each run to the next."""

    @property
    def total(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True, kw_only=True)
class Growth:
    """``runs`` captures were compared, oldest first; ``skipped`` says how many were not, and why.

    ``blocks`` and ``rss`` are what the process had at the start of each: blocks of Python, bytes.
    ``lines`` are those it may have grown by: the confirmed ones first, then the project's.
    """

    runs: tuple[str, ...]
    skipped: Mapping[str, int]
    collected: bool
    """Whether the garbage collector ran before and after each of the last runs."""
    blocks: tuple[int, ...]
    rss: tuple[int, ...]
    lines: tuple[GrowingLine, ...]
    given_back: int
    """How many more lines kept memory each time, which the process did not grow by."""

    @property
    def enough(self) -> bool:
        return len(self.runs) >= MIN_RUNS

    @property
    def enough_to_accuse(self) -> bool:
        return len(self.runs) >= MIN_RUNS_TO_ACCUSE

    @property
    def grew(self) -> bool:
        """Whether the process had more blocks at the start of each run than of the one before."""
        return all(step > 0 for step in _steps(self.blocks))


def growth(captures: Iterable[Capture], newest: Capture) -> Growth | None:
    """Compares the last ten runs of the newest capture's method and route, itself included.

    None when it has no allocations that can be compared. Of the others those are left out that
    another process made, that other requests ran beside, or that loaded modules.
    """
    if _unfit(newest, newest) is not None or newest.request is None:
        return None
    by_id = {
        found.id: found for found in captures if found.id < newest.id and _alike(found, newest)
    }
    by_id[newest.id] = newest
    skipped: Counter[str] = Counter()
    runs: list[Capture] = []
    for _id, found in sorted(by_id.items(), reverse=True):
        reason = _unfit(found, newest)
        if reason is not None:
            skipped[reason] += 1
        elif len(runs) < MAX_RUNS:
            runs.append(found)
    return _compare(runs[::-1], skipped)


def growth_findings(found: Growth | None) -> tuple[Finding, ...]:
    """``memory_growth``: lines that every test speaks against, largest first."""
    if found is None or not found.enough_to_accuse:
        return ()
    accused = [line for line in found.lines if line.confirmed]
    suspects = [line for line in found.lines if line.kind == "project" and not line.confirmed]
    return tuple(_finding(line, suspects) for line in sorted(accused, key=lambda line: -line.total))


def with_growth_findings(capture: Capture, found: Growth | None) -> Capture:
    """The capture with them among its findings, in place of what it said of these lines alone."""
    added = growth_findings(found)
    if not added:
        return capture
    lines = {finding.call_site for finding in added}
    own = [
        finding
        for finding in capture.findings
        if finding.kind != "memory_growth" or finding.call_site not in lines
    ]
    ranked = sorted([*own, *added], key=lambda finding: SEVERITIES.index(finding.severity))
    return capture.with_findings(tuple(ranked))


def _alike(found: Capture, newest: Capture) -> bool:
    ours, theirs = newest.request, found.request
    if ours is None or theirs is None or "allocations" not in found.instruments:
        return False
    same_place = theirs.route == ours.route if ours.route else theirs.path == ours.path
    return theirs.method == ours.method and same_place


def _unfit(found: Capture, newest: Capture) -> str | None:
    """Why a capture of the route cannot be compared."""
    allocations = found.instruments.get("allocations") or {}
    if found.environment.pid != newest.environment.pid:
        return "made by another process"
    if allocations.get("foreign") or not allocations.get("by_line"):
        return "not compared, because somebody else used tracemalloc"
    if allocations.get("blocks_before") is None:
        return "made by an older version"
    if found.request is not None and (found.request.status or 500) >= 400:
        return "answered with an error"
    if found is newest:
        return None
    if found.overlap.requests:
        return "other requests ran beside it"
    if allocations.get("modules_loaded"):
        return "warming up: modules were loaded"
    return None


def _compare(runs: Sequence[Capture], skipped: Mapping[str, int]) -> Growth:
    recorded: list[Mapping[str, Any]] = [run.instruments["allocations"] for run in runs]
    blocks = tuple(found["blocks_before"] for found in recorded)
    rss = tuple(found.get("rss_before") or 0 for found in recorded)
    last = recorded[-MIN_RUNS_TO_ACCUSE:]
    collected = all(found.get("garbage") is not None for found in last)
    lines: list[GrowingLine] = []
    given_back = 0
    for rows in _kept_each_time(recorded) if len(runs) >= MIN_RUNS else ():
        sizes = tuple(row["size"] for row in rows)
        counts = tuple(row["count"] for row in rows)
        if not _possible(sizes, counts, blocks, rss):
            given_back += 1
            continue
        lines.append(
            GrowingLine(
                file=rows[-1]["file"],
                line=rows[-1]["line"],
                kind=rows[-1]["kind"],
                source=rows[-1].get("source") or "",
                sizes=sizes,
                counts=counts,
                confirmed=_confirmed(sizes, counts, blocks, rss, collected),
            )
        )
    lines.sort(key=lambda line: (not line.confirmed, line.kind != "project", -line.total))
    return Growth(
        runs=tuple(run.id for run in runs),
        skipped=dict(skipped),
        collected=collected,
        blocks=blocks,
        rss=rss,
        lines=tuple(lines),
        given_back=given_back,
    )


def _kept_each_time(recorded: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """The rows of each line that kept at least a kilobyte in every run."""
    tables = [{(row["file"], row["line"]): row for row in found["by_line"]} for found in recorded]
    return [
        [table[place] for table in tables]
        for place in tables[-1]
        if all(place in table and table[place]["size"] >= MIN_LINE_BYTES for table in tables)
    ]


def _steps(values: Sequence[int]) -> list[int]:
    return [after - before for before, after in pairwise(values)]


def _is_small(sizes: Sequence[int], counts: Sequence[int]) -> bool:
    return sum(sizes) <= SMALL_BLOCK * sum(counts)


def _possible(
    sizes: Sequence[int], counts: Sequence[int], blocks: Sequence[int], rss: Sequence[int]
) -> bool:
    """Whether the process grew by at least half of it, taken over all runs.

    What the last run kept shows only when the next begins.
    """
    if _is_small(sizes, counts):
        return blocks[-1] - blocks[0] >= sum(counts[:-1]) / 2
    return rss[-1] - rss[0] >= sum(sizes[:-1]) / 2


def _confirmed(
    sizes: Sequence[int],
    counts: Sequence[int],
    blocks: Sequence[int],
    rss: Sequence[int],
    collected: bool,
) -> bool:
    """Whether at each of the last steps the process grew by half to four times of it.

    And by more than what comes and goes by itself. Earlier steps may have been a warm-up.
    """
    small = _is_small(sizes, counts)
    kept, process = (counts, blocks) if small else (sizes, rss)
    noise = (_NOISE_BLOCKS_COLLECTED if collected else _NOISE_BLOCKS) if small else _NOISE_RSS
    steps = list(zip(kept, _steps(process), strict=False))[1 - MIN_RUNS_TO_ACCUSE :]
    return len(steps) >= MIN_RUNS_TO_ACCUSE - 1 and all(
        amount >= noise and amount / 2 <= step <= amount * 4 for amount, step in steps
    )


def _finding(line: GrowingLine, suspects: Sequence[GrowingLine]) -> Finding:
    runs = len(line.sizes)
    elsewhere = ""
    if line.kind != "project":
        elsewhere = " The line is not yours: look for who keeps what it makes."
        if suspects:
            places = ", ".join(f"{other.file}:{other.line}" for other in suspects[:3])
            elsewhere += f" In each of these runs your code kept something too, at {places}."
    least = min(line.sizes)
    site = CallSite(file=line.file, line=line.line, function="")
    return Finding(
        kind="memory_growth",
        severity="high" if least >= HIGH_BYTES else "medium",
        title=f"{line.file}:{line.line} kept memory in each of the last {runs} runs of this page",
        detail=(
            f"At least {least:,} bytes each time, {line.total:,} in all, and the process grew by "
            "about as much from each run to the next: the memory is not given back. A cache that "
            f"is still being filled looks the same until it is full.{elsewhere}"
        ),
        count=runs,
        cost_ms=0.0,
        call_site=site,
        fix=Fix(
            summary=(
                "Look for what holds it: a list or dict of the module or of a class that only "
                "grows, a cache without a bound (functools.cache, lru_cache(maxsize=None)), a "
                "signal or callback connected anew in each request. Bound it, or let it go with "
                "the request."
            )
        ),
    )
