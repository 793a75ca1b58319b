"""``allocations`` by tracemalloc: what was allocated where and is still alive, and the peak."""

from __future__ import annotations

import linecache
import tracemalloc
from typing import Any, ClassVar

from django_hotpath.callsite import locate
from django_hotpath.instruments.base import Instrument, Session

MAX_ROWS = 100


class TracemallocAllocations(Instrument):
    name = "allocations"
    engine = "tracemalloc"
    measures = (
        "Memory that Python allocated and still holds when the answer is ready, by line and by "
        "file: two snapshots compared, and the peak between them."
    )
    cost = "makes code that allocates 3 to 10 times slower: the times of such a run mean nothing"
    disturbed_by = (
        "It traces the whole process: allocations of other requests count. Memory that extensions "
        "take from the operating system by themselves is not seen. When tracing was on already, "
        "nothing is compared: a snapshot of a traced heap takes seconds."
    )
    process_wide: ClassVar[str | None] = "tracemalloc"
    nframe: ClassVar[int] = 1

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self._foreign = False
        self._before: tracemalloc.Snapshot | None = None
        self._after: tracemalloc.Snapshot | None = None
        self._traced_before = 0
        self._traced_after = 0
        self._peak = 0

    def start(self) -> None:
        self._foreign = tracemalloc.is_tracing()
        if self._foreign:
            self.warnings.append(
                "allocations: tracemalloc was already tracing, so only its counters are shown; "
                "the peak is the highest since tracing began"
            )
        else:
            tracemalloc.start(self.nframe)
            self._before = tracemalloc.take_snapshot()
        self._traced_before, _ = tracemalloc.get_traced_memory()

    def stop(self) -> None:
        if not tracemalloc.is_tracing():
            self.warnings.append("allocations: the application stopped tracemalloc meanwhile")
            return
        self._traced_after, self._peak = tracemalloc.get_traced_memory()
        if not self._foreign:
            self._after = tracemalloc.take_snapshot()
            tracemalloc.stop()

    def result(self) -> dict[str, Any]:
        by_line, tools = self._compare()
        self._before = self._after = None
        return {
            "engine": self.engine,
            "nframe": tracemalloc.get_traceback_limit() if self._foreign else self.nframe,
            "foreign": self._foreign,
            "traced_before": self._traced_before,
            "traced_after": self._traced_after,
            "traced_peak": self._peak,
            "total_size": sum(row["size"] for row in by_line),
            "total_count": sum(row["count"] for row in by_line),
            "by_line": [_with_source(row) for row in by_line[:MAX_ROWS]],
            "by_file": _by_file(by_line)[:MAX_ROWS],
            "tools_size": tools,
        }

    def _compare(self) -> tuple[list[dict[str, Any]], int]:
        if self._before is None or self._after is None:
            return [], 0
        rows: list[dict[str, Any]] = []
        tools = 0
        for difference in self._after.compare_to(self._before, "lineno"):
            frame = difference.traceback[0]
            where = locate(frame.filename)
            if where.kind == "hotpath" or frame.filename == tracemalloc.__file__:
                tools += difference.size_diff
                continue
            rows.append(
                {
                    "file": where.file,
                    "line": frame.lineno,
                    "kind": where.kind,
                    "size": difference.size_diff,
                    "count": difference.count_diff,
                    "filename": frame.filename,
                }
            )
        rows.sort(key=lambda row: -row["size"])
        return rows, tools


def _by_file(by_line: list[dict[str, Any]]) -> list[dict[str, Any]]:
    files: dict[str, dict[str, Any]] = {}
    for row in by_line:
        file: dict[str, Any] = {"file": row["file"], "kind": row["kind"], "size": 0, "count": 0}
        file = files.setdefault(row["file"], file)
        file["size"] += row["size"]
        file["count"] += row["count"]
    return sorted(files.values(), key=lambda file: -int(file["size"]))


def _with_source(row: dict[str, Any]) -> dict[str, Any]:
    filename = row.pop("filename")
    row["source"] = linecache.getline(filename, row["line"]).strip()[:200]
    return row
