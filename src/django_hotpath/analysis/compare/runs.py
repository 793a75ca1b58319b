"""Which captures of a set count, and whether those of two sets can be compared at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django_hotpath.analysis.compare.model import Side
from django_hotpath.capture import Capture

# As the recorder says it (disturbances.py).
_FIRST = "this was the first request of the process"
_OTHER_TOOL = "another tool was active"

LIGHT = frozenset({"gc", "memory", "plans", "middleware", "http"})
"""They cost next to nothing, so that times with and without them may be compared."""

_INFLATING = {
    "allocations": "tracing allocations makes code 3 to 10 times slower, most where it allocates",
    "lines": "following lines makes the followed code much slower",
    "line_memory": "following the memory of lines makes code much slower",
    "usage": "following what is read of rows makes it slower to read them",
}
_POLLUTED = 0.05


def in_order(captures: Iterable[Capture]) -> list[Capture]:
    """By time, none twice: ids sort so."""
    return list({found.id: found for found in sorted(captures, key=lambda c: c.id)}.values())


def warm(captures: Sequence[Capture]) -> tuple[list[Capture], list[Capture]]:
    """Those that count, and the first requests of a process; these count for want of others."""
    cold = [found for found in captures if is_first(found)]
    rest = [found for found in captures if not is_first(found)]
    return (rest, cold) if rest else (list(captures), [])


def is_first(capture: Capture) -> bool:
    return any(text.startswith(_FIRST) for text in capture.environment.warnings)


def side(counted: Sequence[Capture], left_out: Sequence[Capture]) -> Side:
    first, last = counted[0], counted[-1]
    return Side(
        ids=tuple(found.id for found in counted),
        left_out=tuple(found.id for found in left_out),
        label=first.label,
        route=first.request.route if first.request else None,
        started_at=first.started_at,
        ended_at=last.started_at,
        instruments=tuple(sorted({name for found in counted for name in measured_by(found)})),
    )


def measured_by(capture: Capture) -> frozenset[str]:
    """What was on, as far as it takes time: ``{"calls (native)", "queries", …}``."""
    found = set()
    for name, data in capture.instruments.items():
        if name in LIGHT:
            continue
        data = data if isinstance(data, dict) else {}
        engine = data.get("engine")
        engine = f" ({engine})" if isinstance(engine, str) and engine != "hotpath" else ""
        builtins = " with built-in functions" if data.get("builtins") is True else ""
        found.add(f"{name}{engine}{builtins}")
    return frozenset(found)


def refusal(a: Sequence[Capture], b: Sequence[Capture]) -> str | None:
    """Why the times of the two sets cannot be compared; None when they can."""
    for name, captures in (("A", a), ("B", b)):
        kinds = {measured_by(found) for found in captures}
        if len(kinds) > 1:
            return f"the runs of {name} were not measured alike ({_unlike(*_two(kinds))})"
    before, after = measured_by(a[0]), measured_by(b[0])
    if before != after:
        return f"A and B were not measured alike ({_unlike(before, after)})"
    return None


def _two(kinds: set[frozenset[str]]) -> tuple[frozenset[str], frozenset[str]]:
    first, second, *_ = sorted(kinds, key=sorted)
    return first, second


def _unlike(before: frozenset[str], after: frozenset[str]) -> str:
    parts = [
        f"{', '.join(sorted(names))} only in {where}"
        for names, where in ((before - after, "one"), (after - before, "the other"))
        if names
    ]
    return "; ".join(parts)


def cautions(a: Sequence[Capture], b: Sequence[Capture]) -> list[str]:
    """What makes a comparison of these captures less sure than it looks."""
    found = [*_work(a, b), *_surroundings(a, b)]
    everything = [*a, *b]
    for name, why in _INFLATING.items():
        if all(name in capture.instruments for capture in everything):
            found.append(f"All times are inflated: {why}. The change of a plain run may be another")
    for letter, captures in (("A", a), ("B", b)):
        shared = [c for c in captures if c.overlap.requests and c.overlap.share >= _POLLUTED]
        if shared:
            found.append(
                f"{_of(len(shared), len(captures))} {letter} shared the process with other "
                "requests, which makes them slower"
            )
        tools = [c for c in captures if any(_OTHER_TOOL in w for w in c.environment.warnings)]
        if tools:
            found.append(
                f"In {_of(len(tools), len(captures))} {letter} another tool was active, "
                "which makes code slower"
            )
        if all(is_first(capture) for capture in captures):
            found.append(
                f"{letter} holds nothing but first requests of a process, which load imports, URL "
                "patterns and templates"
            )
    return found


def _of(number: int, total: int) -> str:
    return "the run of" if total == 1 else f"{number} of the {total} runs of"


def _work(a: Sequence[Capture], b: Sequence[Capture]) -> list[str]:
    """Whether both did the same work at all."""
    found = []
    before = {_request(capture) for capture in a}
    after = {_request(capture) for capture in b}
    if before != after:
        found.append(
            f"A and B are not of one request: {_listed(before)} against {_listed(after)}"
            if before.isdisjoint(after)
            else f"The runs are of several requests: {_listed(before | after)}"
        )
    before = {_answer(capture) for capture in a}
    after = {_answer(capture) for capture in b}
    if before != after or len(before) > 1:
        found.append(
            f"The answers differ: {_listed(before)} against {_listed(after)}. "
            "An error page may be quick for having done nothing"
        )
    return found


def _request(capture: Capture) -> str:
    request = capture.request
    if request is None:
        return capture.label
    query = f"?{request.query_string}" if request.query_string else ""
    return f"{request.method} {request.path}{query}"


def _answer(capture: Capture) -> str:
    request = capture.request
    if request is None:
        return "no request"
    return str(request.status) if request.exception is None else "an exception"


def _listed(texts: Iterable[str]) -> str:
    ordered = sorted(texts)
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(text[:200] for text in ordered[:3]) + more


def _surroundings(a: Sequence[Capture], b: Sequence[Capture]) -> list[str]:
    found = []
    for label, key in (("Python", "python"), ("Django", "django"), ("hotpath", "hotpath")):
        before = {getattr(capture.environment, key) for capture in a}
        after = {getattr(capture.environment, key) for capture in b}
        if before != after:
            found.append(f"{label} is another: {_listed(before)} against {_listed(after)}")
    before = {capture.environment.server for capture in a}
    after = {capture.environment.server for capture in b}
    if before != after:
        found.append(f"The server is another: {_listed(before)} against {_listed(after)}")
    if {c.environment.debug for c in a} != {c.environment.debug for c in b}:
        found.append("DEBUG is not the same in A and B, which changes templates and queries")
    return found
