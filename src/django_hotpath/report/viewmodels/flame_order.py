"""Bars in time order: the single calls that an engine kept, or samples one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BOUND = 20_000
"""So many bars; the longest are kept."""

Bar = tuple[float, float, int, int]
"""Start and duration in milliseconds, index of the frame, lane."""


def call_bars(spans: Mapping[str, Any], frames: Sequence[int]) -> dict[str, Any] | None:
    """From ``calls.spans``; ``frames`` is the frame of each node of the tree."""
    bars = [
        (start, duration, frames[node], lane)
        for node, start, duration, lane in zip(
            spans["node"], spans["start_ms"], spans["duration_ms"], spans["lane"], strict=True
        )
        if frames[node] >= 0
    ]
    return _columns(bars, float(spans.get("least_ms") or 0.0), spans.get("omitted") or 0)


def sample_bars(
    order: Mapping[str, Any], parents: Sequence[int], frames: Sequence[int]
) -> dict[str, Any] | None:
    """From ``samples.order``: neighbouring samples in the same call make one bar."""
    return _columns(list(_merged(order, parents, frames)), 0.0, 0)


def _merged(
    order: Mapping[str, Any], parents: Sequence[int], frames: Sequence[int]
) -> Iterator[Bar]:
    depth: list[int] = []
    for parent in parents:
        depth.append(depth[parent] + 1 if parent >= 0 else 0)
    # The calls that the last sample was in, from the root, each with its start.
    stack: list[tuple[int, float]] = []
    now = 0.0
    for leaf, weight in zip(order["node"], order["ms"], strict=True):
        entered = []
        node = leaf
        while node >= 0 and not (depth[node] < len(stack) and stack[depth[node]][0] == node):
            entered.append(node)
            node = parents[node]
        shared = depth[node] + 1 if node >= 0 else 0
        yield from _left(stack, shared, now, frames)
        stack += [(node, now) for node in reversed(entered)]
        now += weight
    yield from _left(stack, 0, now, frames)


def _left(
    stack: list[tuple[int, float]], depth: int, now: float, frames: Sequence[int]
) -> Iterator[Bar]:
    while len(stack) > depth:
        node, start = stack.pop()
        if frames[node] >= 0:
            yield start, now - start, frames[node], 0


def _columns(bars: list[Bar], least: float, omitted: int) -> dict[str, Any] | None:
    if not bars:
        return None
    if len(bars) > BOUND:
        bars.sort(key=lambda bar: -bar[1])
        omitted += len(bars) - BOUND
        least = max(least, bars[BOUND][1])
        del bars[BOUND:]
    # By start, the outer before the inner one; of two alike the first stays the outer.
    bars.sort(key=lambda bar: (bar[3], bar[0], -bar[1]))
    # Ends are rounded, not lengths: so an inner bar never reaches beyond its outer one.
    return {
        "start": [round(start, 3) for start, *_ in bars],
        "end": [round(start + duration, 3) for start, duration, *_ in bars],
        "frame": [frame for *_, frame, _ in bars],
        "lane": [lane for *_, lane in bars],
        "least": round(least, 3),
        "omitted": omitted,
    }
