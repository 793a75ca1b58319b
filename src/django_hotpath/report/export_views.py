"""A capture as a file in another tool's format."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from django_hotpath import exporters
from django_hotpath.report import guard
from django_hotpath.report.http import export_response
from django_hotpath.report.views import _get


@never_cache
@guard.guarded
@require_safe
def export(request: HttpRequest, capture_id: str, name: str) -> HttpResponse:
    """404 for an unknown format, 409 where this capture cannot be written in it."""
    try:
        found = exporters.get(name)
    except KeyError:
        raise Http404("there is no such format") from None
    capture = _get(capture_id)
    try:
        body = found.export(capture)
    except exporters.ExportError as error:
        return guard.problem(f"Not as {found.label}", str(error), 409, failed=False)
    return export_response(found, capture, body)
