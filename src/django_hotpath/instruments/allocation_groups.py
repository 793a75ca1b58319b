"""Traces of tracemalloc summed by line, file and traceback, in plain data."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from typing import Any

from django_hotpath.callsite import Where, locate
from django_hotpath.instruments.named_frames import KINDS as NAMED_FRAMES
from django_hotpath.sources import source_lines

MAX_ROWS = 100
MAX_TRACEBACKS = 50

Frames = tuple[tuple[str, int], ...]
# Domain, size, frames from the innermost outwards, how many frames there were.
Traces = Iterable[tuple[int, int, Frames, int | None]]
# Bytes and blocks.
Groups = dict[Frames, list[int]]


def raw_traces(snapshot: tracemalloc.Snapshot) -> Traces:
    """The traces as tracemalloc keeps them.

    Its own statistics make an object of each traceback and compare those in Python.
    """
    traces: Any = snapshot.traces
    raw = getattr(traces, "_traces", None)
    if raw is not None:
        return raw  # type: ignore[no-any-return]
    return [
        (
            trace.domain,
            trace.size,
            tuple((frame.filename, frame.lineno) for frame in reversed(trace.traceback)),
            None,
        )
        for trace in traces
    ]


def group(traces: Traces) -> Groups:
    groups: Groups = {}
    for _domain, size, frames, _total in traces:
        row = groups.get(frames)
        if row is None:
            groups[frames] = [size, 1]
        else:
            row[0] += size
            row[1] += 1
    return groups


def plain_groups(groups: Groups) -> dict[str, Any]:
    """``by_line``, ``by_file``, ``by_traceback``, their totals and ``tools_size``."""
    tools = 0
    lines: dict[tuple[str, int], list[int]] = {}
    kept: Groups = {}
    for frames, (size, count) in groups.items():
        if _is_of_tools(frames):
            tools += size
            continue
        kept[frames] = [size, count]
        row = lines.setdefault(frames[0], [0, 0])
        row[0] += size
        row[1] += count
    ranked = sorted(lines.items(), key=lambda item: -item[1][0])
    with_source = source_lines([line for line, _ in ranked[:MAX_ROWS]])
    return {
        "total_size": sum(size for size, _ in lines.values()),
        "total_count": sum(count for _, count in lines.values()),
        "by_line": [
            {**_place(line), "size": size, "count": count, "source": source}
            for (line, (size, count)), source in zip(ranked, with_source, strict=False)
        ],
        "by_file": _by_file(lines),
        "by_traceback": _by_traceback(kept),
        "tools_size": tools,
    }


def _is_of_tools(frames: Frames) -> bool:
    """What the standard library allocates for a profiling tool is the tool's."""
    for filename, _line in frames:
        kind = locate(filename).kind
        if kind == "hotpath" or kind in NAMED_FRAMES or filename == tracemalloc.__file__:
            return True
        if kind != "stdlib":
            return False
    return False


def _place(line: tuple[str, int]) -> dict[str, Any]:
    where = locate(line[0])
    return {"file": where.file, "line": line[1], "kind": where.kind}


def _by_file(lines: dict[tuple[str, int], list[int]]) -> list[dict[str, Any]]:
    files: dict[Where, dict[str, Any]] = {}
    for (filename, _line), (size, count) in lines.items():
        where = locate(filename)
        row = files.get(where)
        if row is None:
            row = files[where] = {"file": where.file, "kind": where.kind, "size": 0, "count": 0}
        row["size"] += size
        row["count"] += count
    return sorted(files.values(), key=lambda row: -int(row["size"]))[:MAX_ROWS]


def _by_traceback(groups: Groups) -> list[dict[str, Any]]:
    """Only where more than a line was kept of some allocation."""
    if all(len(frames) <= 1 for frames in groups):
        return []
    ranked = sorted(groups.items(), key=lambda item: -item[1][0])[:MAX_TRACEBACKS]
    return [
        {"frames": [_place(line) for line in reversed(frames)], "size": size, "count": count}
        for frames, (size, count) in ranked
    ]
