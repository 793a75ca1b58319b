"""The page of a comparison: from its plain values to what the template shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from django_hotpath.analysis.compare.model import (
    Comparison,
    Counted,
    FindingChange,
    FunctionChange,
    LayerChange,
    Measured,
    QueryChange,
)
from django_hotpath.analysis.compare.model import Side as ComparedSide
from django_hotpath.analysis.compare.model import Site as ComparedSite
from django_hotpath.analysis.difftree import DiffTree
from django_hotpath.analysis.layers import layer
from django_hotpath.capture import CallSite, Capture
from django_hotpath.report import formats
from django_hotpath.report.viewmodels import sites
from django_hotpath.report.viewmodels.flame import FrameTable
from django_hotpath.report.viewmodels.strips import Strip, change_bar, strip

TONES = {
    "less": "better",
    "more": "worse",
    "same": "even",
    "unclear": "unsure",
    "too_few": "unsure",
    "refused": "unsure",
}
SHOWN_FUNCTIONS = 40
SHOWN_QUERIES = 200


@dataclass(frozen=True, kw_only=True)
class Run:
    """One capture of a set, as a link."""

    url: str
    number: int
    wall_ms: float
    left_out: bool


@dataclass(frozen=True, kw_only=True)
class SideView:
    letter: str
    label: str
    route: str
    started_at: str
    ended_at: str
    runs: tuple[Run, ...]
    instruments: str
    set_url: str
    """The set by itself, to choose something else to compare it with."""


@dataclass(frozen=True, kw_only=True)
class TimeRow:
    measured: Measured
    tone: str
    change: str
    """The most likely one, in percent; empty where there is no verdict."""
    strip: Strip
    interval: dict[str, float] | None


@dataclass(frozen=True, kw_only=True)
class CountRow:
    label: str
    before: str
    after: str
    change: str
    tone: str


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    layer: LayerChange
    before: float
    after: float
    """Widths from 0 to 1 of the longest bar."""
    change: float


@dataclass(frozen=True, kw_only=True)
class QueryRow:
    query: QueryChange
    word: str
    before_site: sites.Site | None
    after_site: sites.Site | None


@dataclass(frozen=True, kw_only=True)
class FindingRow:
    finding: FindingChange
    word: str
    site: sites.Site | None
    before_url: str
    after_url: str
    note: str


@dataclass(frozen=True, kw_only=True)
class FunctionRow:
    function: FunctionChange
    own_change: float
    site: sites.Site | None
    tone: str


def side_view(letter: str, side: ComparedSide, captures: Sequence[Capture]) -> SideView:
    left_out = set(side.left_out)
    ordered = sorted(captures, key=lambda capture: capture.id)
    ids = ",".join(capture.id for capture in ordered)
    return SideView(
        letter=letter,
        label=side.label,
        route=side.route or "",
        started_at=side.started_at,
        ended_at=side.ended_at,
        runs=tuple(
            Run(
                url=reverse("hotpath:capture", args=[capture.id]),
                number=number,
                wall_ms=capture.timing.wall_ms,
                left_out=capture.id in left_out,
            )
            for number, capture in enumerate(ordered, start=1)
        ),
        instruments=", ".join(side.instruments),
        set_url=f"{reverse('hotpath:compare')}?a={ids}",
    )


def time_rows(comparison: Comparison) -> list[TimeRow]:
    rows = []
    for measured in comparison.times:
        change = "" if measured.change is None else signed_percent(measured.change)
        if measured.change is None and measured.shift_ms is not None:
            change = signed_ms(measured.shift_ms)
        rows.append(
            TimeRow(
                measured=measured,
                tone=TONES[measured.outcome],
                change=change,
                strip=strip(measured.before, measured.after),
                interval=change_bar(measured.change, measured.change_low, measured.change_high),
            )
        )
    return rows


def count_rows(counts: Sequence[Counted]) -> list[CountRow]:
    return [
        CountRow(
            label=found.label,
            before=_span(found.before, found.unit),
            after=_span(found.after, found.unit),
            change=_count_change(found),
            tone=TONES[found.outcome],
        )
        for found in counts
    ]


def _span(values: tuple[int, int] | None, unit: str) -> str:
    if values is None:
        return formats.MISSING
    write = formats.byte_size if unit == "bytes" else formats.count
    low, high = write(values[0]), write(values[1])
    return low if low == high else f"{low} to {high}"


def _count_change(found: Counted) -> str:
    if found.before is None or found.after is None:
        return "not measured in both"
    if found.outcome == "same":
        return "the same"
    if found.before[0] != found.before[1] or found.after[0] != found.after[1]:
        words = {"less": "fewer", "more": "more", "unclear": "the runs differ"}
        return words[found.outcome]
    change = found.after[0] - found.before[0]
    size = formats.byte_size if found.unit == "bytes" else formats.count
    text = size(abs(change))
    return f"{'+' if change > 0 else formats.MINUS}{text}"


def layer_rows(layers: Sequence[LayerChange]) -> list[LayerRow]:
    longest = max((max(found.before_ms, found.after_ms) for found in layers), default=0.0)
    return [
        LayerRow(
            layer=found,
            before=formats.share(found.before_ms, longest),
            after=formats.share(found.after_ms, longest),
            change=found.after_ms - found.before_ms,
        )
        for found in layers
        # A hundredth of a millisecond is nobody's concern beside a request.
        if max(found.before_ms, found.after_ms) >= longest / 1_000
    ]


def query_rows(queries: Sequence[QueryChange]) -> list[QueryRow]:
    words = {"new": "appeared", "gone": "vanished", "more": "more often", "fewer": "less often"}
    return [
        QueryRow(
            query=found,
            word=words.get(found.state, "moved" if found.moved else "as before"),
            before_site=_site(found.before_site),
            after_site=_site(found.after_site),
        )
        for found in queries
    ]


def finding_rows(comparison: Comparison) -> list[FindingRow]:
    words = {"fixed": "Fixed", "new": "New", "still": "Still there"}
    runs_a, runs_b = len(comparison.a.ids), len(comparison.b.ids)
    return [
        FindingRow(
            finding=found,
            word=words[found.state],
            site=_site(found.site),
            before_url=_finding_url(found.before_capture, found.before_number),
            after_url=_finding_url(found.after_capture, found.after_number),
            note=_finding_note(found, runs_a, runs_b),
        )
        for found in comparison.findings
    ]


def _finding_url(capture: str | None, number: int | None) -> str:
    if capture is None or number is None:
        return ""
    return f"{reverse('hotpath:capture', args=[capture])}#finding-{number}"


def _finding_note(found: FindingChange, runs_a: int, runs_b: int) -> str:
    parts = []
    if found.state == "still" and found.before_count != found.after_count:
        parts.append(
            f"{formats.count(found.before_count)} → {formats.count(found.after_count)} times"
        )
    for letter, seen, runs in (("A", found.before_runs, runs_a), ("B", found.after_runs, runs_b)):
        if 0 < seen < runs:
            parts.append(f"in {seen} of {runs} runs of {letter}")
    return ", ".join(parts)


def function_rows(functions: Sequence[FunctionChange]) -> list[FunctionRow]:
    rows = []
    for found in functions:
        change = found.after_own_ms - found.before_own_ms
        if abs(change) < 0.0005 and found.before_calls == found.after_calls:
            continue
        rows.append(
            FunctionRow(
                function=found,
                own_change=change,
                site=sites.site({"file": found.file, "line": found.line}) if found.file else None,
                tone=layer(found.layer).tone,
            )
        )
    return rows


def _site(found: ComparedSite | None) -> sites.Site | None:
    if found is None:
        return None
    return sites.site(
        CallSite(
            file=found.file,
            line=found.line,
            function=found.function,
            template=found.template,
            template_line=found.template_line,
        )
    )


def signed_percent(change: float) -> str:
    digits = 0 if abs(change) >= 0.0995 else 1
    figure = f"{abs(change) * 100:.{digits}f}"
    sign = "" if float(figure) == 0 else "+" if change > 0 else formats.MINUS
    return f"{sign}{figure}{formats.NBSP}%"


def signed_ms(change: float) -> str:
    sign = "+" if change > 0 else formats.MINUS if change < 0 else ""
    return sign + formats.ms(abs(change))


def flame_data(tree: DiffTree) -> dict[str, Any]:
    """As ``viewmodels/flame.py`` says, with what was before beside it."""
    table = FrameTable()
    frames = [table.add(function) for function in tree.functions]
    rounded = {
        name: [round(value, 4) for value in getattr(tree, name)]
        for name in ("own", "total", "own0", "total0")
    }
    total, total0 = tree.total[0], tree.total0[0]
    missing = max(total - sum(tree.own), total0 - sum(tree.own0), 0.0)
    return {
        "unit": "ms",
        "diff": True,
        "total": round(total, 4),
        "total0": round(total0, 4),
        **table.data(),
        "nodes": {
            "parent": tree.parent,
            "frame": [frames[frame] if frame >= 0 else -1 for frame in tree.frame],
            "calls": [round(count, 2) for count in tree.calls],
            "calls0": [round(count, 2) for count in tree.calls0],
            **rounded,
        },
        "spans": None,
        "waits": [],
        "approximate": False,
        "omitted": {"nodes": tree.omitted, "ms": round(missing, 4) if tree.omitted else 0},
        "sources": [{"key": "diff", "label": "Before and after", "note": ""}],
    }
