"""Sampled stacks: functions by share, and the call tree without what does not matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.report.formats import share
from django_hotpath.report.viewmodels.memorychart import MemoryChart, memory_chart
from django_hotpath.report.viewmodels.shares import part_of

ROWS = 40
TREE_ROWS = 300
# Calls with a smaller share are not rows of the tree.
LEAST = 0.01
# A run of so many frames of others that only call each other is one row.
RUN = 3
# From there on rows are not indented any further.
DEPTH = 24
_INDENT = 14


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A function, as rows name it."""

    function: str
    file: str
    line: int
    kind: str
    package: str
    tone: str

    @property
    def place(self) -> str:
        return f"{short_path(self.file)}:{self.line}" if self.file else self.package


@dataclass(frozen=True, kw_only=True)
class SampledFunction:
    frame: Frame
    samples: int
    own_ms: float
    cumulative_ms: float
    own_share: float
    cumulative_share: float

    @property
    def hot(self) -> bool:
        return self.own_share >= 0.05


@dataclass(frozen=True, kw_only=True)
class TreeRow:
    """A call in the tree; ``times`` frames of the same function when it calls itself.

    Without a ``frame`` it stands for a run of frames that only call each other: ``passed`` names
    them, ``packages`` where they are from.
    """

    depth: int
    frame: Frame | None
    total_ms: float
    own_ms: float
    total_share: float
    own_share: float
    times: int = 1
    passed: tuple[str, ...] = ()
    packages: str = ""

    @property
    def indent(self) -> int:
        return min(self.depth, DEPTH) * _INDENT

    @property
    def hot(self) -> bool:
        return self.own_share >= 0.05


@dataclass(frozen=True, kw_only=True)
class SampledMemory:
    first: int | None
    peak: int | None
    last: int | None
    chart: MemoryChart | None


@dataclass(frozen=True, kw_only=True)
class SamplesView:
    engine: str
    mode: str
    count: int
    sampled_ms: float
    wanted_period_ms: float
    achieved_period_ms: float | None
    margin: float
    """By how much a share may be off, from 0 to 1: nineteen times in twenty it is less."""
    functions: Sequence[SampledFunction]
    function_count: int
    tree: Sequence[TreeRow]
    left_out: int
    """Rows of the tree beyond the bound."""
    folded: int
    folded_share: float
    """Calls too small for a row, and the share of all of them."""
    memory: SampledMemory | None


def samples_view(samples: Mapping[str, Any]) -> SamplesView:
    functions = samples["functions"]
    total = samples["sampled_ms"]
    count = samples["samples"]
    heaviest = sorted(functions, key=lambda row: (-row["own_ms"], -row["cumulative_ms"]))
    tree = _Tree(samples["tree"], functions, total)
    rows = list(tree.rows())
    memory = samples.get("memory")
    return SamplesView(
        engine=str(samples["engine"]),
        mode=str(samples["mode"]),
        count=count,
        sampled_ms=total,
        wanted_period_ms=samples["wanted_period_ms"],
        achieved_period_ms=samples.get("achieved_period_ms"),
        # Largest for a share of one half.
        margin=min(1 / sqrt(count), 1.0) if count else 1.0,
        functions=[
            SampledFunction(
                frame=_frame(row),
                samples=row["calls"],
                own_ms=row["own_ms"],
                cumulative_ms=row["cumulative_ms"],
                own_share=share(row["own_ms"], total),
                cumulative_share=share(row["cumulative_ms"], total),
            )
            for row in heaviest[:ROWS]
        ],
        function_count=len(functions),
        tree=rows[:TREE_ROWS],
        left_out=max(len(rows) - TREE_ROWS, 0),
        folded=tree.folded,
        folded_share=share(tree.folded_ms, total),
        memory=SampledMemory(
            first=memory.get("rss_first"),
            peak=memory.get("rss_peak"),
            last=memory.get("rss_last"),
            chart=memory_chart(memory),
        )
        if memory
        else None,
    )


def _frame(row: Mapping[str, Any]) -> Frame:
    return Frame(
        function=str(row["function"]),
        file=str(row["file"] or ""),
        line=row["line"] or 0,
        kind=str(row["kind"]),
        package=str(row.get("package") or ""),
        tone=part_of(row)[1],
    )


class _Tree:
    """Walks the nodes largest first, without recursion: stacks may be 10,000 frames deep."""

    def __init__(
        self,
        tree: Mapping[str, Sequence[Any]],
        functions: Sequence[Mapping[str, Any]],
        total: float,
    ) -> None:
        self.functions = functions
        self.frame = tree["frame"]
        self.own, self.total = tree["own_ms"], tree["total_ms"]
        self.all_ms = total
        # Calls that are in no row, and what the topmost of them took.
        self.folded = 0
        self.folded_ms = 0.0
        self.children: list[list[int]] = [[] for _ in self.frame]
        least = total * LEAST
        small = [False] * len(self.frame)
        for node in range(1, len(self.frame)):
            above = tree["parent"][node]
            small[node] = small[above] or self.total[node] < least
            if not small[node]:
                self.children[above].append(node)
                continue
            self.folded += 1
            if not small[above]:
                self.folded_ms += self.total[node]
        for nodes in self.children:
            nodes.sort(key=lambda node: -self.total[node])

    def rows(self) -> Iterator[TreeRow]:
        waiting = [(node, 0) for node in reversed(self.children[0])]
        while waiting:
            node, depth = waiting.pop()
            run = self._passing(node)
            if len(run) >= RUN:
                yield self._run_row(run, depth)
                (node,) = self.children[run[-1]]
                depth += 1
            node, times = self._recursion(node)
            yield self._row(node, depth, times)
            waiting += [(child, depth + 1) for child in reversed(self.children[node])]

    def _passing(self, node: int) -> list[int]:
        """This node and those below it that are of others, and only call the next one."""
        run = []
        while (
            self.functions[self.frame[node]]["kind"] != "project"
            and len(self.children[node]) == 1
            and self.own[node] < self.all_ms * LEAST
        ):
            run.append(node)
            (node,) = self.children[node]
        return run

    def _recursion(self, node: int) -> tuple[int, int]:
        """The innermost of the frames of one function that only calls itself, and how many."""
        times = 1
        while len(self.children[node]) == 1:
            (child,) = self.children[node]
            if self.frame[child] != self.frame[node] or self.own[node] >= self.all_ms * LEAST:
                break
            node, times = child, times + 1
        return node, times

    def _row(self, node: int, depth: int, times: int) -> TreeRow:
        return TreeRow(
            depth=depth,
            frame=_frame(self.functions[self.frame[node]]),
            total_ms=self.total[node],
            own_ms=self.own[node],
            total_share=share(self.total[node], self.all_ms),
            own_share=share(self.own[node], self.all_ms),
            times=times,
        )

    def _run_row(self, run: Sequence[int], depth: int) -> TreeRow:
        rows = [self.functions[self.frame[node]] for node in run]
        packages = dict.fromkeys(str(row.get("package") or row["kind"]) for row in rows)
        own = sum(self.own[node] for node in run)
        return TreeRow(
            depth=depth,
            frame=None,
            total_ms=self.total[run[0]],
            own_ms=own,
            total_share=share(self.total[run[0]], self.all_ms),
            own_share=share(own, self.all_ms),
            times=len(run),
            passed=tuple(str(row["function"]) for row in rows[:50]),
            packages=", ".join(packages),
        )
