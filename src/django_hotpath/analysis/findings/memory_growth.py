"""``memory_growth``: a line of the project that still held much memory when the answer was ready.

One capture cannot tell a leak from the answer itself: this rule only points at what is large.
``analysis/growth.py`` compares several captures.
"""

from __future__ import annotations

from collections.abc import Iterator

from django_hotpath.analysis.findings.base import Limits
from django_hotpath.capture import CallSite, Capture, Finding, Fix

MIN_BYTES = 10_000_000


def memory_growth(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Lines of the project that held at least 10 MB; none where modules were being loaded."""
    allocations = capture.instruments.get("allocations")
    if not allocations or allocations.get("modules_loaded") or capture.overlap.requests:
        return
    if any(text.startswith("this was the first request") for text in capture.environment.warnings):
        return
    for row in allocations["by_line"]:
        if row["kind"] != "project" or row["size"] < MIN_BYTES:
            continue
        site = CallSite(file=row["file"], line=row["line"], function="")
        blocks = "1 block" if row["count"] == 1 else f"{row['count']:,} blocks"
        yield Finding(
            kind="memory_growth",
            severity="low",
            title=f"{site} still held {row['size'] / 1_000_000:,.1f} MB when the answer was ready",
            detail=(
                f"Allocated here and not given back by then: {blocks}. It may be the answer "
                "itself, an entry of a cache, garbage that waits for the collector, or memory that "
                "is never given back."
            ),
            count=row["count"],
            cost_ms=0.0,
            call_site=site,
            fix=Fix(
                summary=(
                    "If it is the answer, send it in parts: iterator(), StreamingHttpResponse, "
                    "pages. If you do not know, measure the page five times with "
                    "allocations:collect: the report then says whether the process grows by it."
                )
            ),
        )
