"""Which of vmprof's samples are of the measured work, and what time each stands for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django_hotpath.instruments.base import to_ms
from django_hotpath.instruments.engines.vmprof_file import MAX_DEPTH, Sample

_POINTS = 1_000


class Interval(NamedTuple):
    """The work ran from ``began_ns`` on, having run for ``before_ns`` by then.

    Its samples are those before ``end_offset`` in the file. ``around``: ids of the code objects on
    the stack when it began, outermost first; in a ``step`` the work is inside all of them.
    """

    thread_state: int
    around: tuple[int, ...]
    step: bool
    began_ns: int
    before_ns: int
    end_offset: int = 0


class OwnSample(NamedTuple):
    """A sample of the work; ``cut_off``: its outermost frames are missing."""

    stack: tuple[int, ...]
    weight_ns: int
    active_ns: int
    rss: int
    cut_off: bool


def own_samples(samples: Sequence[Sample], intervals: Sequence[Interval]) -> Iterator[OwnSample]:
    """The samples of the work, each with the time since the one before.

    In CPU mode that one may be another thread's: the clock is that of the process.
    """
    ends = [interval.end_offset for interval in intervals]
    last = 0
    for sample in samples:
        index = bisect_left(ends, sample.offset)
        if index == len(ends):
            return
        interval = intervals[index]
        active = interval.before_ns + max(sample.at_ns - interval.began_ns, 0)
        weight, last = max(active - last, 0), max(active, last)
        if sample.thread_state != interval.thread_state:
            continue
        stack = _since(interval, sample.stack)
        if stack:
            yield OwnSample(stack, weight, active, sample.rss, False)
        elif len(sample.stack) >= MAX_DEPTH:
            yield OwnSample(sample.stack, weight, active, sample.rss, True)


def _since(interval: Interval, stack: tuple[int, ...]) -> tuple[int, ...]:
    """The stack from the innermost frame on that was there when the work began; empty: foreign."""
    around = interval.around
    alike = 0
    for ours, theirs in zip(around, stack, strict=False):
        if ours != theirs:
            break
        alike += 1
    if alike == 0 or (interval.step and alike < len(around)):
        return ()
    return stack[alike - 1 :]


def memory_over_time(own: Sequence[OwnSample]) -> dict[str, Any]:
    """Resident memory of the process over the time sampled, at most 1,000 points."""
    every = max(-(-len(own) // _POINTS), 1)
    return {
        "rss_first": own[0].rss if own else None,
        "rss_peak": max((found.rss for found in own), default=None),
        "rss_last": own[-1].rss if own else None,
        "points": [[to_ms(found.active_ns), found.rss] for found in own[::every]],
    }
