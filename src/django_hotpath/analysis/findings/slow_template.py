"""``slow_template``: a template of the project whose own rendering takes much of the time."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django_hotpath.analysis.findings.base import Limits, queries_of
from django_hotpath.capture import CallSite, Capture, Finding, Fix

MIN_MS = 50
MIN_SHARE = 0.25
HIGH_SHARE = 0.5
MANY = 100

# Frames whose time other findings are about, or nobody's template: with all that they call.
_NOT_RENDERING = frozenset({"project", "sql", "cache", "http", "middleware"})

_MANY = (
    "It is the number of renderings that costs: a {% for %} around the rows in one template "
    "renders them at once, where an {% include %} in a loop sets up a context for each. Or keep "
    "the fragment: {% load cache %}{% cache 300 name key %}."
)
_DJANGO = (
    "Show less at once (pages: Paginator), prepare values in the view or the queryset rather than "
    "by tags and filters in a loop, keep the fragment with {% cache %}. Jinja2, which compiles "
    "templates to Python, renders long loops several times faster."
)
_JINJA2 = (
    "Show less at once (pages: Paginator), prepare values in the view or the queryset, keep the "
    "rendered fragment in the cache."
)


def slow_template(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Templates of the project whose own work is at least 50 ms and 25 % of the whole.

    Queries, cache operations and functions of the project that a template sets off are not its own
    work, nor are templates that it includes or extends.
    """
    recorded = capture.instruments.get("templates")
    wall = capture.timing.wall_ms
    if not recorded or wall <= 0:
        return
    elsewhere = _database_ms(capture, recorded)
    rendering = _rendering_ms(capture)
    for template in recorded["templates"]:
        name = template["name"]
        own = template["own_ms"] - elsewhere.get(name, 0.0)
        if rendering is not None:
            own = min(own, rendering.get(name, 0.0))
        share = own / wall
        if own < MIN_MS or share < MIN_SHARE or not _is_projects(template["file"]):
            continue
        yield _finding(template, own, share)


def _is_projects(file: str) -> bool:
    """Paths of the project are relative to it."""
    return not file.startswith(("/", "<", "~")) and ":" not in file


def _database_ms(capture: Capture, recorded: Mapping[str, Any]) -> dict[str, float]:
    """The time of queries that each template set off itself."""
    renders = sorted(recorded["renders"], key=lambda render: render["start_ms"])
    by_index = {render["index"]: render for render in renders}
    starts = [render["start_ms"] for render in renders]
    spent: dict[str, float] = defaultdict(float)
    for query in queries_of(capture):
        began = query["start_ms"]
        place = bisect_right(starts, began) - 1
        render = renders[place] if place >= 0 else None
        while render is not None and began > render["start_ms"] + render["duration_ms"]:
            render = by_index.get(render["parent"])
        if render is not None:
            spent[render["name"]] += query["duration_ms"]
    return spent


def _rendering_ms(capture: Capture) -> dict[str, float] | None:
    """The time of each template by the exact tree; None where there is no tree."""
    calls = capture.instruments.get("calls") or {}
    tree = calls.get("tree")
    if not tree:
        return None
    functions = calls["functions"]
    spent: dict[str, float] = defaultdict(float)
    # By node: the template that its time is of; a parent comes before its children.
    owners: list[str | None] = []
    for parent, frame, own in zip(tree["parent"], tree["frame"], tree["own_ms"], strict=True):
        owner = owners[parent] if parent >= 0 else None
        if frame >= 0:
            kind = functions[frame]["kind"]
            if kind == "template":
                owner = functions[frame]["function"]
            elif kind in _NOT_RENDERING:
                owner = None
        owners.append(owner)
        if owner is not None:
            spent[owner] += own
    return spent


def _finding(template: Mapping[str, Any], own: float, share: float) -> Finding:
    count = template["count"]
    times = "once" if count == 1 else f"{count:,} times"
    each = "" if count == 1 else f", {own / count:,.2f} ms each time"
    advice = _JINJA2 if template["engine"] == "jinja2" else _DJANGO
    if count >= MANY:
        advice = _MANY
    return Finding(
        kind="slow_template",
        severity="high" if share >= HIGH_SHARE else "medium",
        title=f"Rendering {template['name']} takes {share:.0%} of the time by itself",
        detail=(
            f"{template['name']} was rendered {times}; its own tags, filters and variables took "
            f"{own:,.0f} ms{each}. Queries, functions of the project and templates that it "
            "includes are not in that."
        ),
        count=count,
        cost_ms=round(own, 4),
        call_site=CallSite(file=template["file"], line=1, function=""),
        fix=Fix(summary=advice),
    )
