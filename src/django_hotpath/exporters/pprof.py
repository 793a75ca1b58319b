"""``profile.proto``, gzipped: ``go tool pprof`` and what speaks its format.

A sample type for each figure: calls and nanoseconds of the exact tree, samples and nanoseconds of
the sampled one, blocks and bytes of memory.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator

from django_hotpath.capture import Capture, id_time
from django_hotpath.exporters._budget import within_budget
from django_hotpath.exporters._names import valid
from django_hotpath.exporters._protobuf import Message
from django_hotpath.exporters._trees import Frames, Tree, refusal, trees

__all__ = ["CONTENT_TYPE", "HINT", "LABEL", "SUFFIX", "export", "refusal"]

CONTENT_TYPE = "application/octet-stream"
SUFFIX = "pb.gz"
LABEL = "pprof"
HINT = "go tool pprof, Grafana Pyroscope, Polar Signals"

# Numbers of the fields, as in profile.proto.
_SAMPLE_TYPE, _SAMPLE, _MAPPING, _LOCATION, _FUNCTION, _STRING = 1, 2, 3, 4, 5, 6
_TIME_NANOS, _DURATION_NANOS, _PERIOD_TYPE, _PERIOD = 9, 10, 11, 12
_COMMENT, _DEFAULT_SAMPLE_TYPE = 13, 14

_VALUES = {"calls": "wall", "samples": "sampled", "blocks": "inuse_space"}
_COUNTS = {"calls": "calls", "samples": "samples", "blocks": "inuse_objects"}


class _Strings:
    """The string table; its first entry is empty."""

    def __init__(self) -> None:
        self.rows = [""]
        self._known = {"": 0}

    def add(self, text: str) -> int:
        index = self._known.get(text)
        if index is None:
            index = self._known[text] = len(self.rows)
            self.rows.append(text)
        return index


def export(capture: Capture) -> bytes:
    """Raises ``ExportError`` for a capture without stacks."""
    frames, strings, profile = Frames(), _Strings(), Message()
    found = [within_budget(tree, frames)[0] for tree in trees(capture, frames)]
    for tree in found:
        for name, unit in (
            (_COUNTS[tree.count_unit], "count"),
            (_VALUES[tree.count_unit], tree.unit),
        ):
            profile.message(_SAMPLE_TYPE, _value_type(strings, name, unit))
    for place, tree in enumerate(found):
        for sample in _samples(tree, place, len(found)):
            profile.message(_SAMPLE, sample)
    # Says that there is nothing to look up in binaries.
    mapping = Message().integer(1, 1).integer(5, strings.add("python"))
    for flag in (7, 8, 9):
        mapping.integer(flag, 1)
    profile.message(_MAPPING, mapping)
    for number, frame in enumerate(frames.rows, 1):
        line = Message().integer(1, number).integer(2, frame.line)
        profile.message(_LOCATION, Message().integer(1, number).integer(2, 1).message(4, line))
        called = strings.add(frame.name)
        profile.message(
            _FUNCTION,
            Message()
            .integer(1, number)
            .integer(2, called)
            .integer(3, called)
            .integer(4, strings.add(frame.file))
            .integer(5, frame.line),
        )
    profile.integer(_TIME_NANOS, int(id_time(capture.id) * 1_000) * 1_000_000)
    profile.integer(_DURATION_NANOS, max(round(capture.timing.wall_ms * 1_000_000), 0))
    first = found[0]
    value = _VALUES[first.count_unit]
    profile.message(_PERIOD_TYPE, _value_type(strings, value, first.unit)).integer(_PERIOD, 1)
    for comment in (valid(capture.label), *(note for tree in found for note in tree.notes)):
        profile.integer(_COMMENT, strings.add(comment))
    profile.integer(_DEFAULT_SAMPLE_TYPE, strings.add(value))
    for text in strings.rows:
        profile.text(_STRING, text)
    return gzip.compress(profile.data, mtime=0)


def _value_type(strings: _Strings, name: str, unit: str) -> Message:
    return Message().integer(1, strings.add(name)).integer(2, strings.add(unit))


def _samples(tree: Tree, place: int, number: int) -> Iterator[Message]:
    """A stack is given from its leaf to the root; locations are numbered as the frames, from 1."""
    stack: list[int] = []
    for node, enters in tree.walk():
        if not enters:
            stack.pop()
            continue
        stack.append(tree.frame[node] + 1)
        if not tree.own[node] and not tree.count[node]:
            continue
        values = [0] * (2 * number)
        values[2 * place : 2 * place + 2] = tree.count[node], tree.own[node]
        yield Message().packed(1, stack[::-1]).packed(2, values)
