"""``blocking_call``: code that held the event loop, so that no other request got on."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.findings.base import Limits, severity_by_cost
from django_hotpath.analysis.source import parse_expression
from django_hotpath.capture import CallSite, Capture, Finding, Fix

HIGH_MS = 200
# The share of the time that looks at the stack must bear out: one in passing is no proof.
MIN_SEEN = 0.3

# Modules whose calls wait for the network, for the advice alone.
_NETWORK = frozenset(
    {"requests", "urllib3", "urllib", "http", "socket", "ssl", "smtplib", "ftplib"}
)

_WAITING = (
    "It did not compute meanwhile but waited, in a way that the loop cannot interrupt: for time to "
    "pass, the network, a file, a lock, or another thread that kept Python's own lock (the GIL)."
)
_COMPUTING = "It was computing."
_BOTH = "It computed for a part of the time and waited for the rest."
_TASKS = {
    "started": "It ran in a task that the request started.",
    "callback": "It ran in a callback that the request scheduled.",
}
_COMPUTE_LESS = (
    "Compute less (look things up once, keep results that repeat, let the database count and "
    "sort), or have it done elsewhere: a task queue, a ProcessPoolExecutor, or a sync view. In a "
    "thread (sync_to_async) Python code gets no faster, but others get their turn in between."
)
_IMPORTING = (
    "Modules were being imported, which happens once in a process: load the page again to see its "
    "usual time."
)


def blocking_call(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Lines that held the loop for ``BLOCKING_MS`` or longer, one finding for each.

    Holds whose line is not known are in the report's section, and no finding: without a line
    there is nothing to change.
    """
    recorded = capture.instruments.get("eventloop")
    if not recorded or recorded["loop"] is None:
        return
    limit = recorded["blocking_ms"]
    groups: dict[tuple[Any, ...], list[_Part]] = defaultdict(list)
    for hold in recorded["holds"]:
        for line in hold["lines"]:
            site = line["call_site"]
            seen = line["seen_ms"] >= MIN_SEEN * line["about_ms"]
            if site is not None and line["about_ms"] >= limit and seen:
                key = (site["file"], site["line"], site.get("template"), site.get("template_line"))
                groups[key].append(_Part(hold, line))
    for parts in groups.values():
        yield _finding(capture, parts, limit)


@dataclass(frozen=True)
class _Part:
    """What a hold spent at one line, in milliseconds; exact when it was all of a timed hold."""

    hold: Mapping[str, Any]
    line: Mapping[str, Any]

    @property
    def whole(self) -> bool:
        return len(self.hold["lines"]) == 1

    @property
    def exact(self) -> bool:
        return bool(self.hold["exact"]) and self.whole

    @property
    def ms(self) -> float:
        duration: float = self.hold["duration_ms"] if self.whole else self.line["about_ms"]
        return duration


def _finding(capture: Capture, parts: Sequence[_Part], limit: float) -> Finding:
    worst = max(parts, key=lambda part: part.ms)
    cost = round(sum(part.ms for part in parts), 4)
    site = CallSite(**worst.line["call_site"])
    importing = all(part.line["importing"] for part in parts)
    severity = severity_by_cost(cost, capture.timing.wall_ms)
    if importing:
        severity = "low"
    elif worst.ms >= HIGH_MS:
        severity = "high"
    elif severity == "low":
        severity = "medium"
    times = "" if len(parts) == 1 else f", {len(parts)} times"
    about = "" if worst.exact else "about "
    return Finding(
        kind="blocking_call",
        severity=severity,
        title=f"The event loop was blocked for {about}{worst.ms:,.0f} ms{times}, at {site}",
        detail=_detail(worst, limit),
        count=len(parts),
        cost_ms=cost,
        call_site=site,
        fix=None if importing else _fix(worst.line),
    )


def _detail(part: _Part, limit: float) -> str:
    hold, line = part.hold, part.line
    words = ["No other request of this process was served meanwhile, nor any other task."]
    if line["importing"]:
        words.append(_IMPORTING)
    elif line["doing"] is not None:
        words.append({"waiting": _WAITING, "computing": _COMPUTING}.get(line["doing"], _BOTH))
    if line["expression"]:
        words.append(f"The call: {line['expression']}.")
    entered, site = line["entered"], line["call_site"]
    if entered and (entered["file"], entered["line"]) != (site["file"], site["line"]):
        words.append(
            f"Reached from {entered['function']}() at {entered['file']}:{entered['line']}."
        )
    inside = line["inside"]
    if inside is not None and inside["kind"] != "project":
        words.append(f"Inside {inside['function']}() of {inside['package']}.")
    if hold["task"] != "own":
        words.append(_TASKS[hold["task"]])
    if not hold["exact"]:
        words.append("The time is how late the loop was: only the request's own task is timed.")
    found = f"{line['looks']} of {hold['looks']} looks at the stack found it there"
    if not part.whole:
        found += f", in a step of {hold['duration_ms']:,.0f} ms: its share of that is an estimate"
    words.append(f"{found}. The limit is {limit:,.0f} ms (BLOCKING_MS).")
    return " ".join(words)


def _fix(line: Mapping[str, Any]) -> Fix:
    entered = line["entered"] or {}
    # The call in the coroutine is the one to hand over: what it calls stays as it is.
    text = entered.get("expression") or line["expression"]
    call = parse_expression(text) if text else None
    place = f" at {entered['file']}:{entered['line']}" if entered else ""
    if isinstance(call, ast.Call) and ast.unparse(call.func) == "time.sleep":
        return Fix(
            summary="asyncio.sleep() waits as long, and the loop goes on meanwhile.",
            code=f"await asyncio.sleep({_arguments(call)})",
        )
    if line["doing"] == "computing":
        return Fix(summary=_COMPUTE_LESS)
    fix = _hand_over(call, place)
    if (line["inside"] or {}).get("package") in _NETWORK:
        client = "Use a client that can be awaited (httpx.AsyncClient, aiohttp). Or: "
        return Fix(summary=client + fix.summary, code=fix.code)
    return fix


def _hand_over(call: ast.expr | None, place: str) -> Fix:
    summary = (
        f"Hand the call{place} to a thread with sync_to_async (asgiref.sync): the loop goes on "
        "while it waits. thread_sensitive=False lets several run at once; leave it out for code "
        "that uses the database."
    )
    if not isinstance(call, ast.Call):
        return Fix(summary=summary)
    return Fix(
        summary=summary, code=f"await sync_to_async({ast.unparse(call.func)})({_arguments(call)})"
    )


def _arguments(call: ast.Call) -> str:
    return ", ".join(
        [
            *(ast.unparse(found) for found in call.args),
            *(ast.unparse(found) for found in call.keywords),
        ]
    )
