"""``memory_peak``: much memory at once, most of which was given back before the end."""

from __future__ import annotations

from collections.abc import Iterator

from django_hotpath.analysis.findings.base import UNKNOWN_LINE, Limits
from django_hotpath.capture import CallSite, Capture, Finding, Fix

MIN_BYTES = 10_000_000
MEDIUM_BYTES = 100_000_000
# Of the peak, what must be gone in the end: what stays is another finding.
MIN_GIVEN_BACK = 0.5
# A line is where the peak was when it came so near to it.
_NEAR = 0.95

_ADVICE = (
    "Take one after the other in place of all at once: a generator for a list, iterator() for a "
    "queryset (which keeps all its rows, also for a generator), pages, values_list() of what is "
    "needed, StreamingHttpResponse for what is sent. A sum or a count is the database's work."
)


def memory_peak(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """At least 10 MB above the start, half of it gone at the end; with the line, if it is known.

    Silent for the first request, where modules were loaded and where other requests ran.
    """
    allocations = capture.instruments.get("allocations")
    if not allocations or allocations.get("modules_loaded") or capture.overlap.requests:
        return
    if any(text.startswith("this was the first request") for text in capture.environment.warnings):
        return
    before, peak = allocations["traced_before"], allocations["traced_peak"]
    after = allocations["traced_after"]
    if allocations.get("foreign") or None in (before, peak, after):
        return
    high, given_back = peak - before, peak - after
    if high < MIN_BYTES or given_back < MIN_GIVEN_BACK * high:
        return
    site = _site(capture, peak)
    yield Finding(
        kind="memory_peak",
        severity="medium" if high >= MEDIUM_BYTES else "low",
        title=f"{high / 1_000_000:,.1f} MB were needed at once, {site or UNKNOWN_LINE}",
        detail=(
            f"{given_back / 1_000_000:,.1f} MB of it were given back before the answer was ready. "
            "Each request that runs at the same time needs as much, and a process seldom returns "
            "it to the system."
        ),
        count=1,
        cost_ms=0.0,
        call_site=site,
        fix=Fix(summary=_ADVICE),
    )


def _site(capture: Capture, peak: int) -> CallSite | None:
    """The project's line during which it was reached, the innermost of those that were watched."""
    recorded = capture.instruments.get("line_memory")
    if not recorded or recorded.get("unit") != "traced":
        return None
    reached = [
        (line.get("increment") or 0, line["line"], function)
        for function in recorded["functions"]
        if function["kind"] == "project"
        for line in function["lines"]
        if (line.get("peak") or 0) >= _NEAR * peak
    ]
    if not reached:
        return None
    _, number, function = max(reached, key=lambda found: found[0])
    return CallSite(file=function["file"], line=number, function=function["function"])
