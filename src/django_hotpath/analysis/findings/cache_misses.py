"""``cache_misses``: look-ups in a cache that cannot hit, or of what was written just before."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath import redact
from django_hotpath.analysis.findings.base import Limits, placed, severity_by_cost
from django_hotpath.capture import CallSite, Capture, Finding, Fix

MEDIUM_FROM = 10

_READS = frozenset({"get", "get_many", "get_or_set", "has_key"})
_WRITES = frozenset({"add", "get_or_set", "set", "set_many"})
_REMOVES = frozenset({"delete", "delete_many"})

# In the default text of an object without __repr__ or __str__ of its own, quoted or not.
_ADDRESS = re.compile(r"(?: at |_at_|-at-|\+at\+|%20at%20)0x[0-9a-fA-F]{8,}")

_NAMELESS = (
    "The key holds the address of an object in memory: the object is another one each time, so the "
    "entry is never found again, and fills the cache meanwhile."
)
_NAME_IT = "Make the key of what tells the object apart: its pk, a slug, str() of a value."
_NOT_KEPT = (
    "These keys were written in this same piece of work and were gone when they were asked for, "
    "with nothing in between that deletes them here."
)
_KEEP_IT = (
    "Look at the backend and the timeout: DummyCache keeps nothing, a timeout of 0 neither; the "
    "local-memory, file and database caches keep MAX_ENTRIES (300) and drop others when there are "
    "more; Memcached refuses values over 1 MB. What is needed again in the same piece of work "
    "needs no cache: keep it in a variable."
)

Operation = Mapping[str, Any]


@dataclass
class _Missed:
    operations: list[Operation]
    keys: list[str]
    made_ms: float = 0.0


def cache_misses(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """One finding for each line that missed in vain. A key that is simply new here is none."""
    recorded = capture.instruments.get("cache")
    if not recorded:
        return
    operations = [found for found in recorded["operations"] if not found.get("error")]
    nameless: dict[Hashable, _Missed] = defaultdict(lambda: _Missed([], []))
    lost: dict[Hashable, _Missed] = defaultdict(lambda: _Missed([], []))
    made = _made_ms(operations)
    written: set[tuple[str, str, int | None]] = set()
    for operation in operations:
        keys = _keys(operation)
        if operation["operation"] in _READS and operation["misses"]:
            for found, wanted in (
                (nameless, [key for key in keys if _ADDRESS.search(key)]),
                (lost, [key for key in keys if _name(operation, key) in written]),
            ):
                # Of several keys it is not known which were there.
                if wanted and (len(keys) == 1 or not operation["hits"]):
                    missed = found[_line(operation)]
                    missed.operations.append(operation)
                    missed.keys += wanted
                    missed.made_ms += sum(made[operation["index"], key] for key in wanted)
                    break
        if operation["operation"] == "clear":
            written = {name for name in written if name[0] != operation["alias"]}
        names = {_name(operation, key) for key in keys}
        if operation["operation"] in _WRITES and operation["alias"] != "?":
            written |= names
        elif operation["operation"] in _REMOVES:
            written -= names
    for missed in nameless.values():
        yield _finding(capture, missed, "can never hit", _NAMELESS, _NAME_IT)
    for missed in lost.values():
        yield _finding(capture, missed, "missed what had just been written", _NOT_KEPT, _KEEP_IT)


def _keys(operation: Operation) -> list[str]:
    """Those that are whole: none that is masked or cut."""
    return [key for key in operation["keys"] if redact.MASK not in key and not key.endswith("…")]


def _name(operation: Operation, key: str) -> tuple[str, str, int | None]:
    return (operation["alias"], key, operation.get("version"))


def _line(operation: Operation) -> Hashable:
    site = operation.get("call_site") or {}
    return (operation["alias"], site.get("file"), site.get("line"))


def _made_ms(operations: Sequence[Operation]) -> dict[tuple[int, str], float]:
    """How long it took to make what a look-up had missed: until the key was written."""
    made: dict[tuple[int, str], float] = defaultdict(float)
    asked: dict[Hashable, tuple[int, float]] = {}
    for operation in operations:
        kind = operation["operation"]
        for key in _keys(operation):
            name = _name(operation, key)
            if kind == "get_or_set":
                made[operation["index"], key] = operation["duration_ms"]
            elif kind in _READS:
                asked[name] = (
                    operation["index"],
                    operation["start_ms"] + operation["duration_ms"],
                )
            elif kind in _WRITES and name in asked:
                index, ended = asked.pop(name)
                made[index, key] = max(operation["start_ms"] - ended, 0.0)
    return made


def _finding(capture: Capture, missed: _Missed, what: str, why: str, advice: str) -> Finding:
    first = missed.operations[0]
    place = first.get("call_site")
    site = CallSite(**place) if place else None
    count = len(missed.keys)
    cost = round(sum(found["duration_ms"] for found in missed.operations) + missed.made_ms, 4)
    cost = min(cost, capture.timing.wall_ms)
    severity = severity_by_cost(cost, capture.timing.wall_ms)
    if severity == "low" and count >= MEDIUM_FROM:
        severity = "medium"
    times = "A look-up" if count == 1 else f"{count:,} look-ups"
    return Finding(
        kind="cache_misses",
        severity=severity,
        title=placed(f"{times} {what}, at", site),
        detail=(
            f"{first['operation']}() on the cache “{first['alias']}” missed, for instance "
            f"{missed.keys[0]}. {why} What was made anew took {missed.made_ms:,.1f} ms."
        ),
        count=count,
        cost_ms=cost,
        call_site=site,
        fix=Fix(summary=advice),
    )
