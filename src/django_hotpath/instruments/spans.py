"""Single calls in time order, as plain data: which node ran when, and beside which others.

A capture keeps all calls of at least some length, however many there are. Times are whole
microseconds, rounded down, so that a call never ends after the one that it was made in.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

# Half a megabyte of JSON.
MAX_SPANS = 20_000

_NS_PER_US = 1_000


def plain_spans(found: Mapping[str, Any], place: Sequence[int], started_ns: int) -> dict[str, Any]:
    """``spans`` as in ``docs/reference/capture.md``, of what the native tracer found.

    ``place`` has the index in the tree for each node of the tracer, negative for one that stands
    for something else there or is not in it: what ran in it is only counted, in ``omitted``.
    ``started_ns`` is the beginning of the capture on the tracer's clock.
    """
    nodes, lanes = _column(found["span_node"]), _column(found["span_lane"])
    starts, lengths = _column(found["span_start_ns"]), _column(found["span_ns"])
    offset = found["begun_ns"] - started_ns
    least = _rounded_up(found["least_ns"])
    spans: list[tuple[int, int, int, int]] = []
    omitted: list[int] = []
    for node, lane, start, length in zip(nodes, lanes, starts, lengths, strict=True):
        start += offset
        begin, end = start // _NS_PER_US, (start + length) // _NS_PER_US
        if end - begin < least:
            continue
        if place[node] < 0:
            omitted.append(end - begin)
        else:
            # In this order a call comes after the one that it was made in: whose node is older.
            spans.append((begin, begin - end, node, lane))
    if len(spans) > MAX_SPANS:
        least = 1 - sorted(before for _, before, _, _ in spans)[MAX_SPANS]
        spans = [span for span in spans if -span[1] >= least]
        omitted = [length for length in omitted if length >= least]
    spans.sort()
    numbers = {0: 0}
    return {
        "node": [place[node] for _, _, node, _ in spans],
        "start_ms": [begin / 1_000 for begin, *_ in spans],
        "duration_ms": [-before / 1_000 for _, before, _, _ in spans],
        "lane": [numbers.setdefault(lane, len(numbers)) for *_, lane in spans],
        "least_ms": least / 1_000,
        "omitted": len(omitted),
    }


def _column(data: bytes) -> array[int]:
    column = array("q")
    column.frombytes(data)
    return column


def _rounded_up(least_ns: int) -> int:
    """Microseconds that no call has lost by rounding, where it was kept at ``least_ns``."""
    return -(-least_ns // _NS_PER_US) + 1 if least_ns else 0
