"""Over-fetching over the last captures of a page: what one of them read is used."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace

from django_hotpath.analysis.findings.unread_rows import unread_in as unread_rows_in
from django_hotpath.analysis.findings.unused_columns import unused_in as unused_columns_in
from django_hotpath.analysis.findings.unused_eager_load import unused_in as unused_eager_loads_in
from django_hotpath.analysis.usage_ledger import is_alike, ledger
from django_hotpath.capture import SEVERITIES, Capture, Finding

KINDS = frozenset({"unused_eager_load", "unused_columns", "unread_rows"})


def with_usage_findings(capture: Capture, earlier: Iterable[Capture]) -> Capture:
    """The capture with what all of them say, in place of what it said of over-fetching alone."""
    alike = [found for found in earlier if is_alike(found, capture)]
    if not alike:
        return capture
    own = [finding for finding in capture.findings if finding.kind not in KINDS]
    verdicts = {_what(finding): finding.verified for finding in capture.findings}
    found = [*own]
    for finding in _findings(capture, alike):
        found.append(replace(finding, verified=verdicts.get(_what(finding))))
    found.sort(key=lambda finding: (SEVERITIES.index(finding.severity), -finding.cost_ms))
    return capture.with_findings(tuple(found))


def _what(finding: Finding) -> Hashable:
    return (finding.kind, finding.relation, finding.origin, finding.fix and finding.fix.paths)


def _findings(capture: Capture, alike: list[Capture]) -> Iterator[Finding]:
    for use in ledger(capture, alike):
        yield from unused_eager_loads_in(use, capture)
        yield from unused_columns_in(use, capture)
        yield from unread_rows_in(use, capture)
