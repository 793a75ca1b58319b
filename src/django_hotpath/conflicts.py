"""Which engines cannot run in the same capture, by Python version: data, and all of it here.

``tests/test_conflicts.py`` runs every pair of engines together: either it is refused by this, or
both give right results.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from django_hotpath.instruments import registry
from django_hotpath.instruments.base import Instrument

Version = tuple[int, int]

# What is measured, and by which engine.
Engine = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Two engines that give wrong results together from Python ``since``, before ``until``."""

    engines: tuple[Engine, Engine]
    reason: str
    since: Version = (3, 11)
    until: Version | None = None

    def holds_in(self, version: Version) -> bool:
        return self.since <= version and (self.until is None or version < self.until)


MATRIX = (
    Conflict(
        engines=(("calls", "cprofile"), ("samples", "thread")),
        reason=(
            "cProfile sees every thread on Python 3.12 and later: the calls of the thread that "
            "takes the samples would be mixed into its table"
        ),
        since=(3, 12),
    ),
    Conflict(
        engines=(("calls", "cprofile"), ("eventloop", "hotpath")),
        reason=(
            "cProfile sees every thread on Python 3.12 and later: the calls of the thread that "
            "watches the event loop would be mixed into its table"
        ),
        since=(3, 12),
    ),
    Conflict(
        engines=(("lines", "line_profiler"), ("line_memory", "memory_profiler")),
        reason=(
            "before Python 3.12 both need the one trace function that a thread has: the one that "
            "starts last would switch the other off, without a word"
        ),
        until=(3, 12),
    ),
)


def here(version: Version | None = None) -> tuple[Conflict, ...]:
    """The conflicts of this Python, or of another version."""
    version = version or sys.version_info[:2]
    return tuple(conflict for conflict in MATRIX if conflict.holds_in(version))


def between(
    one: type[Instrument], other: type[Instrument], version: Version | None = None
) -> str | None:
    """Why these two cannot run in the same capture; None when they can."""
    if one.name == other.name:
        return None if one is other else f"{one.name} is measured by one engine at a time"
    pair = {(one.name, one.engine), (other.name, other.engine)}
    for conflict in here(version):
        if pair == set(conflict.engines):
            return conflict.reason
    # Engines that the project registered say it themselves.
    for cls, partner in ((one, other), (other, one)):
        if {partner.name, partner.engine} & cls.conflicts:
            return f"{describe(cls)} says so"
    return None


def refusals(classes: Sequence[type[Instrument]]) -> list[str]:
    """A sentence for each two of these that cannot run in the same capture."""
    return [
        f"{describe(one)} cannot run beside {describe(other)}: {reason}"
        for one, other in combinations(classes, 2)
        if (reason := between(one, other)) is not None
    ]


def of_names(names: Iterable[str]) -> list[str]:
    """``refusals`` for what these names of instruments and engines would run here."""
    engines = registry.engine_names()
    wanted: dict[str, dict[str, type[Instrument]]] = {}
    for word in names:
        name = engines.get(word, word)
        if name not in registry.names():
            continue
        found = wanted.setdefault(name, {})
        if word in engines:
            found.update((cls.engine, cls) for cls in registry.engines(name) if cls.engine == word)
    classes: list[type[Instrument]] = []
    for name, named in wanted.items():
        best, _reason = registry.choose(registry.Spec(name))
        classes += named.values() or ([best] if best is not None else [])
    return refusals(classes)


def partners(cls: type[Instrument]) -> list[tuple[str, str]]:
    """The engines of other instruments that cannot run beside this one, with the reasons."""
    return [
        (describe(other), reason)
        for name in registry.names()
        for other in registry.engines(name)
        if name != cls.name and (reason := between(cls, other)) is not None
    ]


def describe(cls: type[Instrument]) -> str:
    return cls.name if cls.engine == "hotpath" else f"{cls.name} ({cls.engine})"
