"""A thread of the Firefox Profiler: tables of columns that refer to each other by index."""

from __future__ import annotations

from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters._lanes import Lane
from django_hotpath.exporters._names import valid
from django_hotpath.exporters._tracks import Track
from django_hotpath.exporters._trees import Frames

CATEGORIES = (
    ("Other", "grey"),
    ("Your code", "orange"),
    ("Django", "green"),
    ("Library", "purple"),
    ("Standard library", "lightblue"),
    ("Database", "blue"),
    ("Cache", "yellow"),
    ("Template", "brown"),
    ("HTTP", "magenta"),
)

_CATEGORY = {
    "project": 1,
    "django": 2,
    "middleware": 2,
    "library": 3,
    "stdlib": 4,
    "builtin": 4,
    "sql": 5,
    "cache": 6,
    "template": 7,
    "http": 8,
}

MARKERS = ("middleware", "template", "sql", "cache", "http", "gc", "eventloop", "await")

_INTERVAL = 1  # a marker with a start and an end


class Thread:
    """What is added first stands first; times in milliseconds from the start of the capture."""

    def __init__(self, capture: Capture, name: str, *, main: bool) -> None:
        self._name, self._main = valid(name), main
        self._pid = str(capture.environment.pid)
        self._strings: dict[str, int] = {}
        self._frames: dict[int, int] = {}
        self._frame_table: dict[str, list[Any]] = {key: [] for key in _FRAME}
        self._functions: dict[str, list[Any]] = {key: [] for key in _FUNCTION}
        self._stacks: dict[tuple[int | None, int], int] = {}
        self._stack_table: dict[str, list[Any]] = {"frame": [], "prefix": [], "category": []}
        self._samples: dict[str, list[Any]] = {"stack": [], "time": [], "weight": []}
        self._weight_type = "tracing-ms"
        self._markers: dict[str, list[Any]] = {key: [] for key in _MARKER}

    def add_samples(self, lane: Lane, frames: Frames) -> None:
        in_bytes = lane.unit == "bytes"
        self._weight_type = "bytes" if in_bytes else "tracing-ms"
        scale = 1 if in_bytes else 1_000_000
        open_stacks: list[int] = []
        last = 0
        for at, frame, opens in lane.events:
            if at > last:
                self._samples["stack"].append(open_stacks[-1] if open_stacks else None)
                # Bytes are laid out over a made-up time: the order means nothing.
                self._samples["time"].append(
                    float(len(self._samples["time"])) if in_bytes else last / scale
                )
                self._samples["weight"].append((at - last) / scale if open_stacks else 0)
                last = at
            if opens:
                open_stacks.append(
                    self._stack(open_stacks[-1] if open_stacks else None, frame, frames)
                )
            else:
                open_stacks.pop()

    def add_markers(self, track: Track) -> None:
        for mark in track.marks:
            details = "; ".join(f"{key}: {value}" for key, value in mark.details.items())
            row = {
                "data": {"type": track.category, "name": mark.name, "details": details},
                "name": self._string(track.title),
                "startTime": mark.start / 1_000_000,
                "endTime": mark.end / 1_000_000,
                "phase": _INTERVAL,
                "category": _CATEGORY.get(track.category, 0),
            }
            for key, value in row.items():
                self._markers[key].append(value)

    def plain(self, number: int) -> dict[str, Any]:
        samples = dict(self._samples)
        if not samples["time"]:
            # A thread without any is taken for broken.
            samples = {"stack": [None], "time": [0.0], "weight": [0]}
        return {
            "processType": "default",
            "processName": "django-hotpath",
            "processStartupTime": 0,
            "processShutdownTime": None,
            "registerTime": 0,
            "unregisterTime": None,
            "pausedRanges": [],
            "name": self._name,
            "isMainThread": self._main,
            "pid": self._pid,
            "tid": number,
            "samples": {**_table(samples), "weightType": self._weight_type},
            "markers": _table(self._markers),
            "stackTable": _table(self._stack_table),
            "frameTable": _table(self._frame_table),
            "funcTable": _table(self._functions),
            "resourceTable": _table({key: [] for key in ("lib", "name", "host", "type")}),
            "nativeSymbols": _table(
                {key: [] for key in ("libIndex", "address", "name", "functionSize")}
            ),
            "stringArray": list(self._strings),
        }

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def _stack(self, prefix: int | None, frame: int, frames: Frames) -> int:
        row = self._frame(frame, frames)
        found = self._stacks.get((prefix, row))
        if found is None:
            found = self._stacks[prefix, row] = len(self._stacks)
            self._stack_table["frame"].append(row)
            self._stack_table["prefix"].append(prefix)
            self._stack_table["category"].append(self._frame_table["category"][row])
        return found

    def _frame(self, frame: int, frames: Frames) -> int:
        found = self._frames.get(frame)
        if found is not None:
            return found
        found = self._frames[frame] = len(self._frames)
        described = frames.rows[frame]
        line = described.line or None
        row = {
            "func": found,
            "line": line,
            "address": -1,
            "inlineDepth": 0,
            "category": _CATEGORY.get(described.kind, 0),
            "subcategory": 0,
            "nativeSymbol": None,
            "innerWindowID": 0,
            "implementation": None,
            "column": None,
        }
        for key, value in row.items():
            self._frame_table[key].append(value)
        function = {
            "name": self._string(described.name),
            "isJS": False,
            "relevantForJS": False,
            "resource": -1,
            "fileName": self._string(described.file) if described.file else None,
            "lineNumber": line,
            "columnNumber": None,
        }
        for key, value in function.items():
            self._functions[key].append(value)
        return found


_FRAME = (
    *("func", "line", "address", "inlineDepth", "category", "subcategory", "nativeSymbol"),
    *("innerWindowID", "implementation", "column"),
)
_FUNCTION = (
    "name",
    "isJS",
    "relevantForJS",
    "resource",
    "fileName",
    "lineNumber",
    "columnNumber",
)
_MARKER = ("data", "name", "startTime", "endTime", "phase", "category")


def _table(columns: dict[str, list[Any]]) -> dict[str, Any]:
    return {**columns, "length": len(next(iter(columns.values())))}
