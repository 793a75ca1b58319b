"""Steps that held an event loop: what was seen of them, and which lines it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django_hotpath import callsite
from django_hotpath.analysis.source import expression
from django_hotpath.callsite import locate
from django_hotpath.instruments.base import Session, to_ms
from django_hotpath.instruments.loopstack import Look

# From this share of the time on that it was busy it computes, up to the other one it waits.
COMPUTES, WAITS = 0.7, 0.3
MAX_LINES = 5


@dataclass(slots=True)
class Step:
    """A time in which one thing ran in the loop and nothing else could.

    ``task`` is "own" for the task that is measured, "started" for one that it started, "callback"
    for a plain callback. ``exact`` tells a step that was timed from one that the ticker gave away.
    """

    began_ns: int
    cpu_began_ns: int = 0
    ended_ns: int = 0
    cpu_ns: int | None = None
    task: str = "own"
    exact: bool = True
    looks: list[tuple[int, Look]] = field(default_factory=list)
    next_look_ns: int = 0

    @property
    def duration_ns(self) -> int:
        return self.ended_ns - self.began_ns


@dataclass(slots=True)
class _Line:
    """Looks that found the same line.

    Each stands for the time until the next look, and for the time by which it was late itself.
    """

    look: Look
    looks: int = 0
    time_ns: int = 0
    span_ns: int = 0
    busy_ns: int = 0


def plain(step: Step, session: Session) -> dict[str, Any]:
    """As in ``docs/reference/capture.md``."""
    lines = _lines(step)
    doing = _doing(sum(line.busy_ns for line in lines), sum(line.span_ns for line in lines))
    if doing is None:
        doing = _doing_by_cpu(step)
    whole = sum(line.time_ns for line in lines) or 1
    return {
        "start_ms": session.ms_since_start(step.began_ns),
        "duration_ms": to_ms(step.duration_ns),
        "cpu_ms": None if step.cpu_ns is None else to_ms(step.cpu_ns),
        "doing": doing,
        "task": step.task,
        "exact": step.exact,
        "looks": len(step.looks),
        "lines": [
            {
                "looks": line.looks,
                "about_ms": to_ms(step.duration_ns * line.time_ns // whole),
                "seen_ms": to_ms(min(line.time_ns, step.duration_ns)),
                "doing": doing if len(lines) == 1 else _doing(line.busy_ns, line.span_ns),
                "importing": line.look.importing,
                **_places(line.look),
            }
            for line in lines[:MAX_LINES]
        ],
    }


def _lines(step: Step) -> list[_Line]:
    """The one that it stood at for longest first."""
    looks = list(step.looks)
    before = step.began_ns
    lines: dict[tuple[Any, ...], _Line] = {}
    for number, (moment, look) in enumerate(looks):
        key = _key(look)
        line = lines.setdefault(key, _Line(look))
        line.look = look
        line.looks += 1
        if look.busy_ns is not None:
            line.span_ns += look.span_ns
            line.busy_ns += look.busy_ns
        until = looks[number + 1][0] if number + 1 < len(looks) else step.ended_ns
        line.time_ns += max(until - moment, 0) + min(look.late_ns, max(moment - before, 0))
        # The next look is late within this span: it stands for that part itself.
        if number + 1 < len(looks):
            line.time_ns -= min(looks[number + 1][1].late_ns, max(until - moment, 0))
        before = moment
    return sorted(lines.values(), key=lambda line: -line.time_ns)


def _key(look: Look) -> tuple[Any, ...]:
    frame = look.walk.frames[0] if look.walk.frames else None
    return (frame and frame[:2], look.walk.template, _is_tool(look))


def _places(look: Look) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(("call_site", "expression", "entered"))
    found |= {"stack": [], "inside": _described(look.inside)}
    if _is_tool(look) or not look.walk.frames:
        return found
    code, _line, offset = look.walk.frames[0]
    return {
        "call_site": callsite.call_site(look.walk),
        "expression": expression(code, offset),
        "inside": _described(look.inside) if look.inside != look.walk.frames[0] else None,
        "entered": _described(look.entered) if look.entered else None,
        "stack": [_described(frame) for frame in reversed(look.walk.frames)],
    }


def _is_tool(look: Look) -> bool:
    """Whether a profiling tool was at work, and not the application."""
    return locate(look.inside[0].co_filename).kind == "hotpath"


def _described(frame: callsite.Frame) -> dict[str, Any]:
    code, line, offset = frame
    where = locate(code.co_filename)
    found = {
        "file": where.file,
        "line": line,
        "function": code.co_qualname,
        "kind": where.kind,
        "package": where.package,
    }
    if where.kind == "project":
        found["expression"] = expression(code, offset)
    return found


def _doing(busy_ns: int, span_ns: int) -> str | None:
    if span_ns <= 0:
        return None
    share = busy_ns / span_ns
    return "computing" if share >= COMPUTES else "waiting" if share <= WAITS else "both"


def _doing_by_cpu(step: Step) -> str | None:
    """Little CPU time alone does not tell waiting from wanting a processor that others have."""
    if step.cpu_ns is None or step.cpu_ns < COMPUTES * step.duration_ns:
        return None
    return "computing"
