"""What a fix will save, told from what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from django_hotpath.analysis.findings.base import Query, queries_of, total_ms
from django_hotpath.capture import Capture, Predicted


def predicted(capture: Capture, removed: Sequence[Query], added: int) -> Predicted:
    """``removed`` of the capture's queries go, ``added`` come.

    The least that is saved is their time in the database less what the new ones take; the most
    is that and what passed before each of them, which is mostly Django's work for it.
    """
    total: int = capture.instruments["queries"]["count"]
    database = total_ms(removed)
    # A new query brings the same rows at once: as long as the longest of those that go.
    longest = max((query["duration_ms"] for query in removed), default=0.0)
    least = max(database - added * longest, 0.0)
    most = least + _before(capture, removed) * max(len(removed) - added, 0)
    return Predicted(
        queries=(total, total - len(removed) + added),
        saved_ms=round((least + most) / 2, 4),
        spread_ms=(round(least, 4), round(most, 4)),
    )


def _before(capture: Capture, removed: Sequence[Query]) -> float:
    """What usually passes between the end of a query and the beginning of one of these.

    The lower quarter: in the other cases the application did something of its own.
    """
    queries = queries_of(capture)
    gaps = []
    for query in removed:
        if query["index"]:
            last = queries[query["index"] - 1]
            gaps.append(max(query["start_ms"] - last["start_ms"] - last["duration_ms"], 0.0))
    gaps.sort()
    return gaps[len(gaps) // 4] if gaps else 0.0
