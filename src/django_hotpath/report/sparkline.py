"""A route's times as a small picture: SVG made here, so that it needs no script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from django_hotpath.report.formats import ms
from django_hotpath.stores.requests import RequestFigures

WIDTH, HEIGHT = 160, 32
REACH = 6
_EDGE = 4
_SHOWN = 60
_SPIKES = 3
_CAPTURES = 6
# A spike takes twice the median, and long enough to be felt.
_TIMES, _LEAST_MS = 2.0, 1.0


@dataclass(frozen=True, kw_only=True)
class Point:
    x: float
    y: float
    url: str
    title: str
    kind: str

    @property
    def left(self) -> float:
        """Where what can be clicked begins."""
        return self.x - REACH


@dataclass(frozen=True, kw_only=True)
class Sparkline:
    """``line`` are the points of a polyline, ``points`` those that lead somewhere."""

    line: str
    single: bool
    points: tuple[Point, ...]
    label: str


def sparkline(
    lines: Sequence[RequestFigures], link: Callable[[RequestFigures], str]
) -> Sparkline | None:
    """Of the last requests of a route, oldest first, evenly spaced; heights begin at zero.

    Profiled runs are slower than others: they stand below the line and are no part of it.
    ``link`` gives the address of a request's line or of its capture.
    """
    shown = lines[-_SHOWN:]
    plain = [line for line in shown if not line.profiled] or list(shown)
    if len(shown) < 2:
        return None
    highest = max(line.wall_ms for line in plain) or 1.0
    step = (WIDTH - 2 * _EDGE) / max(len(shown) - 1, 1)
    x = {line.seq: round(_EDGE + i * step, 1) for i, line in enumerate(shown)}
    room = HEIGHT - 2 * _EDGE

    def y(line: RequestFigures) -> float:
        return round(HEIGHT - _EDGE - line.wall_ms / highest * room, 1)

    points = [
        Point(x=x[line.seq], y=y(line), url=link(line), title=_title(line), kind="spike")
        for line in _spikes(plain)
    ]
    if plain is not shown and len(plain) < len(shown):
        captured = [line for line in shown if line.capture is not None][-_CAPTURES:]
        points += [
            Point(
                x=x[line.seq],
                y=HEIGHT - 2.5,
                url=link(line),
                title=f"Report: {_title(line)}",
                kind="capture",
            )
            for line in captured
        ]
    points.sort(key=lambda point: point.x)
    return Sparkline(
        line=" ".join(f"{x[line.seq]:g},{y(line):g}" for line in plain),
        single=len(plain) == 1,
        points=tuple(points),
        label=_label(plain),
    )


def _spikes(lines: Sequence[RequestFigures]) -> list[RequestFigures]:
    usual = median(line.wall_ms for line in lines)
    least = max(usual * _TIMES, usual + _LEAST_MS)
    high = [line for line in lines if line.wall_ms >= least]
    return sorted(high, key=lambda line: -line.wall_ms)[:_SPIKES]


def _label(lines: Sequence[RequestFigures]) -> str:
    times = [line.wall_ms for line in lines]
    profiled = "profiled " if lines[0].profiled else ""
    if len(times) == 1:
        return f"1 {profiled}request: {ms(times[0])}"
    return (
        f"Last {len(times)} {profiled}requests: {ms(min(times))} to {ms(max(times))}, "
        f"median {ms(median(times))}, the last {ms(times[-1])}"
    )


def _title(line: RequestFigures) -> str:
    return f"{ms(line.wall_ms)}, {line.started_at[:19].replace('T', ' ')} UTC"


def as_values(found: Sparkline | None) -> dict[str, Any] | None:
    return None if found is None else {"width": WIDTH, "height": HEIGHT, "of": found}
