"""The head of the report: what was measured, how long it took, what disturbed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.report.formats import bytes_parts, count, ms, ms_parts, percent, share
from django_hotpath.report.viewmodels.shares import Part, Shares

# As disturbances.py begins them.
_LESSER = ("Runserver is ", "With DEBUG on")


@dataclass(frozen=True, kw_only=True)
class Stat:
    label: str
    value: str
    unit: str = ""
    note: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    title: str
    method: str
    path: str
    query_string: str
    status: str
    status_class: str
    route: str
    view: str
    exception: str
    verdict: str
    stats: tuple[Stat, ...]
    engines: tuple[str, ...]
    disturbed: tuple[str, ...]
    """What makes the figures wrong, or those of another case than the usual one."""
    lesser: tuple[str, ...]
    """What is always so on this server, and moves little."""


def summary(capture: Capture, where: Shares | None) -> Summary:
    request = capture.request
    found = disturbances(capture)
    return Summary(
        title=capture.label,
        method=request.method if request else "",
        path=request.path if request else capture.label,
        query_string=request.query_string if request else "",
        status=status_text(request.status if request else None),
        status_class=status_class(request.status if request else None),
        route=(request.route or "") if request else "",
        view=(request.view or "") if request else "",
        exception=exception_text(request.exception if request else None),
        verdict=verdict(capture, where),
        stats=tuple(stats(capture)),
        engines=tuple(
            f"{name} ({data['engine']})" if isinstance(data, dict) and data.get("engine") else name
            for name, data in capture.instruments.items()
            if name != "plans"
        ),
        disturbed=tuple(text for text in found if not text.startswith(_LESSER)),
        lesser=tuple(text for text in found if text.startswith(_LESSER)),
    )


def exception_text(error: Mapping[str, str] | None) -> str:
    if not error:
        return ""
    return ": ".join(part for part in (error.get("type"), error.get("message")) if part)


def status_text(status: int | None) -> str:
    if status is None:
        return ""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def status_class(status: int | None) -> str:
    """ok, moved, refused or failed."""
    if status is None or status < 300:
        return "ok"
    return "moved" if status < 400 else "refused" if status < 500 else "failed"


def verdict(capture: Capture, where: Shares | None) -> str:
    """What a reader should know first: how long, what most of it was, how much there is to fix."""
    text = f"Took {ms(capture.timing.wall_ms)}"
    if where and (part := where.largest):
        text += f", {percent(part.percent / 100)} of it in {_in_a_sentence(part)}"
    if queries := capture.instruments.get("queries"):
        number = queries["count"]
        text += f", with {_number(number, 'database query', 'database queries')}" if number else ""
        text += "" if number else ", without a database query"
    text += "."
    number = len(capture.findings)
    high = sum(finding.severity == "high" for finding in capture.findings)
    if number:
        text += f" {number} {'finding' if number == 1 else 'findings'}"
        text += f", {high} of high severity" if 0 < high < number else ""
        text += " of high severity" if high == number else ""
        text += "."
    return text


def _in_a_sentence(part: Part) -> str:
    """Labels that are no names begin with a small letter."""
    if part.key == "orm" or part.tone == "library":
        return part.label
    return part.label[:1].lower() + part.label[1:]


def stats(capture: Capture) -> list[Stat]:
    """The measured ones only: what was not measured is not shown as zero."""
    timing, instruments = capture.timing, capture.instruments
    found = [
        _time(
            "Wall time", timing.wall_ms, hint="From the first to the last moment, waiting included"
        )
    ]
    if timing.cpu_ms is not None:
        found.append(
            _time(
                "CPU time",
                timing.cpu_ms,
                note=f"{percent(share(timing.cpu_ms, timing.wall_ms))} of wall",
                hint="Time this thread was computing; the rest of the wall time it waited",
            )
        )
    if capture.request and capture.request.stream:
        found.append(_stream(capture.request.stream))
    if queries := instruments.get("queries"):
        found.append(
            _time(
                "Database",
                timing.db_ms,
                note=_number(queries["count"], "query", "queries"),
                hint="Executing statements and fetching their rows",
            )
        )
    if (cache := instruments.get("cache")) and cache["count"]:
        note = _number(cache["count"], "operation", "operations")
        if cache.get("misses"):
            note += f", {_number(cache['misses'], 'miss', 'misses')}"
        found.append(_time("Cache", timing.cache_ms, note=note))
    if (templates := instruments.get("templates")) and templates["count"]:
        found.append(
            _time(
                "Templates",
                timing.template_ms,
                note=_number(templates["count"], "rendering", "renderings"),
                hint="Outermost renderings, with the queries that they made happen",
            )
        )
    if (gc := instruments.get("gc")) and gc["count"]:
        found.append(
            _time(
                "Garbage collector",
                timing.gc_ms,
                note=_number(gc["count"], "pause", "pauses"),
            )
        )
    if memory := instruments.get("memory"):
        found.extend(_memory(memory))
    return found


def _stream(stream: dict[str, Any]) -> Stat:
    chunks, waiting = stream.get("chunks"), stream.get("waiting_ms")
    note = "by the server itself" if chunks is None else f"in {_number(chunks, 'chunk', 'chunks')}"
    value, unit = bytes_parts(stream.get("bytes"))
    return Stat(
        label="Streamed",
        value=value,
        unit=unit,
        note=f"{note}; {ms(waiting)} of waiting left out",
        hint=(
            "The wall time has the making of the chunks in it, not the time between them, when the "
            "server sent and the client read"
        ),
    )


def _memory(memory: dict[str, Any]) -> list[Stat]:
    before, after = memory.get("rss_before"), memory.get("rss_after")
    if before is None or after is None:
        return []
    value, unit = bytes_parts(after - before, signed=True)
    total, total_unit = bytes_parts(after)
    return [
        Stat(
            label="Memory",
            value=value,
            unit=unit,
            note=f"process at {total} {total_unit}",
            hint="Change of the resident set size (RSS) of the whole process",
        )
    ]


def _time(label: str, value: float | None, *, note: str = "", hint: str = "") -> Stat:
    figure, unit = ms_parts(value)
    return Stat(label=label, value=figure, unit=unit, note=note, hint=hint)


def _number(number: int, one: str, many: str) -> str:
    return f"{count(number)} {one if number == 1 else many}"


def disturbances(capture: Capture) -> Sequence[str]:
    found = [text[:1].upper() + text[1:] for text in capture.environment.warnings]
    overlap = capture.overlap
    if overlap.requests:
        other = _number(overlap.requests, "other request", "other requests")
        found.append(
            f"This process served {other} meanwhile, during {percent(overlap.share)} of the time:"
            " waiting for them is part of the times shown."
        )
    return found
