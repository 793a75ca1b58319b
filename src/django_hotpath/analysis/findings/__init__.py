"""The rules that turn a capture into advice, one file a rule."""

from __future__ import annotations

import logging

from django_hotpath.analysis.findings.base import Limits, Rule
from django_hotpath.analysis.findings.blocking_call import blocking_call
from django_hotpath.analysis.findings.cache_misses import cache_misses
from django_hotpath.analysis.findings.count_for_exists import count_for_exists
from django_hotpath.analysis.findings.duplicate_query import duplicate_query
from django_hotpath.analysis.findings.gc_pressure import gc_pressure
from django_hotpath.analysis.findings.join_duplicates import join_duplicates
from django_hotpath.analysis.findings.len_for_count import len_for_count
from django_hotpath.analysis.findings.memory_growth import memory_growth
from django_hotpath.analysis.findings.memory_peak import memory_peak
from django_hotpath.analysis.findings.method_cache import method_cache
from django_hotpath.analysis.findings.n_plus_one import n_plus_one
from django_hotpath.analysis.findings.sequential_awaits import sequential_awaits
from django_hotpath.analysis.findings.slow_function import slow_function
from django_hotpath.analysis.findings.slow_query import slow_query
from django_hotpath.analysis.findings.slow_template import slow_template
from django_hotpath.analysis.findings.sum_for_aggregate import sum_for_aggregate
from django_hotpath.analysis.findings.unread_rows import unread_rows
from django_hotpath.analysis.findings.unused_columns import unused_columns
from django_hotpath.analysis.findings.unused_eager_load import unused_eager_load
from django_hotpath.analysis.findings.write_loop import write_loop
from django_hotpath.capture import SEVERITIES, Capture, Finding
from django_hotpath.conf import settings

RULES: tuple[Rule, ...] = (
    n_plus_one,
    write_loop,
    duplicate_query,
    slow_query,
    count_for_exists,
    len_for_count,
    sum_for_aggregate,
    unused_eager_load,
    unused_columns,
    unread_rows,
    join_duplicates,
    slow_function,
    method_cache,
    slow_template,
    cache_misses,
    gc_pressure,
    memory_growth,
    memory_peak,
    blocking_call,
    sequential_awaits,
)

# What the rules look for in the data of each instrument, for a report without findings.
LOOKED_FOR = {
    "queries": "queries repeated in a loop, rows written one by one, equal queries, slow queries",
    "usage": "relations, columns and rows that nothing read, joins that repeat the same rows",
    "calls": "slow functions of the project, caches on methods of the view",
    "eventloop": "code that blocked the event loop, awaits in turn that might run together",
    "templates": "templates that are slow by themselves",
    "cache": "look-ups that cannot hit, entries that were not kept",
    "gc": "long pauses of the garbage collector",
    "allocations": "10 MB or more at once, lines of the project that still held as much",
}

logger = logging.getLogger("hotpath")


def find(capture: Capture, limits: Limits | None = None) -> tuple[Finding, ...]:
    """All findings, the most important first: by severity, then by what they cost.

    A rule that fails is logged and left out.
    """
    limits = limits or Limits(
        slow_query_ms=settings.SLOW_QUERY_MS, n_plus_one=settings.N_PLUS_ONE_THRESHOLD
    )
    found: list[Finding] = []
    for rule in RULES:
        try:
            found += rule(capture, limits)
        except Exception:
            logger.exception("the rule %s failed", rule.__name__)
    found = _without_repeats(found)
    found.sort(key=lambda finding: (SEVERITIES.index(finding.severity), -finding.cost_ms))
    return tuple(found)


def _without_repeats(found: list[Finding]) -> list[Finding]:
    """Leaves out what is part of a loop: curing the loop cures it.

    Those are duplicates, and the reads by which a loop of writes looks for its rows.
    """
    writes = [set(finding.queries) for finding in found if finding.kind == "write_loop"]
    loops = [set(finding.queries) for finding in found if finding.kind == "n_plus_one"] + writes
    covering = {"duplicate_query": loops, "n_plus_one": writes}
    return [
        finding
        for finding in found
        if not any(loop.issuperset(finding.queries) for loop in covering.get(finding.kind, ()))
    ]
