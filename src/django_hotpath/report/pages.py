"""The pages as HTML: pure functions from plain data, no request needed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.utils.safestring import SafeString, mark_safe

from django_hotpath.analysis.growth import Growth, growth, with_growth_findings
from django_hotpath.analysis.usage_history import with_usage_findings
from django_hotpath.capture import Capture
from django_hotpath.conf import settings
from django_hotpath.report.engine import render
from django_hotpath.report.formats import byte_size, count
from django_hotpath.report.links import Links
from django_hotpath.report.viewmodels import sections
from django_hotpath.report.viewmodels.allocations import allocations_view
from django_hotpath.report.viewmodels.cache import cache_view
from django_hotpath.report.viewmodels.calls import CallsView, calls_view
from django_hotpath.report.viewmodels.eventloop import eventloop_view
from django_hotpath.report.viewmodels.findings import finding_cards, no_finding
from django_hotpath.report.viewmodels.flame import flame_view
from django_hotpath.report.viewmodels.lines import line_memory_view, lines_view
from django_hotpath.report.viewmodels.objects import objects_view
from django_hotpath.report.viewmodels.queries import QueriesView, queries_view
from django_hotpath.report.viewmodels.receipt import ReceiptView, receipt_view
from django_hotpath.report.viewmodels.request import request_view, view_site
from django_hotpath.report.viewmodels.runs import RunsView, runs_view
from django_hotpath.report.viewmodels.samples import samples_view
from django_hotpath.report.viewmodels.shares import shares
from django_hotpath.report.viewmodels.summary import summary
from django_hotpath.report.viewmodels.templates import templates_view
from django_hotpath.report.viewmodels.timeline import timeline_view
from django_hotpath.report.viewmodels.usage import usage_view

__all__ = ["InstrumentHelp", "Links", "error_page", "help_page", "problem_page", "report_page"]

logger = logging.getLogger("hotpath")

INCLUDE_LINE = 'path("__hotpath__/", include("django_hotpath.urls"))'

View = TypeVar("View")


@dataclass(frozen=True, kw_only=True)
class InstrumentHelp:
    """What an instrument says about itself, and whether it can run here."""

    name: str
    engine: str
    measures: str
    cost: str
    disturbed_by: str
    available: bool
    reason: str
    """Why it is not available, or what to install; empty when it is."""
    takes_target: bool
    default: bool
    not_beside: tuple[tuple[str, str], ...] = ()
    """What cannot run in the same capture, each with the reason."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report below the findings."""

    name: str
    label: str
    figure: str
    template: str
    problem: str = ""
    """Why it cannot be shown."""


def report_page(
    capture: Capture,
    links: Links,
    notices: Sequence[str] = (),
    *,
    parameter: str = "profile",
    earlier: Sequence[Capture] = (),
) -> str:
    """The report of a capture; ``notices`` are sentences to show on top of it.

    ``parameter`` is the query parameter that asks for a profile; ``earlier`` are other captures
    of the route, to see which memory it keeps and what it fetches for nothing each time.

    A part of the capture that cannot be shown is named in its place, the rest is shown.
    """
    grown = _grown(earlier, capture)
    stored = capture
    capture = _with_usage(with_growth_findings(capture, grown), earlier)
    instruments = capture.instruments
    problems: dict[str, str] = {}

    def view(name: str, build: Callable[[Any], View]) -> View | None:
        if name not in instruments:
            return None
        try:
            return build(instruments[name])
        except Exception as error:
            # A capture of another version, or edited by hand: the report must not fail for it.
            logger.warning("The %s of capture %s cannot be shown", name, capture.id, exc_info=True)
            problems[name] = f"{type(error).__name__}: {error}"
            return None

    def attempt(name: str, build: Callable[[Capture], View | None]) -> View | None:
        """For what is made of several instruments."""
        try:
            return build(capture)
        except Exception as error:
            logger.warning("The %s of capture %s cannot be shown", name, capture.id, exc_info=True)
            problems[name] = f"{type(error).__name__}: {error}"
            return None

    calls: CallsView | None = view("calls", calls_view)
    queries: QueriesView | None = view(
        "queries",
        lambda data: queries_view(
            data, capture.timing.wall_ms, capture.findings, slow_ms=settings.SLOW_QUERY_MS
        ),
    )
    values: dict[str, Any] = {
        "capture": capture,
        "links": links,
        "notices": notices,
        "include_line": INCLUDE_LINE,
        "parameter": parameter,
        "findings": finding_cards(
            capture, queries.group_of if queries else {}, stored=stored, verify=links.verify
        ),
        "flame": attempt("flame", flame_view),
        "timeline": attempt("timeline", timeline_view),
        "request": attempt("request", lambda found: request_view(found, parameter)),
        "calls": calls,
        "queries": queries,
        "usage": view("usage", lambda data: usage_view(data, capture)),
        "samples": view("samples", samples_view),
        "lines": view("lines", lambda data: lines_view(data, capture.timing.wall_ms)),
        "line_memory": view("line_memory", line_memory_view),
        "cache": view("cache", lambda data: cache_view(data, capture.timing.wall_ms)),
        "templates": view("templates", templates_view),
        "memory": view("memory", sections.memory_view),
        "allocations": view("allocations", lambda data: allocations_view(data, grown)),
        "hunt": links.hunt(parameter),
        "usage_run": links.usage(parameter) if "usage" not in instruments else None,
        "objects": view("objects", objects_view),
        "gc": view("gc", lambda data: sections.gc_view(data, capture.timing.wall_ms)),
        "eventloop": view("eventloop", eventloop_view),
        "instruments": instruments,
    }
    sound = {name: data for name, data in instruments.items() if name not in problems}
    readable = replace(capture, instruments=sound)
    values["shares"] = where = shares(readable)
    values["summary"] = summary(readable, where)
    values["no_finding"] = no_finding(readable, where)
    values["receipt"] = _receipt(capture)
    values["view_site"] = attempt("view", view_site)
    values["problems"] = problems
    values["sections"] = _sections(values, problems)
    values["data"] = [
        _json_script(found.data, f"{name}-data")
        for name in ("flame", "timeline", "calls", "queries", "cache")
        if (found := values[name]) is not None
    ]
    values["runs"] = _runs(capture, links)
    values["bundle"] = "report"
    return render("report.html", values)


