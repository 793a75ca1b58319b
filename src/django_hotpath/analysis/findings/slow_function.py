"""``slow_function``: a function of the project in which much of the time is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django_hotpath.analysis.findings.base import Limits
from django_hotpath.analysis.waiting import Spent, at_once, spent
from django_hotpath.capture import CallSite, Capture, Finding, Fix

MIN_MS = 20
MIN_SHARE = 0.15
HIGH_SHARE = 0.5
# So many calls that wait at the same time: that is what the advice would be.
MIN_AT_ONCE = 2
MIN_IN_THREADS = 1.2

_POLLUTED = (
    " Other work ran in this process meanwhile: calls of it may be in these figures. Measure again "
    "without it before you act on them."
)
_SHARED = (
    " Other requests ran in this process meanwhile: their calls are not in these figures, but "
    "waiting for a turn at the interpreter is. Measure again without them."
)

_TURNS = (
    " It ran in several threads at once, where Python code takes turns (the GIL): they make it no "
    "faster, a pool of processes would."
)
_WAITING = (
    "What waits can wait together: run the calls in threads (ThreadPoolExecutor) or, if they are "
    "async, with asyncio.gather(). Better still wait less: ask for everything at once, keep the "
    "answer in a cache, hand the work to a task queue. For a lock, hold it for less time."
)


def slow_function(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Project functions whose own time is at least 20 ms and 15 % of all that was profiled.

    Own time counts what the function does itself, and built-in functions that it calls; not
    queries, templates or other Python functions. Time in which others had the processors is taken
    off where it is known. Silent on calls that wait, and do so at once.
    """
    calls = capture.instruments.get("calls")
    if not calls or calls["total_ms"] <= 0:
        return
    doubt = _doubt(capture, calls)
    # Waiting for the database is C code, which cProfile counts as own time of Django's cursor,
    # so it is in the total and never in a function of the project.
    for index, function in enumerate(calls["functions"]):
        if function["kind"] != "project":
            continue
        own, count = function["own_ms"], function["calls"]
        time = spent(capture, own)
        share = own / calls["total_ms"]
        if time.by_itself < MIN_MS or share < MIN_SHARE:
            continue
        together = at_once(calls, index)
        # In threads that compute, what is no computing is waiting for a turn: the same work.
        in_turns = together >= MIN_IN_THREADS and time.computed >= MIN_MS
        waits = time.is_waiting and not in_turns
        if waits and together >= MIN_AT_ONCE:
            continue
        site = CallSite(file=function["file"], line=function["line"], function=function["function"])
        takes = "waits for" if waits else "takes"
        yield Finding(
            kind="slow_function",
            severity="high" if share >= HIGH_SHARE and not doubt else "medium",
            title=f"{function['function']}() at {site} {takes} {share:.0%} of the time by itself",
            detail=_detail(function["function"], time, count, waits)
            + (_TURNS if in_turns else doubt),
            count=count,
            cost_ms=own,
            call_site=site,
            fix=Fix(summary=_WAITING if waits else _advice(count)),
        )


def _doubt(capture: Capture, calls: Mapping[str, Any]) -> str:
    """What the figures may hold beside the function's own work, in words; empty for nothing."""
    if calls.get("engine") == "native":
        return _SHARED if capture.overlap.requests > 0 else ""
    polluted = capture.overlap.requests > 0 or any(
        text.startswith(("calls is polluted", "calls: other threads"))
        for text in capture.environment.warnings
    )
    return _POLLUTED if polluted else ""


def _detail(name: str, time: Spent, count: int, waits: bool) -> str:
    times = "once" if count == 1 else f"{count:,} times"
    each = "" if count == 1 else f", {time.own / count:,.3f} ms a call"
    parts = [f"{name}() was called {times}; its own code took {time.own:,.0f} ms{each}."]
    if waits:
        parts.append(f"It waited for {time.waited:,.0f} ms of it or more, and did not compute.")
    if time.queued >= MIN_MS:
        parts.append(f"For {time.queued:,.0f} ms others had the processors: the machine was busy.")
    return " ".join(parts)


def _advice(count: int) -> str:
    if count >= 1_000:
        return (
            "It is the number of calls that costs: call it less often (look each thing up once in "
            "a dict or set, keep results that repeat), or do the whole loop in one place."
        )
    return (
        "Few calls, each of them expensive: look for a loop over many items, a search through a "
        "list where a dict or set would do, or work that could be kept (functools.lru_cache, the "
        "cache framework) or left to the database."
    )
