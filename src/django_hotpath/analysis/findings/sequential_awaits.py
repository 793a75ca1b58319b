"""``sequential_awaits``: awaits one after another that may not need each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django_hotpath.analysis.findings.base import Limits, severity_by_cost
from django_hotpath.capture import CallSite, Capture, Finding, Fix

# Waiting of each await, and what all of it together must be able to save.
MIN_WAIT_MS = 10
MIN_SAVED_MS = 20
MANY = 20

Sequence_ = Mapping[str, Any]

_POSSIBLE = (
    "As far as the code shows, none of them uses what the others gave. Whether one needs "
    "something that another left behind elsewhere cannot be seen from here: you decide."
)


def sequential_awaits(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Awaits whose waiting adds up, where it might overlap. Never more than medium: a possibility.

    What waits for the one thread of the request's sync code takes turns whatever the code says,
    and is left out of what could be saved.
    """
    recorded = capture.instruments.get("eventloop")
    for sequence in (recorded or {}).get("sequences", ()):
        if sequence["saved_ms"] < MIN_SAVED_MS:
            continue
        awaits = [
            found
            for found in sequence["awaits"]
            if found["waited_ms"] / max(sequence["calls"], 1) >= MIN_WAIT_MS
        ]
        if sequence["form"] == "row" and len(awaits) > 1:
            yield _row(capture, sequence, awaits)
        elif sequence["form"] == "loop" and awaits:
            yield _loop(capture, sequence, awaits[0])


def _row(capture: Capture, sequence: Sequence_, awaits: Sequence[Sequence_]) -> Finding:
    lines = [f"line {found['line']}: {found['waited_ms']:,.0f} ms" for found in awaits]
    first = awaits[0]["line"]
    site = CallSite(**{**sequence["call_site"], "line": first})
    targets = [found["target"] for found in awaits]
    names = f"{', '.join(targets)} = " if all(targets) else ""
    calls = "".join(f"    {found['expression']},\n" for found in awaits)
    return Finding(
        kind="sequential_awaits",
        severity=_severity(capture, sequence),
        title=f"{len(awaits)} awaits one after another at {site} might run together",
        detail=(
            f"{sequence['call_site']['function']}() waited for each in turn ({'; '.join(lines)}). "
            f"{_POSSIBLE} {_saving(sequence)}"
        ),
        count=sum(found["count"] for found in awaits),
        cost_ms=sequence["saved_ms"],
        call_site=site,
        fix=Fix(
            summary=(
                "If they do not need each other: start them together and wait once. Should one "
                "raise, asyncio.TaskGroup cancels the others; asyncio.gather() lets them run on."
            ),
            code=f"{names}await asyncio.gather(\n{calls})",
        ),
    )


def _loop(capture: Capture, sequence: Sequence_, found: Sequence_) -> Finding:
    site = CallSite(**{**sequence["call_site"], "line": found["line"]})
    each = found["waited_ms"] / max(found["count"], 1)
    summary = (
        "If the items do not need each other: start all of them and wait once. Should one raise, "
        "asyncio.TaskGroup cancels the others; asyncio.gather() lets them run on."
    )
    if found["count"] / max(sequence["calls"], 1) > MANY:
        summary += " For so many put an asyncio.Semaphore around each, or the other side suffers."
    return Finding(
        kind="sequential_awaits",
        severity=_severity(capture, sequence),
        title=f"A loop awaits {found['count']:,} times in turn at {site}; they might run together",
        detail=(
            f"{sequence['call_site']['function']}() waited {each:,.1f} ms for each, "
            f"{found['waited_ms']:,.0f} ms in all, for {sequence['over']}. {_POSSIBLE} "
            f"{_saving(sequence)}"
        ),
        count=found["count"],
        cost_ms=sequence["saved_ms"],
        call_site=site,
        fix=Fix(
            summary=summary,
            code=f"await asyncio.gather(*({found['expression']} for {sequence['over']}))",
        ),
    )


def _saving(sequence: Sequence_) -> str:
    saving = f"Together they would save {sequence['saved_ms']:,.0f} ms at most"
    if sequence["in_turns_ms"]:
        saving += (
            f"; {sequence['in_turns_ms']:,.0f} ms are calls of sync code (the ORM), which take "
            "turns in one thread of the request either way"
        )
    return saving + "."


def _severity(capture: Capture, sequence: Sequence_) -> str:
    severity = severity_by_cost(sequence["saved_ms"], capture.timing.wall_ms)
    return "medium" if severity == "high" else severity
