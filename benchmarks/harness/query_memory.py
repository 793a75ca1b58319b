"""In a worker: what recording statements keeps in memory, and how large a capture of many is."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from time import perf_counter
from typing import Any

from harness.captured import capture_of
from harness.contenders import by_key
from harness.project import Site

# Statements: what is made once is not what one of them costs.
_WARM_UP = 100


def left_behind(contender: str, kind: str, count: int) -> int:
    """Bytes there are more at the end of the view's work than at its beginning."""
    from library import query_views

    found = by_key(contender)
    site = Site(found)
    site.check(f"kept/{kind}/{_WARM_UP}")
    found.tidy()
    tracemalloc.start()
    try:
        site.get(f"kept/{kind}/{count}")
    finally:
        tracemalloc.stop()
        found.tidy()
    return query_views.left_behind[0]


def fill(count: int) -> None:
    from library import query_views

    query_views.fill(count)


def capture_size(contender: str, view: str) -> dict[str, Any]:
    """Of the capture of a request: its text, what it takes to write and to read it, and to look for
    findings in it; and the answer. Seconds and bytes."""
    from django_hotpath.analysis.findings import find
    from django_hotpath.capture import Capture

    answer = Site(by_key(contender)).get(view)
    capture = capture_of(answer.headers)
    marks = [perf_counter()]
    findings = find(capture)
    marks.append(perf_counter())
    text = capture.to_json()
    marks.append(perf_counter())
    Capture.from_json(text)
    marks.append(perf_counter())
    finding, writing, reading = (after - before for before, after in pairwise(marks))
    return {
        "findings": len(findings),
        "finding": finding,
        "writing": writing,
        "reading": reading,
        "bytes": len(text.encode()),
        "page": len(answer.body),
    }
