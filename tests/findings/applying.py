"""Applies the fix of a finding to the letter, runs the function again, and counts."""

from __future__ import annotations

from dataclasses import dataclass

from django_hotpath.capture import Finding
from tests.findings.case import Case
from tests.findings.judging import describe, same_place
from tests.findings.running import Ran, run
from tests.findings.shadow import applied


@dataclass(frozen=True)
class Applied:
    """``predicted``: what the fix promised; ``wrong``: what it did not keep of it, in words."""

    predicted: int
    after: Ran
    wrong: tuple[str, ...]


def apply_and_count(case: Case, finding: Finding, before: Ran) -> Applied:
    """Runs the slow function of the case with the fix of the finding applied."""
    fix = finding.fix
    assert fix is not None
    assert fix.edits, f"nothing to apply: {fix.summary}"
    assert fix.predicted is not None
    with applied(fix):
        after = run(case.function("slow"))
    promised_before, promised = fix.predicted.queries
    wrong = []
    if promised_before != before.count:
        wrong.append(f"predicted from {promised_before} queries, which were {before.count}")
    if after.count != promised:
        wrong.append(f"{after.count} queries instead of the predicted {promised}")
    if after.answer != before.answer:
        wrong.append(f"another answer: {after.answer!r} instead of {before.answer!r}")
    if _like(finding, after) >= _like(finding, before):
        wrong.append(f"still there: {describe(finding)}")
    return Applied(promised, after, tuple(wrong))


def _like(finding: Finding, ran: Ran) -> int:
    return sum(same_place(finding, other) for other in ran.found(finding.kind))
