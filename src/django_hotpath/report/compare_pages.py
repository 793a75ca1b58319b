"""The pages of a comparison as HTML: pure functions from plain data."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from django_hotpath.analysis.compare.model import Comparison
from django_hotpath.analysis.difftree import difference_tree
from django_hotpath.capture import Capture
from django_hotpath.report.compare_text import markdown
from django_hotpath.report.editor import editor, linking
from django_hotpath.report.engine import render
from django_hotpath.report.links import Links, page_url, repeatable
from django_hotpath.report.pages import _json_script
from django_hotpath.report.peers import RunSet, timed_alike
from django_hotpath.report.viewmodels import compare as views
from django_hotpath.report.viewmodels.runs import runs_view
from django_hotpath.report.viewmodels.strips import strip

logger = logging.getLogger("hotpath")


def compare_page(
    comparison: Comparison,
    a: Sequence[Capture],
    b: Sequence[Capture],
    links: Links,
    problems: Sequence[str] = (),
) -> str:
    """``a`` and ``b`` are the captures that were asked for, in any order."""
    flame = _flame(comparison, a, b)
    ids_a, ids_b = _ids(a), _ids(b)
    queries = views.query_rows(comparison.queries)
    changed = [row for row in queries if row.query.state != "same" or row.query.moved]
    functions = views.function_rows(comparison.functions)
    values: dict[str, Any] = {
        "comparison": comparison,
        "tone": views.TONES[comparison.outcome],
        "sides": (
            views.side_view("A", comparison.a, a),
            views.side_view("B", comparison.b, b),
        ),
        "times": views.time_rows(comparison),
        "counts": views.count_rows(comparison.counts),
        "layers": views.layer_rows(comparison.layers),
        "queries": changed[: views.SHOWN_QUERIES],
        "queries_left": max(len(changed) - views.SHOWN_QUERIES, 0),
        "unchanged": [row for row in queries if row not in changed],
        "have_queries": bool(comparison.queries)
        or all("queries" in capture.instruments for capture in [*a, *b]),
        "findings": views.finding_rows(comparison),
        "functions": functions[: views.SHOWN_FUNCTIONS],
        "functions_left": max(len(functions) - views.SHOWN_FUNCTIONS, 0),
        "tested": comparison.times[0].p is not None,
        "flame": flame is not None,
        "data": [_json_script(flame, "diff-data")] if flame else [],
        "swap": f"{links.compare}?{_query(ids_b, ids_a)}",
        "permalink": f"{links.compare}?{_query(ids_a, ids_b)}",
        "markdown": markdown(comparison),
        "runs": _more_runs(b, links, ids_a, ids_b),
        "problems": problems,
        "links": links,
        "bundle": "compare",
    }
    with linking(editor()):
        return render("compare.html", values)


def choice_page(
    given: Sequence[Capture],
    others: Sequence[RunSet],
    links: Links,
    problems: Sequence[str],
    *,
    parameter: str,
) -> str:
    """One set by itself, and those that it can be compared with; or how to make a set."""
    ids = _ids(given)
    walls = [capture.timing.wall_ms for capture in sorted(given, key=lambda c: c.id)]
    values: dict[str, Any] = {
        "given": given[0] if given else None,
        "number": len(given),
        "strip": strip(walls, ()) if walls else None,
        "walls": walls,
        "captures": [(c, reverse("hotpath:capture", args=[c.id])) for c in given],
        "others": _others(others, given, links),
        "runs": _more_runs(given, links, "", ids) if given else None,
        "problems": problems,
        "parameter": parameter,
        "links": links,
        "bundle": "compare",
    }
    return render("compare_choice.html", values)


def _others(
    others: Sequence[RunSet], given: Sequence[Capture], links: Links
) -> list[tuple[RunSet, str, bool]]:
    """Each with the URL of the comparison, in which the older set is A; measured alike first."""
    found = []
    for other in others:
        first, second = sorted([",".join(other.ids), _ids(given)])
        url = f"{links.compare}?{_query(first, second)}"
        found.append((other, url, timed_alike(other, given[0])))
    return sorted(found, key=lambda entry: not entry[2])


def _query(a: str, b: str) -> str:
    return urlencode({"a": a, "b": b}, safe=",")


def _ids(captures: Sequence[Capture]) -> str:
    return ",".join(sorted(capture.id for capture in captures))


def _flame(
    comparison: Comparison, a: Sequence[Capture], b: Sequence[Capture]
) -> dict[str, Any] | None:
    counted_a, counted_b = set(comparison.a.ids), set(comparison.b.ids)
    try:
        tree = difference_tree(
            [capture for capture in a if capture.id in counted_a],
            [capture for capture in b if capture.id in counted_b],
        )
        return views.flame_data(tree) if tree else None
    except Exception:
        # Edited by hand, or by another version: the rest of the page is shown.
        logger.warning("the call trees cannot be compared", exc_info=True)
        return None


def _more_runs(captures: Sequence[Capture], links: Links, before: str, after: str) -> Any:
    """More runs of the last capture's request, for the set ``after``."""
    last = max(captures, key=lambda capture: capture.id)
    if not repeatable(last):
        return None
    peers = reverse("hotpath:peers", args=[last.id])
    found = runs_view(last, replace(links, page=page_url(last), runs=peers))
    return replace(found, before=before, after=after) if found else None
