"""The pages of ``/__hotpath__/``. Whoever may not read captures gets a 404 from all of them."""

from __future__ import annotations

import re
import time

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from django_hotpath import deferred, stores
from django_hotpath.capture import Capture, id_time
from django_hotpath.conf import settings
from django_hotpath.report.assets import asset_response
from django_hotpath.report.guard import guarded
from django_hotpath.report.history import earlier_runs
from django_hotpath.report.http import html_response
from django_hotpath.report.links import capture_links
from django_hotpath.report.pages import report_page
from django_hotpath.stores.base import CaptureNotFound

# Of what another process may still be storing, and how long it is given.
_YOUNG_SECONDS = 300.0
_PATIENCE_SECONDS = 2.0
_LAST_BYTE_SECONDS = 0.5


@never_cache
@guarded
@require_safe
def capture(request: HttpRequest, capture_id: str) -> HttpResponse:
    found = _get(capture_id)
    links = capture_links(found, csrf_token=get_token(request))
    page = report_page(found, links, parameter=settings.PARAMETER, earlier=earlier_runs(found))
    return html_response(page)


@never_cache
@guarded
@require_safe
def capture_json(request: HttpRequest, capture_id: str) -> HttpResponse:
    return HttpResponse(_get(capture_id).to_json(), content_type="application/json")


@never_cache
@guarded
@require_safe
def capture_pstats(request: HttpRequest, capture_id: str) -> HttpResponse:
    found = _get(capture_id)
    if "calls" not in found.instruments:
        raise Http404("this capture has no function calls")
    from django_hotpath.exporters import pstats

    response = HttpResponse(pstats.export(found), content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(found)}.pstats"'
    return response


@never_cache
@guarded
@require_POST
def delete(request: HttpRequest, capture_id: str) -> HttpResponse:
    stores.get_store().delete(capture_id)
    return _to_list(request)


@never_cache
@guarded
@require_POST
def clear(request: HttpRequest) -> HttpResponse:
    stores.get_store().clear()
    return HttpResponseRedirect(reverse("hotpath:captures"))


@guarded
@require_safe
def asset(request: HttpRequest, name: str) -> HttpResponse:
    return asset_response(name)


def _get(capture_id: str) -> Capture:
    """The capture; one that was just taken may be on its way into the store.

    This process makes what it owes itself. Another one has sent its answer a moment ago and is at
    work: then it is waited for, not for long.
    """
    _settle(capture_id)
    store = stores.get_store()
    may_come = not deferred.known(capture_id) and _age(capture_id) < _YOUNG_SECONDS
    until = time.monotonic() + (_PATIENCE_SECONDS if may_come else 0)
    while True:
        try:
            return store.get(capture_id)
        except CaptureNotFound:
            if time.monotonic() >= until:
                raise
            time.sleep(0.02)


def _settle(capture_id: str) -> None:
    """A client has the last byte a moment before the server notices that it was the last."""
    until = time.monotonic() + _LAST_BYTE_SECONDS
    while True:
        try:
            return deferred.settle(capture_id)
        except deferred.StillStreaming:
            if time.monotonic() >= until:
                raise
            time.sleep(0.02)


def _age(capture_id: str) -> float:
    """Seconds since the measuring began, by the clock of the process that made the id."""
    return time.time() - id_time(capture_id)


def _to_list(request: HttpRequest) -> HttpResponse:
    """Back to the list as it was filtered; only its query string is taken from the form."""
    back = request.POST.get("back", "").partition("?")[2]
    query = f"?{back}" if re.fullmatch(r"[\w.%&=+-]{0,500}", back, re.ASCII) and back else ""
    return HttpResponseRedirect(reverse("hotpath:captures") + query)


def _file_name(capture: Capture) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", capture.label.lower()).strip("-")
    return f"{words[:60] or 'capture'}-{capture.id}"
