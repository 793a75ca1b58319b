"""Where the time went: parts that exclude each other and add up to 100 %."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.layers import layer, layer_of
from django_hotpath.analysis.layertimes import table_times, tree_times
from django_hotpath.capture import Capture
from django_hotpath.report.formats import ms, round_to_total

LIBRARIES = 6
OTHER_LIBRARIES = "package:other libraries"

_PACKAGE = "package:"

# In this order in the bar; packages come after Django, by what they took.
_BEFORE_PACKAGES = (
    *("project", "orm", "database", "template", "cache", "http", "middleware", "django"),
)
_AFTER_PACKAGES = ("generated", "stdlib", "tools", "waiting", "rest")

_HINTS = {
    "project": "Own time of the functions of your project",
    "orm": "Building SQL and making model instances, without the statements themselves",
    "database": "Executing statements and fetching rows, drivers included",
    "template": "Django's template language at work, without what templates call",
    "cache": "Operations of the caches, with the clients they use",
    "http": "Waiting for other services over HTTP, with the clients",
    "middleware": "Own time of the middleware, without what they call",
    "django": "Django's own code that is none of the others: URLs, requests, signals, forms",
    "generated": "Code without a file, made while it ran",
    "stdlib": "Python's standard library and built-in functions",
    "tools": "What measuring cost within these times",
    "waiting": "Suspended: nothing of this request ran",
    "rest": "What the profiler did not see",
}


@dataclass(frozen=True, kw_only=True)
class Part:
    key: str
    """The layer, as in ``analysis/layers.py``."""
    label: str
    tone: str
    """The name of its colour: a CSS variable."""
    ms: float
    percent: float
    start: float
    """Where it begins in the bar, in percent."""
    hint: str
    members: str
    """JSON: the layers that are summed up in it; ``[]`` for one that is a layer itself."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    parts: tuple[Part, ...]
    total_ms: float
    source: str
    approximate: bool = False

    @property
    def largest(self) -> Part | None:
        """What took most, of what is somebody's."""
        return max(self.parts, key=lambda part: part.ms, default=None)


def shares(capture: Capture) -> Shares | None:
    """From the tree or the own times of functions, else from database and the rest.

    Own times exclude each other, whereas the times of queries, templates and cache overlap: a
    template that reads a lazy relation makes the query run.
    """
    calls = capture.instruments.get("calls")
    if calls and calls.get("total_ms"):
        return _of_calls(capture, calls)
    wall, database = capture.timing.wall_ms, capture.timing.db_ms
    if database is None or wall <= 0:
        return None
    database = min(database, wall)
    return Shares(
        parts=_parts({"database": database, "rest": wall - database}),
        total_ms=wall,
        source="Wall time. Functions were not timed in this capture, so the rest is not split up.",
    )


def part_of(function: Mapping[str, Any]) -> tuple[str, str]:
    """The (label, tone) that a function's own time counts in, wherever it was called from."""
    found = layer(layer_of(function))
    return found.label, found.tone


def _of_calls(capture: Capture, calls: Mapping[str, Any]) -> Shares:
    tree = calls.get("tree")
    if tree:
        times = tree_times(tree, calls["functions"])
        # The body of a block is your code; around a view there are only the profiler's hooks.
        body = "project" if capture.request is None else "tools"
        _add(times, body, max(tree["own_ms"][0], 0.0))
    else:
        times = table_times(calls["functions"], calls.get("edges") or ())
        if calls.get("truncated"):
            _add(times, "rest", calls["total_ms"] - sum(times.values()))
    seen = sum(times.values())
    wall = capture.timing.wall_ms
    # Tasks and worker threads run while the request waits for them: that is no waiting.
    waited = min(tree["wait_ms"][0], wall - seen) if tree and "wait_ms" in tree else 0.0
    _add(times, "waiting", waited)
    _add(times, "rest", wall - sum(times.values()))
    return Shares(
        parts=_parts(times),
        total_ms=sum(times.values()),
        source=_source(capture, calls, times, seen),
        approximate=not tree and any(key in times for key in ("database", "cache", "http")),
    )


def _add(times: dict[str, float], key: str, time: float) -> None:
    if time > 0:
        times[key] = times.get(key, 0.0) + time


def _parts(times: Mapping[str, float]) -> tuple[Part, ...]:
    found = {key: time for key, time in times.items() if time > 0}
    packages = sorted(
        (key for key in found if key.startswith(_PACKAGE) and key != OTHER_LIBRARIES),
        key=lambda key: -found[key],
    )
    summed = [*packages[LIBRARIES:], *([OTHER_LIBRARIES] if OTHER_LIBRARIES in found else [])]
    shown = {key: time for key, time in found.items() if key not in summed}
    if summed:
        shown[OTHER_LIBRARIES] = sum(found[key] for key in summed)
    order = [*_BEFORE_PACKAGES, *packages[:LIBRARIES], OTHER_LIBRARIES, *_AFTER_PACKAGES]
    keys = [key for key in order if key in shown]
    return tuple(_laid_out(keys, shown, summed))


def _laid_out(keys: Sequence[str], times: Mapping[str, float], summed: Sequence[str]) -> list[Part]:
    parts: list[Part] = []
    start = 0.0
    for key, percent in zip(keys, round_to_total([times[key] for key in keys]), strict=True):
        label, tone = layer(key)
        other = key == OTHER_LIBRARIES
        parts.append(
            Part(
                key=key,
                label="Other libraries" if other else label,
                tone=tone,
                ms=times[key],
                percent=percent,
                start=round(start, 1),
                hint=_HINTS.get(key) or _package_hint(key, summed),
                members=json.dumps(list(summed) if other else []),
            )
        )
        start += percent
    return parts


def _package_hint(key: str, summed: Sequence[str]) -> str:
    if key == OTHER_LIBRARIES:
        names = sorted(name.removeprefix(_PACKAGE) for name in summed if name != OTHER_LIBRARIES)
        return ", ".join(names[:20]) or "Code outside of your project and of any known package"
    return f"Own time of the package {key.removeprefix(_PACKAGE)}"


def _source(
    capture: Capture, calls: Mapping[str, Any], times: Mapping[str, float], seen: float
) -> str:
    """How these figures were come by, and how far they can be believed."""
    tree, wall = calls.get("tree"), capture.timing.wall_ms
    engine = calls.get("engine", "the profiler")
    if tree:
        text = f"Own times of the exact call tree by {engine}; with waiting they are the wall time."
        if wall > 0 and seen > wall * 1.05:
            text = (
                f"Own times of the exact call tree by {engine}, {ms(seen)} in all: more than the "
                f"wall time of {ms(wall)}, because threads or tasks ran side by side."
            )
    else:
        text = f"Own times of all functions by {engine}, {ms(seen)} in all."
        if any(key in times for key in ("database", "cache", "http")):
            text += (
                " Approximate: a function that runs below statements and elsewhere is divided by "
                "the time its callers spent in it."
            )
    rest = times.get("rest", 0.0)
    if wall > 0 and rest / wall > 0.05:
        text += f" For {ms(rest)} of the wall time nothing was seen to run."
    return text
