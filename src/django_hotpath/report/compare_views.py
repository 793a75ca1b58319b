"""``compare/``: two sets of captures; and what a capture can be compared with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from django_hotpath import deferred
from django_hotpath.analysis.compare import compare as compared
from django_hotpath.capture import Capture
from django_hotpath.conf import settings
from django_hotpath.report.compare_pages import choice_page, compare_page
from django_hotpath.report.guard import guarded
from django_hotpath.report.http import html_response
from django_hotpath.report.links import Links, included_asset
from django_hotpath.report.peers import MAX_RUNS, RunSet, peers, timed_alike
from django_hotpath.report.views import _get
from django_hotpath.stores.base import CaptureNotFound

_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)


@dataclass
class Asked:
    """The captures of one side, and what was wrong with how they were asked for."""

    captures: list[Capture] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(capture.id for capture in self.captures)


def read_side(name: str, text: str) -> Asked:
    """From a comma list of ids; raises ``StoreError`` where the store cannot be read."""
    found = Asked()
    words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    ids = [word for word in words if _ID.fullmatch(word)]
    if wrong := [word for word in words if not _ID.fullmatch(word)]:
        found.problems.append(f"{name}: {_some(wrong)} is not the id of a capture")
    if len(ids) > MAX_RUNS:
        found.problems.append(f"{name}: only the first {MAX_RUNS} of {len(ids)} runs are compared")
    missing = []
    for capture_id in ids[:MAX_RUNS]:
        try:
            found.captures.append(_get(capture_id))
        except (CaptureNotFound, deferred.StillStreaming, deferred.Lost):
            missing.append(capture_id)
    if missing:
        found.problems.append(
            f"{name}: {_some(missing)} {'is' if len(missing) == 1 else 'are'} not stored (any more)"
        )
    return found


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - 3} more" if len(words) > 3 else ""
    return ", ".join(word[:40] for word in words[:3]) + more


@never_cache
@guarded
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """``?a=ID[,ID…]&b=ID[,ID…]``; with one side only, what it can be compared with."""
    a, b = read_side("A", request.GET.get("a", "")), read_side("B", request.GET.get("b", ""))
    links = Links(
        asset=included_asset,
        captures=reverse("hotpath:captures"),
        compare=reverse("hotpath:compare"),
    )
    problems = [*a.problems, *b.problems]
    if a.captures and b.captures:
        page = compare_page(
            compared(a.captures, b.captures), a.captures, b.captures, links, problems
        )
        return html_response(page)
    given = a if a.captures else b
    others = peers(given.captures[-1], given.ids) if given.captures else []
    page = choice_page(given.captures, others, links, problems, parameter=settings.PARAMETER)
    status = 404 if problems and not given.captures else 200
    return html_response(page, status)


@never_cache
@guarded
@require_safe
def capture_peers(request: HttpRequest, capture_id: str) -> HttpResponse:
    """JSON: sets of the same route, newest first.

    ``{"sets": [{"ids", "count", "started_at", "ended_at", "median_ms", "queries": [least, most],
    "statuses", "instruments", "path", "alike": measured alike, "url": of the comparison}]}``.
    ``?without=ID,ID`` leaves captures out: those of the set at hand.
    """
    capture = _get(capture_id)
    without = {capture_id, *request.GET.get("without", "").split(",")}
    own = (request.GET.get("without") or capture_id).split(",")
    sets = [
        {
            **asdict(found),
            "count": found.count,
            "alike": timed_alike(found, capture),
            "url": between(found, own),
        }
        for found in peers(capture, without)
    ]
    return JsonResponse({"sets": sets})


def between(found: RunSet, ids: Sequence[str]) -> str:
    """The comparison of a set with these captures; the older ones are A."""
    first, second = sorted([tuple(found.ids), tuple(ids)])
    return f"{reverse('hotpath:compare')}?" + urlencode(
        {"a": ",".join(first), "b": ",".join(second)}, safe=","
    )
