"""What a replay showed of a fix, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django_hotpath.capture import Capture, Finding
from django_hotpath.report.formats import ms
from django_hotpath.verification.target import refusal


@dataclass(frozen=True, kw_only=True)
class VerdictView:
    line: str
    confirmed: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class VerifyOffer:
    """Where to have a fix verified, or why that cannot be: one of the two is empty."""

    url: str
    refused: str


def verdict_view(finding: Finding) -> VerdictView | None:
    """None for a finding that nobody verified."""
    verified = finding.verified
    if verified is None:
        return None
    before, after = verified.wall_ms
    word = "confirmed" if verified.confirmed else "not confirmed"
    notes = [verified.remark] if verified.remark else []
    if verified.rounds and verified.spread_ms:
        runs = "1 run of each kind" if verified.rounds == 1 else f"{verified.rounds} runs of each"
        (least, most), (fixed_least, fixed_most) = verified.spread_ms
        spread = f": {ms(least)} to {ms(most)}, with the fix {ms(fixed_least)} to {ms(fixed_most)}"
        notes.append(f"{runs}{spread if verified.rounds > 1 else ''}.")
    if finding.fix and finding.fix.kind in {"select_related", "list_select_related"}:
        notes.append(
            "A replay fetches the related rows by a query of their own; select_related() joins "
            "them into the first one, which is one query fewer a relation."
        )
    return VerdictView(
        line=f"{change(*verified.queries)}, {ms(before)} → {ms(after)}, {word}",
        confirmed=verified.confirmed,
        notes=tuple(notes),
    )


def change(before: int, after: int) -> str:
    return f"{before} → {after} {'query' if before == after == 1 else 'queries'}"


def verify_offer(
    capture: Capture, number: int, url: Callable[[int], str] | None
) -> VerifyOffer | None:
    """For the finding with that number; None where there is no address or no change to try."""
    finding = capture.findings[number]
    if url is None or finding.fix is None or not (finding.fix.kind or finding.fix.predicted):
        return None
    refused = refusal(capture, finding)
    return VerifyOffer(url="" if refused else url(number), refused=refused or "")
