"""``slow_function``: a function of the project in which much of the time is spent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django_hotpath.analysis.findings.base import Limits
from django_hotpath.capture import CallSite, Capture, Finding, Fix

MIN_MS = 20
MIN_SHARE = 0.15
HIGH_SHARE = 0.5

_POLLUTED = (
    " Other work ran in this process meanwhile: calls of it may be in these figures. Measure again "
    "without it before you act on them."
)
_SHARED = (
    " Other requests ran in this process meanwhile: their calls are not in these figures, but "
    "waiting for a turn at the interpreter is. Measure again without them."
)


def slow_function(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Project functions whose own time is at least 20 ms and 15 % of all that was profiled.

    Own time counts what the function does itself, and built-in functions that it calls; not
    queries, templates or other Python functions.
    """
    calls = capture.instruments.get("calls")
    if not calls or calls["total_ms"] <= 0:
        return
    doubt = _doubt(capture, calls)
    # Waiting for the database is C code, which cProfile counts as own time of Django's cursor,
    # so it is in the total and never in a function of the project.
    for function in calls["functions"]:
        if function["kind"] != "project":
            continue
        own, count = function["own_ms"], function["calls"]
        share = own / calls["total_ms"]
        if own < MIN_MS or share < MIN_SHARE:
            continue
        site = CallSite(file=function["file"], line=function["line"], function=function["function"])
        yield Finding(
            kind="slow_function",
            severity="high" if share >= HIGH_SHARE and not doubt else "medium",
            title=f"{function['function']}() at {site} takes {share:.0%} of the time by itself",
            detail=_detail(function["function"], own, count) + doubt,
            count=count,
            cost_ms=own,
            call_site=site,
            fix=Fix(summary=_advice(count, own)),
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


def _detail(name: str, own: float, count: int) -> str:
    times = "once" if count == 1 else f"{count:,} times"
    each = "" if count == 1 else f", {own / count:,.3f} ms a call"
    return f"{name}() was called {times}; its own code took {own:,.0f} ms{each}."


def _advice(count: int, own: float) -> str:
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
