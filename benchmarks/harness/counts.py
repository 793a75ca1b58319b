"""In a worker: what the instruments count, beside what is known to happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from harness.captured import calls_of, hits_of

# What is counted, known, measured (None: not measured here, and why in the last place).
Counted = tuple[str, int, int | None, str]

# What is counted, how often it happens, the function that is counted, the work, its arguments.
CALLS: tuple[tuple[str, int, str, str, tuple[int, ...]], ...] = (
    # fib(n) makes 2 * fib(n + 1) - 1 calls.
    ("calls of a recursive function", 1973, "fibonacci", "fibonacci", (15,)),
    ("a recursion 900 deep", 901, "down", "down", (900,)),
    ("generators begun, resumed 10 times each", 50, "numbers", "generators", (50, 10)),
    ("calls from within them", 500, "step", "generators", (50, 10)),
    ("calls that end with an exception", 630, "fails", "exceptions", (30, 20)),
    ("calls after it was caught", 30, "step", "exceptions", (30, 20)),
    ("coroutines begun, as tasks", 50, "child", "tasks", (50, 10)),
    ("calls in 50 tasks that take turns", 500, "step", "tasks", (50, 10)),
    ("calls in worker threads", 20, "step", "workers", (20,)),
)


def measure() -> list[Counted]:
    from library import counted
    from library.views import BOOKS, GROUPS

    found: list[Counted] = []
    for engine in ("native", "cprofile"):
        for what, known, function, work, arguments in CALLS:
            calls = _measured(engine, getattr(counted, work), *arguments)
            counts = calls_of(calls, function) if isinstance(calls, dict) else None
            found.append((f"{engine}: {what}", known, counts, _reason(calls)))
    lines = _measured("lines:library.counted.numbers", lambda: counted.generators(50, 10))
    hits = hits_of(lines, "numbers") if isinstance(lines, dict) else None
    found.append(("lines: hits of a line in a loop", 50 * 11, hits, _reason(lines)))
    found += [
        _count("queries", "by a cursor", 120, lambda: counted.statements(120)),
        _count("queries", "of a view with N+1", 1 + BOOKS, counted.nplus1),
        _count("queries", "of the same from a template", 1 + BOOKS, counted.nplus1_template),
        _count("cache", "operations", 70, lambda: counted.cached(20, 50)),
        _count("templates", "rendered, with extends and includes", 2 + GROUPS, counted.rendered),
    ]
    return [*found, *_predicted()]


def _predicted() -> list[Counted]:
    """What the finding promises of its fix, and what comes of the fix."""
    from library import counted

    capture = _capture("queries", counted.nplus1)
    findings = [found for found in capture.findings if found.kind == "n_plus_one"]
    fix = findings[0].fix if findings else None
    if fix is None or fix.predicted is None:
        return [("queries after the fix", 0, None, "there was no finding that predicts them")]
    fixed = _capture("queries", lambda: counted.fixed(fix.kind))
    return [
        (
            f"queries after the N+1 finding's fix, predicted; with {fix.kind}, measured",
            fix.predicted.queries[1],
            fixed.instruments["queries"]["count"],
            "",
        )
    ]


def _capture(word: str, work: Callable[..., Any], *arguments: Any) -> Any:
    from django_hotpath import profile

    run = profile("counted", instruments=[word], save=False)
    if asyncio.iscoroutinefunction(work):
        asyncio.run(run(work)(*arguments))
    else:
        with run:
            work(*arguments)
    if run.capture is None:
        raise RuntimeError(run.refused)
    return run.capture


def _measured(word: str, work: Callable[..., Any], *arguments: Any) -> dict[str, Any] | str:
    """What the instrument gives, or why it gives nothing."""
    try:
        capture = _capture(word, work, *arguments)
    except (RuntimeError, ValueError) as error:
        return str(error)
    (found,) = capture.instruments.values()
    return dict(found)


def _reason(found: dict[str, Any] | str) -> str:
    return found if isinstance(found, str) else ""


def _count(instrument: str, what: str, known: int, work: Callable[[], None]) -> Counted:
    found = _measured(instrument, work)
    measured = found["count"] if isinstance(found, dict) else None
    return f"{instrument}: {what}", known, measured, _reason(found)
