"""Where the time went: parts that exclude each other and add up to 100 %."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.report.formats import ms, round_to_total

LIBRARIES = 6
DRIVERS = frozenset(
    {"sqlite3", "psycopg", "psycopg2", "psycopg_pool", "MySQLdb", "pymysql", "oracledb"}
)


@dataclass(frozen=True, kw_only=True)
class Part:
    label: str
    tone: str
    """The name of its colour: project, database, template, django, library, stdlib, tools, rest."""
    ms: float
    percent: float
    start: float
    """Where it begins in the bar, in percent."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    parts: tuple[Part, ...]
    total_ms: float
    source: str


def shares(capture: Capture) -> Shares | None:
    """From the own times of functions where they were measured, else database and the rest.

    Own times exclude each other, whereas the times of queries, templates and cache overlap: a
    template that reads a lazy relation makes the query run.
    """
    calls = capture.instruments.get("calls")
    if calls and calls.get("total_ms"):
        found = own_times(calls)
        _add_rest_of_tree(found, capture, calls)
        return Shares(
            parts=_parts(found),
            total_ms=sum(found.values()),
            source=_calls_source(capture, calls, found),
        )
    wall, database = capture.timing.wall_ms, capture.timing.db_ms
    if database is None or wall <= 0:
        return None
    database = min(database, wall)
    return Shares(
        parts=_parts(
            {("Database", "database"): database, ("Everything else", "rest"): wall - database}
        ),
        total_ms=wall,
        source="Wall time. Functions were not timed in this capture, so the rest is not split up.",
    )


def own_times(calls: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Own milliseconds by (label, tone): each function counts in exactly one part."""
    times: dict[tuple[str, str], float] = {}
    for function in calls["functions"]:
        part = part_of(function)
        times[part] = times.get(part, 0.0) + max(function["own_ms"], 0.0)
    left_out = calls["total_ms"] - sum(times.values())
    if calls.get("truncated") and left_out > 0:
        times["Functions left out of the capture", "rest"] = left_out
    libraries = sorted((part for part in times if part[1] == "library"), key=lambda p: -times[p])
    for part in libraries[LIBRARIES:]:
        rest = ("Other libraries", "library")
        times[rest] = times.get(rest, 0.0) + times.pop(part)
    return times


def _add_rest_of_tree(
    times: dict[tuple[str, str], float], capture: Capture, calls: Mapping[str, Any]
) -> None:
    """What an exact tree knows beyond its functions: the body of a block, and waiting."""
    tree = calls.get("tree")
    if not tree:
        return
    body = ("Your code", "project") if capture.request is None else ("Profiling tools", "tools")
    times[body] = times.get(body, 0.0) + tree["own_ms"][0]
    # Tasks and worker threads run while the request waits for them: that is no waiting.
    idle = capture.timing.wall_ms - sum(times.values())
    waited = min(tree["wait_ms"][0] if "wait_ms" in tree else 0.0, idle)
    if waited > 0:
        times["Waiting (suspended)", "rest"] = waited


def part_of(function: Mapping[str, Any]) -> tuple[str, str]:
    """The (label, tone) that the function's own time counts in."""
    kind, package = function["kind"], str(function.get("package") or "")
    if kind == "hotpath":
        return "Profiling tools", "tools"
    if kind == "project":
        return "Your code", "project"
    if package in DRIVERS:
        return f"Database driver ({package})", "database"
    if kind == "django":
        file = "/" + str(function.get("file") or "").replace("\\", "/")
        if "/django/db/" in file:
            return "Django ORM and database", "database"
        if "/django/template/" in file:
            return "Django templates", "template"
        return "Rest of Django", "django"
    if package.startswith("<"):
        return "Generated code", "library"
    if kind == "library":
        return package or "Other libraries", "library"
    return ("Built-in functions", "stdlib") if kind == "builtin" else ("Standard library", "stdlib")


def _parts(times: Mapping[tuple[str, str], float]) -> tuple[Part, ...]:
    ordered = sorted((entry for entry in times.items() if entry[1] > 0), key=lambda e: -e[1])
    parts: list[Part] = []
    start = 0.0
    for ((label, tone), time), percent in zip(
        ordered, round_to_total([time for _, time in ordered]), strict=True
    ):
        parts.append(Part(label=label, tone=tone, ms=time, percent=percent, start=round(start, 1)))
        start += percent
    return tuple(parts)


def _calls_source(
    capture: Capture, calls: Mapping[str, Any], times: Mapping[tuple[str, str], float]
) -> str:
    total = sum(times.values())
    text = (
        f"Own times of all functions by {calls.get('engine', 'the profiler')}, {ms(total)} in all."
    )
    if ("Waiting (suspended)", "rest") in times:
        text += " Waiting is the time in which nothing of this request ran."
    wall, statements = capture.timing.wall_ms, capture.timing.db_ms
    if wall > 0 and abs(wall - total) / wall > 0.05:
        text += f" The wall time was {ms(wall)}: the profiler did not see the difference."
    if statements:
        database = sum(time for (_, tone), time in times.items() if tone == "database")
        if statements <= database:
            text += f" Of the database part, {ms(statements)} were the statements themselves;"
            text += " the rest is the work around them: building SQL, making objects."
        else:
            text += (
                f" The statements took {ms(statements)}, in part where the profiler did not see."
            )
    return text
