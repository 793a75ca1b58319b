"""What each part of ``overhead.py`` and ``queries.py`` is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from harness.contenders import Contender
from harness.tables import Table

VIEWS = ("hello", "template", "nplus1")


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured: processes and rounds."""

    idle_processes: int
    idle_turns: int
    idle_rounds: int
    # Requests to a view before it is timed: imports, caches, specialised bytecode.
    warm_up: int
    hello_rounds: int
    hello_times: int
    view_rounds: int
    query_pairs: int
    # Statements of one request, as many as a capture keeps; and how often it is made.
    many: int
    many_rounds: int

    def of(self, view: str) -> tuple[int, int]:
        """Rounds, and requests a round."""
        if view == "hello":
            return self.hello_rounds, self.hello_times
        return self.view_rounds, 1


FULL = Effort(
    idle_processes=3,
    idle_turns=6,
    idle_rounds=40,
    warm_up=3,
    hello_rounds=25,
    hello_times=10,
    view_rounds=15,
    query_pairs=120,
    many=20_000,
    many_rounds=1,
)
QUICK = Effort(
    idle_processes=1,
    idle_turns=1,
    idle_rounds=20,
    warm_up=0,
    hello_rounds=2,
    hello_times=5,
    view_rounds=1,
    query_pairs=3,
    many=1_000,
    many_rounds=1,
)


@dataclass(frozen=True)
class Target:
    """A promise, held against what was measured."""

    text: str
    measured: float
    limit: float
    unit: str

    def line(self, *, judged: bool) -> str:
        verdict = "holds" if self.measured <= self.limit else "MISSED"
        figures = f"{self.text}: {self.measured:.2f} {self.unit}, limit {self.limit:g}"
        return f"{verdict}: {figures}" if judged else figures


@dataclass(frozen=True)
class Outcome:
    tables: list[Table]
    targets: list[Target]


@dataclass(frozen=True)
class Truth:
    """What a part of ``truth.py`` gives back.

    ``reasons`` say by row why it was not measured; ``failed`` is what should have worked.
    """

    tables: list[Table] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def fill(
    table: Table,
    wanted: Iterable[Contender],
    problems: dict[str, str],
    cells: Callable[[Contender], list[str]],
) -> None:
    """A row for each contender: its cells, or why there are none."""
    for contender in wanted:
        if contender.key in problems:
            # The reason of a failure is a sentence: it is printed below the tables.
            table.add_absent(contender.label, problems[contender.key].partition(":")[0])
        else:
            table.add(contender.label, cells(contender))
