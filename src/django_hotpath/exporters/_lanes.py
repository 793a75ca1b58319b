"""Frames that open and close along an axis, for the formats that are drawn from left to right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django_hotpath.capture import Capture
from django_hotpath.exporters._names import frame_of
from django_hotpath.exporters._trees import Frames, Tree, nanoseconds, root_frame, trees

MAX_SPANS = 200_000


class Event(NamedTuple):
    at: int
    frame: int
    """Index into the frames; what closes is what was opened last."""
    opens: bool


@dataclass
class Lane:
    """Balanced events in order. ``ordered``: the axis is time, else only lengths mean something."""

    title: str
    unit: str
    ordered: bool
    events: list[Event]
    notes: list[str] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.events[-1].at if self.events else 0

    def spans(self) -> Iterator[tuple[int, int, int]]:
        """(frame, start, end) of each, an outer one before those inside it."""
        found: list[tuple[int, int, int]] = []
        opened: list[int] = []
        for at, frame, opens in self.events:
            if opens:
                opened.append(len(found))
                found.append((frame, at, at))
            else:
                index = opened.pop()
                found[index] = (frame, found[index][1], at)
        yield from found


def lanes(capture: Capture, frames: Frames) -> list[Lane]:
    """In order of time where that was recorded, then each tree of the capture, merged.

    Raises ``ExportError`` where there are no stacks at all.
    """
    merged = [_merged(tree) for tree in trees(capture, frames)]
    return [*_calls_in_order(capture, frames), *_samples_in_order(capture, frames), *merged]


def _merged(tree: Tree) -> Lane:
    """Each frame as long as it took in sum: its own time first, then what it called."""
    at = 0
    events = []
    for node, enters in tree.walk():
        events.append(Event(at, tree.frame[node], enters))
        if enters:
            at += tree.own[node]
    return Lane(f"{tree.title}, merged", tree.unit, False, events, tree.notes)


def _calls_in_order(capture: Capture, frames: Frames) -> list[Lane]:
    calls = capture.instruments.get("calls") or {}
    spans = calls.get("spans")
    if not spans or not spans.get("node"):
        return []
    rows = [frames.add(frame_of(function)) for function in calls["functions"]]
    root = frames.add(root_frame(capture))
    of_node = [rows[row] if row >= 0 else root for row in calls["tree"]["frame"]]
    by_lane: dict[int, list[tuple[int, int, int]]] = {}
    for index in _longest(spans["duration_ms"]):
        start = nanoseconds(spans["start_ms"][index])
        end = start + max(nanoseconds(spans["duration_ms"][index]), 0)
        frame = of_node[spans["node"][index]]
        by_lane.setdefault(spans["lane"][index], []).append((start, end, frame))
    left_out = (spans.get("omitted") or 0) + max(len(spans["node"]) - MAX_SPANS, 0)
    notes = [f"calls shorter than {spans.get('least_ms', 0):g} ms are not among those in order"]
    if left_out:
        notes.append(f"Calls in order: {left_out:,} more calls are left out")
    return [
        Lane(
            "Calls" if lane == 0 else f"Calls, task or thread {lane}",
            "nanoseconds",
            True,
            _nested(by_lane[lane]),
            notes,
        )
        for lane in sorted(by_lane)
    ]


def _longest(durations: Sequence[float]) -> Sequence[int]:
    """The largest, in their order: a call is never shorter than one inside it."""
    if len(durations) <= MAX_SPANS:
        return range(len(durations))
    ranked = sorted(range(len(durations)), key=lambda index: -durations[index])
    return sorted(ranked[:MAX_SPANS])


def _nested(spans: Sequence[tuple[int, int, int]]) -> list[Event]:
    """Rounding may have made a call end after the one around it: it ends with it."""
    events: list[Event] = []
    open_spans: list[tuple[int, int]] = []
    last = 0

    def close() -> None:
        nonlocal last
        end, frame = open_spans.pop()
        last = max(last, end)
        events.append(Event(last, frame, False))

    for start, end, frame in spans:
        while open_spans and open_spans[-1][0] <= start:
            close()
        last = max(last, start)
        end = max(end, last)
        if open_spans:
            end = min(end, open_spans[-1][0])
        events.append(Event(last, frame, True))
        open_spans.append((end, frame))
    while open_spans:
        close()
    return events


def _samples_in_order(capture: Capture, frames: Frames) -> list[Lane]:
    samples: Mapping[str, Any] = capture.instruments.get("samples") or {}
    order = samples.get("order")
    if not order or not order.get("node"):
        return []
    rows = [frames.add(frame_of(function)) for function in samples["functions"]]
    root = frames.add(root_frame(capture))
    parent = samples["tree"]["parent"]
    of_node = [rows[row] if row >= 0 else root for row in samples["tree"]["frame"]]
    events: list[Event] = []
    stack: list[int] = []
    at = 0
    for leaf, weight in zip(order["node"], order["ms"], strict=True):
        wanted = []
        node = leaf
        while node >= 0:
            wanted.append(node)
            node = parent[node]
        wanted.reverse()
        same = 0
        while same < min(len(stack), len(wanted)) and stack[same] == wanted[same]:
            same += 1
        events += [Event(at, of_node[gone], False) for gone in reversed(stack[same:])]
        events += [Event(at, of_node[come], True) for come in wanted[same:]]
        stack = wanted
        at += max(nanoseconds(weight), 0)
    events += [Event(at, of_node[gone], False) for gone in reversed(stack)]
    omitted = order.get("omitted") or 0
    notes = [f"Samples in order: {omitted:,} later ones are left out"] if omitted else []
    return [Lane("Samples", "nanoseconds", True, events, notes)]
