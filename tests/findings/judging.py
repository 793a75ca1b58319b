"""Holds what was found in a case against its label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django_hotpath.capture import CallSite, Finding
from tests.findings.case import POTENTIAL, Case, Expected
from tests.findings.running import Ran


@dataclass(frozen=True)
class Judged:
    """``pairs``: each expected finding with the one that was found for it, or None.

    ``others``: found and not expected. ``wrong``: in words, everything that is not as the label
    says, missing and unexpected ones included.
    """

    pairs: Sequence[tuple[Expected, Finding | None]]
    others: Sequence[Finding]
    wrong: Sequence[str]


def judge(case: Case, ran: Ran) -> Judged:
    """What the capture of the slow function says, beside what it should."""
    left = [
        finding for kind in sorted({e.kind for e in case.expected}) for finding in ran.found(kind)
    ]
    pairs: list[tuple[Expected, Finding | None]] = []
    wrong: list[str] = []
    for expected in case.expected:
        finding = max(left, key=lambda finding: _likeness(case, expected, finding), default=None)
        if finding is None or _likeness(case, expected, finding) < 2:
            pairs.append((expected, None))
            wrong.append(f"missing: {expected.relation} at {case.read(expected)}")
            continue
        left.remove(finding)
        pairs.append((expected, finding))
        wrong += _differences(case, expected, finding)
    wrong += [f"not expected: {describe(finding)}" for finding in left]
    return Judged(pairs, left, wrong)


def same_place(finding: Finding, other: Finding) -> bool:
    """Whether both tell of one loop, wherever edits have moved its lines."""
    return (
        finding.kind == other.kind
        and finding.relation == other.relation
        and _function(finding.call_site) == _function(other.call_site)
        and _function(finding.origin) == _function(other.origin)
    )


def describe(finding: Finding) -> str:
    return (
        f"{finding.kind} of {finding.relation}, {finding.count} at {finding.call_site}, "
        f"made at {finding.origin}"
    )


def _likeness(case: Case, expected: Expected, finding: Finding) -> int:
    """2 for the relation, 1 each for the line and the queryset; a loose one goes by its line."""
    here = str(finding.call_site) == str(case.read(expected))
    if expected.relation is None and here:
        return 3
    origin = case.origin(expected)
    return (
        2 * (finding.relation == expected.relation and finding.relation is not None)
        + here
        + (origin is not None and str(finding.origin) == str(origin))
    )


def _differences(case: Case, expected: Expected, finding: Finding) -> Iterator[str]:
    values: list[tuple[str, object, object]] = [
        ("relation", expected.relation, finding.relation),
        ("read at", str(case.read(expected)), str(finding.call_site)),
        ("queries", expected.queries, finding.count),
        ("queries listed", expected.listed or expected.queries, len(finding.queries)),
    ]
    origin = case.origin(expected)
    if origin is not None:
        values.append(("made at", str(origin), str(finding.origin)))
    if expected.level == POTENTIAL:
        values.append(("severity", "low", finding.severity))
    for name, wanted, got in values:
        if wanted != got:
            yield f"{name}: {got} instead of {wanted}"
    if finding.fix is None or not finding.fix.summary:
        yield "no fix"
    elif expected.fix and finding.fix.kind not in expected.fix:
        yield f"fix: {finding.fix.kind or 'none'} instead of {' or '.join(expected.fix)}"


def _function(site: CallSite | None) -> tuple[str, str] | None:
    if site is None:
        return None
    return (site.template or site.file, site.function)