def _runs(capture: Capture, links: Links) -> RunsView | None:
    try:
        return runs_view(capture, links)
    except Exception:
        # What measured it may be unknown here: the rest of the report is shown.
        logger.warning("Capture %s cannot be repeated", capture.id, exc_info=True)
        return None


def _receipt(capture: Capture) -> ReceiptView | None:
    try:
        return receipt_view(capture)
    except Exception:
        logger.warning("The receipt of capture %s cannot be shown", capture.id, exc_info=True)
        return None


def _grown(earlier: Sequence[Capture], capture: Capture) -> Growth | None:
    try:
        return growth(earlier, capture)
    except Exception:
        # One of them was edited by hand, or another version made it.
        logger.warning("The runs before capture %s cannot be compared", capture.id, exc_info=True)
        return None


def _with_usage(capture: Capture, earlier: Sequence[Capture]) -> Capture:
    try:
        return with_usage_findings(capture, earlier)
    except Exception:
        logger.warning("The runs before capture %s cannot be compared", capture.id, exc_info=True)
        return capture


def help_page(
    instruments: Sequence[InstrumentHelp],
    presets: Mapping[str, Sequence[str]],
    links: Links,
    formats: Sequence[str],
    *,
    parameter: str = "profile",
) -> str:
    """What ``?profile=`` takes here."""
    return _help((), instruments, presets, links, formats, parameter)


def problem_page(
    problems: Sequence[str],
    instruments: Sequence[InstrumentHelp],
    presets: Mapping[str, Sequence[str]],
    links: Links,
    formats: Sequence[str],
    *,
    parameter: str = "profile",
) -> str:
    """What was wrong with the request for a profile, then what is known."""
    return _help(problems, instruments, presets, links, formats, parameter)


def error_page(title: str, detail: str, links: Links, *, failed: bool = True) -> str:
    """A plain page that says why there is nothing to show, and whether something failed."""
    values = {
        "title": title,
        "detail": detail,
        "failed": failed,
        "links": links,
    }
    return render("error.html", values)


def _help(
    problems: Sequence[str],
    instruments: Sequence[InstrumentHelp],
    presets: Mapping[str, Sequence[str]],
    links: Links,
    formats: Sequence[str],
    parameter: str,
) -> str:
    return render(
        "help.html",
        {
            "problems": problems,
            "instruments": instruments,
            # An instrument is listed once for each of its engines.
            "defaults": list(dict.fromkeys(i.name for i in instruments if i.default)),
            "targets": list(dict.fromkeys(i.name for i in instruments if i.takes_target)),
            "parameter": parameter,
            "missing": [found for found in instruments if not found.available and found.reason],
            "presets": [(name, ",".join(parts)) for name, parts in presets.items()],
            "formats": formats,
            "links": links,
        },
    )


def _sections(values: Mapping[str, Any], problems: Mapping[str, str]) -> list[Section]:
    """Those that have something to show, in the order of the tabs."""
    calls, queries, cache = values["calls"], values["queries"], values["cache"]
    templates, gc, links = values["templates"], values["gc"], values["links"]
    eventloop = values["eventloop"]
    objects, usage = values["objects"], values["usage"]
    found = [
        ("flame", "Flame graph", ""),
        ("timeline", "Timeline", ""),
        ("calls", "Calls", count(calls.count) if calls else ""),
        ("samples", "Samples", count(values["samples"].count) if values["samples"] else ""),
        ("lines", "Lines", ""),
        ("queries", "Queries", count(queries.count) if queries else ""),
        ("usage", "Usage", byte_size(usage.unread_bytes) if usage else ""),
        ("cache", "Cache", count(cache.count) if cache else ""),
        ("templates", "Templates", count(templates.count) if templates else ""),
        ("objects", "Objects", count(objects.created) if objects else ""),
        ("memory", "Memory", ""),
        ("gc", "Garbage collector", count(gc.count) if gc else ""),
        ("eventloop", "Event loop", eventloop.figure if eventloop else ""),
        ("request", "Request" if values["capture"].request else "Environment", ""),
        ("raw", "Raw", ""),
    ]
    present = {name for name, *_ in found if values.get(name) or name in problems}
    present |= {"raw"}
    by_line = values["line_memory"] or "line_memory" in problems
    if values["allocations"] or links.memory or "allocations" in problems or by_line:
        present.add("memory")
    return [
        Section(
            name=name,
            label=label,
            figure=figure,
            template=f"_{name}.html",
            problem=problems.get(name, ""),
        )
        for name, label, figure in found
        if name in present
    ]


def _json_script(data: Any, name: str) -> SafeString:
    """As Django's ``json_script``, which translates letter by letter and takes much longer."""
    text = json.dumps(data, separators=(",", ":"), default=str)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04X}")
    return mark_safe(f'<script id="{name}" type="application/json">{text}</script>')  # noqa: S308
