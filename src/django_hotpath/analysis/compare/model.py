"""What a comparison says, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["less", "more", "same", "unclear", "too_few", "refused"]
"""``less`` and ``more``: of B than of A. ``same``: exactly, or no difference that can be measured.
``unclear``: runs of one set disagree, or drift. ``refused``: the two cannot be compared."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A noisy figure of both sets: times, in milliseconds."""

    name: str
    label: str
    before: tuple[float, ...]
    """One value a run, in the order of time."""
    after: tuple[float, ...]
    median_before: float | None
    median_after: float | None
    outcome: Outcome
    text: str
    """The verdict on this figure as part of a sentence."""
    p: float | None = None
    change: float | None = None
    """From A to B as a share of A: -0.45 is 45 % less. The most likely one, and the interval."""
    change_low: float | None = None
    change_high: float | None = None
    shift_ms: float | None = None
    shift_low_ms: float | None = None
    shift_high_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A figure that is the same in every run unless the code does something else."""

    name: str
    label: str
    unit: str
    """"" or "bytes"."""
    before: tuple[int, int] | None
    """The least and the most of the runs; None: not measured."""
    after: tuple[int, int] | None
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Site:
    file: str
    line: int
    function: str
    template: str | None = None
    template_line: int | None = None

    def __str__(self) -> str:
        if self.template is not None:
            return f"{self.template}:{self.template_line}"
        return f"{self.file}:{self.line}"


State = Literal["new", "gone", "more", "fewer", "same"]


@dataclass(frozen=True, kw_only=True)
class QueryChange:
    """A statement, by its fingerprint and the place that ran it; medians of the runs."""

    fingerprint: str
    sql: str
    alias: str
    state: State
    moved: bool
    """It is run from another function or template than before."""
    before_site: Site | None
    after_site: Site | None
    before: float
    after: float
    before_ms: float
    after_ms: float


@dataclass(frozen=True, kw_only=True)
class FindingChange:
    """A finding, by its kind, relation and place."""

    state: Literal["fixed", "new", "still"]
    kind: str
    severity: str
    title: str
    site: Site | None
    relation: str | None
    before_runs: int
    """In how many of the runs it was found."""
    after_runs: int
    before_count: int | None
    after_count: int | None
    before_capture: str | None
    """A capture that shows it, and its number there."""
    before_number: int | None
    after_capture: str | None
    after_number: int | None


@dataclass(frozen=True, kw_only=True)
class FunctionChange:
    """Means of the runs; ``certain``: the own times of the two sets differ by more than chance."""

    function: str
    file: str
    line: int
    kind: str
    layer: str
    before_calls: float
    after_calls: float
    before_own_ms: float
    after_own_ms: float
    before_ms: float
    after_ms: float
    certain: bool


@dataclass(frozen=True, kw_only=True)
class LayerChange:
    """Own time of a layer (``analysis/layers.py``), the mean of the runs."""

    key: str
    label: str
    tone: str
    before_ms: float
    after_ms: float


@dataclass(frozen=True, kw_only=True)
class Side:
    """The runs of one set."""

    ids: tuple[str, ...]
    """Of those that count, in the order of time."""
    left_out: tuple[str, ...]
    """Ids of first requests of a process, which load what later ones find loaded."""
    label: str
    route: str | None
    started_at: str
    ended_at: str
    instruments: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Of B, the later code, with A. Everything is plain data: ``to_dict()`` is JSON-able."""

    verdict: str
    """The whole of it in one sentence."""
    outcome: Outcome
    """Of the wall time."""
    a: Side
    b: Side
    times: tuple[Measured, ...]
    """Wall, CPU, database, … as far as measured; the wall time is the first."""
    counts: tuple[Counted, ...]
    layers: tuple[LayerChange, ...]
    functions: tuple[FunctionChange, ...]
    """Those whose own time changed most, most first, at most 200."""
    queries: tuple[QueryChange, ...]
    """All statements, those that changed first."""
    findings: tuple[FindingChange, ...]
    cautions: tuple[str, ...]
    """What makes the figures less sure than they look."""
    notes: tuple[str, ...]
    """What else to know: runs left out, how to see smaller differences."""

    @property
    def faster(self) -> bool:
        """B takes less time than A, beyond chance."""
        return self.outcome == "less"

    @property
    def slower(self) -> bool:
        return self.outcome == "more"

    def time(self, name: str) -> Measured | None:
        return next((found for found in self.times if found.name == name), None)

    def count(self, name: str) -> Counted | None:
        return next((found for found in self.counts if found.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)
