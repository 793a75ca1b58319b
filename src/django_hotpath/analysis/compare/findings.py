"""Findings that are fixed, new, or still there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

from django_hotpath.analysis.compare.model import FindingChange, Site
from django_hotpath.analysis.compare.queries import place_of, site_of
from django_hotpath.capture import Capture, Finding

Key = tuple[str, str | None, tuple[str, str], int]

_ORDER = {"new": 0, "still": 1, "fixed": 2}
_SEVERITY = {"high": 0, "medium": 1, "low": 2}


@dataclass
class _Seen:
    finding: Finding
    site: Site | None
    capture: str
    number: int
    runs: set[str] = field(default_factory=set)


def findings(a: Sequence[Capture], b: Sequence[Capture]) -> list[FindingChange]:
    """New ones first. One counts as found in a set if at least half of its runs show it."""
    before, after = _seen(a), _seen(b)
    found = []
    for key in [*before, *(key for key in after if key not in before)]:
        old, now = before.get(key), after.get(key)
        was = old is not None and 2 * len(old.runs) >= len(a)
        is_now = now is not None and 2 * len(now.runs) >= len(b)
        if not was and not is_now:
            continue
        state: Literal["fixed", "new", "still"] = (
            "still" if was and is_now else "new" if is_now else "fixed"
        )
        found.append(_change(state, old, now))
    return sorted(found, key=lambda f: (_ORDER[f.state], _SEVERITY.get(f.severity, 3)))


def _seen(captures: Sequence[Capture]) -> dict[Key, _Seen]:
    found: dict[Key, _Seen] = {}
    for capture in captures:
        alike: dict[Key, int] = {}
        for number, finding in enumerate(capture.findings):
            site = site_of(asdict(finding.call_site)) if finding.call_site else None
            base = (finding.kind, finding.relation, place_of(site), 0)
            # Two of a kind in one function are told apart by their order.
            place = alike[base] = alike.get(base, -1) + 1
            key = (*base[:3], place)
            if key not in found:
                found[key] = _Seen(finding, site, capture.id, number)
            found[key].runs.add(capture.id)
    return found


def _change(
    state: Literal["fixed", "new", "still"], old: _Seen | None, now: _Seen | None
) -> FindingChange:
    shown = (now if state != "fixed" else old) or now or old
    assert shown is not None
    return FindingChange(
        state=state,
        kind=shown.finding.kind,
        severity=shown.finding.severity,
        title=shown.finding.title,
        site=shown.site,
        relation=shown.finding.relation,
        before_runs=len(old.runs) if old else 0,
        after_runs=len(now.runs) if now else 0,
        before_count=old.finding.count if old else None,
        after_count=now.finding.count if now else None,
        before_capture=old.capture if old else None,
        before_number=old.number if old else None,
        after_capture=now.capture if now else None,
        after_number=now.number if now else None,
    )
