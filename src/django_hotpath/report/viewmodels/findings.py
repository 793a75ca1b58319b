"""Findings as cards; and, without any, where most of the time went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django_hotpath.analysis.findings import LOOKED_FOR
from django_hotpath.capture import SEVERITIES, Capture, Finding, Predicted
from django_hotpath.report.formats import ms, percent, share
from django_hotpath.report.viewmodels.shares import Shares
from django_hotpath.report.viewmodels.sites import Site, site
from django_hotpath.report.viewmodels.verdicts import (
    VerdictView,
    VerifyOffer,
    change,
    verdict_view,
    verify_offer,
)

_SEVERITIES = {name: place for place, name in enumerate(SEVERITIES)}


@dataclass(frozen=True, kw_only=True)
class FindingCard:
    key: int
    kind: str
    severity: str
    severity_word: str
    title: str
    detail: str
    count: int
    cost_ms: float
    share: float
    site: Site | None
    relation: str
    origin: Site | None
    fix: str
    code: str
    predicted: str
    saves: str
    """What the fix saves, in milliseconds; empty: not predicted, see ``cost_ms``."""
    verified: VerdictView | None
    verify: VerifyOffer | None
    queries: tuple[int, ...]
    open: bool
    """Whether it is unfolded at first: the first one."""
    groups: tuple[int, ...]
    """Keys of the query groups concerned, the one with most of its statements first."""


@dataclass(frozen=True, kw_only=True)
class NoFinding:
    looked_for: str
    most: str


def finding_cards(
    capture: Capture,
    group_of: Mapping[int, int],
    *,
    stored: Capture | None = None,
    verify: Callable[[int], str] | None = None,
) -> tuple[FindingCard, ...]:
    """``verify`` gives the address at which a finding of ``stored`` is verified, by its number.

    ``stored`` is the capture as it is kept: what was found by comparing it is not in there.
    """
    kept = {id(found): number for number, found in enumerate((stored or capture).findings)}
    ranked = sorted(enumerate(capture.findings), key=lambda entry: _rank(entry[1]))
    return tuple(
        _card(
            key,
            finding,
            place == 0,
            capture.timing.wall_ms,
            group_of,
            verify_offer(stored or capture, kept[id(finding)], verify)
            if id(finding) in kept
            else None,
        )
        for place, (key, finding) in enumerate(ranked)
    )


def worth_ms(finding: Finding) -> float:
    """Milliseconds that fixing it saves, as predicted; else what it costs, which is the most."""
    predicted = finding.fix.predicted if finding.fix else None
    saved = predicted.saved_ms if predicted else 0.0
    return saved if saved > 0 else finding.cost_ms


def _rank(finding: Finding) -> tuple[float, int]:
    """By what fixing it saves, then by severity."""
    return -round(worth_ms(finding), 2), _SEVERITIES[finding.severity]


def _card(
    key: int,
    finding: Finding,
    first: bool,
    wall_ms: float,
    group_of: Mapping[int, int],
    offer: VerifyOffer | None,
) -> FindingCard:
    fix = finding.fix
    members: dict[int, int] = {}
    for index in finding.queries:
        if index in group_of:
            members[group_of[index]] = members.get(group_of[index], 0) + 1
    return FindingCard(
        key=key,
        kind=finding.kind.replace("_", " ").replace("n plus one", "N+1"),
        severity=finding.severity,
        severity_word=finding.severity.capitalize(),
        title=finding.title,
        detail=finding.detail,
        count=finding.count,
        cost_ms=finding.cost_ms,
        share=share(finding.cost_ms, wall_ms),
        site=site(finding.call_site),
        relation=finding.relation or "",
        origin=site(finding.origin),
        fix=fix.summary if fix else "",
        code=(fix.code or "") if fix else "",
        predicted=_predicted(finding),
        saves=_saves(finding),
        verified=verdict_view(finding),
        verify=offer,
        queries=finding.queries,
        open=first,
        groups=tuple(sorted(members, key=lambda group: -members[group])),
    )


def _predicted(finding: Finding) -> str:
    predicted = finding.fix.predicted if finding.fix else None
    if predicted is None:
        return ""
    before, after = predicted.queries
    saving = _saving(predicted)
    return f"{change(before, after)}, {saving}" if before != after else saving


def _saves(finding: Finding) -> str:
    predicted = finding.fix.predicted if finding.fix else None
    if predicted is None or predicted.saved_ms <= 0:
        return ""
    if predicted.spread_ms is None:
        return f"about {ms(predicted.saved_ms)}"
    least, most = predicted.spread_ms
    return f"{ms(least)} to {ms(most)}"


def _saving(predicted: Predicted) -> str:
    if predicted.spread_ms is None:
        return f"saves about {ms(predicted.saved_ms)} in the database, and the work around it"
    least, most = predicted.spread_ms
    return f"saves {ms(least)} to {ms(most)}"


def no_finding(capture: Capture, where: Shares | None) -> NoFinding:
    """What was measured and therefore looked at, and where most of the time went all the same."""
    looked = "; ".join(text for name, text in LOOKED_FOR.items() if name in capture.instruments)
    most = f"It took {ms(capture.timing.wall_ms)}"
    if where and (part := where.largest):
        most += (
            f"; the largest part is {part.label} with {ms(part.ms)} ({percent(part.percent / 100)})"
        )
    calls = capture.instruments.get("calls")
    heaviest = (
        max(
            (row for row in calls["functions"] if row["kind"] != "hotpath"),
            key=lambda row: row["own_ms"],
            default=None,
        )
        if calls
        else None
    )
    if heaviest:
        place = site(heaviest)
        most += f". The function with most own time is {heaviest['function']}"
        most += f" ({place.place})" if place and heaviest["file"] else ""
        most += f" with {ms(heaviest['own_ms'])}"
    return NoFinding(looked_for=looked, most=most + ".")
