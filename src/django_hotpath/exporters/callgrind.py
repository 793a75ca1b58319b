"""Callgrind's format, for KCachegrind and ``callgrind_annotate``: a graph of functions.

Costs are nanoseconds. It knows who called whom, not in which stack; so it can be had of cProfile's
table too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters import ExportError
from django_hotpath.exporters._names import Frame, frame_of, visible
from django_hotpath.exporters._trees import nanoseconds, root_frame

CONTENT_TYPE = "text/plain; charset=utf-8"
SUFFIX = "callgrind"
LABEL = "Callgrind"
HINT = "KCachegrind, QCachegrind, callgrind_annotate: who called whom"


def refusal(capture: Capture) -> str | None:
    return None if _table(capture) else "this capture has no calls: take one with ?profile=calls"


def export(capture: Capture) -> bytes:
    """The function table of ``calls``, or else of ``samples``; ``ExportError`` without both."""
    table = _table(capture)
    if table is None:
        raise ExportError(refusal(capture) or "")
    return "".join(f"{line}\n" for line in _lines(capture, table)).encode("utf-8")


def _table(capture: Capture) -> Mapping[str, Any] | None:
    for name in ("calls", "samples"):
        found: Mapping[str, Any] | None = capture.instruments.get(name)
        if found and found.get("functions"):
            return found
    return None


def _lines(capture: Capture, table: Mapping[str, Any]) -> Iterator[str]:
    functions = table["functions"]
    frames = [frame_of(function) for function in functions]
    root = root_frame(capture)
    own = [max(nanoseconds(function["own_ms"]), 0) for function in functions]
    called: list[list[tuple[int, int, int]]] = [[] for _ in functions]
    for caller, callee, calls, _primitive, _own, cumulative in table["edges"]:
        called[caller].append((callee, calls, max(nanoseconds(cumulative), 0)))
    top_own, top_calls = _top(table)
    yield "# callgrind format"
    yield "version: 1"
    yield f"creator: django-hotpath {visible(capture.environment.hotpath)}"
    yield f"cmd: {visible(capture.label)}"
    if left_out := table.get("truncated"):
        yield f"desc: Note: {left_out:,} functions left out, the cheapest"
    yield "positions: line"
    yield "event: ns : Nanoseconds"
    yield "events: ns"
    yield f"summary: {sum(own) + top_own}"
    yield ""
    names = _Names([*frames, root])
    yield from names.block(len(frames), top_own, top_calls)
    for index, cost in enumerate(own):
        yield from names.block(index, cost, called[index])


def _top(table: Mapping[str, Any]) -> tuple[int, list[tuple[int, int, int]]]:
    """Of the root: time outside any function, and what it called. cProfile does not tell."""
    tree = table.get("tree")
    if not tree:
        return 0, []
    called: dict[int, list[int]] = {}
    for node, parent in enumerate(tree["parent"]):
        if parent == 0:
            sums = called.setdefault(tree["frame"][node], [0, 0])
            sums[0] += tree["calls"][node]
            sums[1] += nanoseconds(tree["total_ms"][node])
    return max(nanoseconds(tree["own_ms"][0]), 0), [
        (frame, calls, cost) for frame, (calls, cost) in called.items()
    ]


class _Names:
    """Blocks of functions. Names are given a number when they are first used, as the format allows.

    The number also keeps a name that looks like one apart from it.
    """

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames
        self._files: dict[str, int] = {}
        self._functions: dict[tuple[str, str], int] = {}
        lines: dict[tuple[str, str], set[int]] = {}
        for frame in frames:
            lines.setdefault((frame.file, frame.name), set()).add(frame.line)
        # Readers tell functions by file and name: lambdas of a file would be one.
        self._ambiguous = {key for key, found in lines.items() if len(found) > 1}

    def block(self, index: int, own: int, called: list[tuple[int, int, int]]) -> Iterator[str]:
        frame = self._frames[index]
        file, function = self._spelled(frame)
        yield f"fl={file}"
        yield f"fn={function}"
        yield f"{frame.line} {own}"
        for callee, calls, cost in called:
            other = self._frames[callee]
            file, function = self._spelled(other)
            yield f"cfl={file}"
            yield f"cfn={function}"
            yield f"calls={calls} {other.line}"
            yield f"{frame.line} {cost}"
        yield ""

    def _spelled(self, frame: Frame) -> tuple[str, str]:
        file = visible(frame.file) or f"<{visible(frame.kind)}>"
        name = visible(frame.name)
        if (frame.file, frame.name) in self._ambiguous:
            name = f"{name} (line {frame.line})"
        return _numbered(self._files, file, file), _numbered(self._functions, (file, name), name)


def _numbered(known: dict[Any, int], key: Any, text: str) -> str:
    number = known.get(key)
    if number is not None:
        return f"({number})"
    known[key] = len(known) + 1
    return f"({known[key]}) {text}"
