"""``api/``: captures and their exports as JSON; described by ``openapi.json``."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import reverse

from django_hotpath import __version__, exporters, stores
from django_hotpath.analysis.compare import compare as compared
from django_hotpath.capture import Capture
from django_hotpath.report.api_answers import endpoint, error
from django_hotpath.report.compare_views import read_side
from django_hotpath.report.http import export_response
from django_hotpath.report.views import _get

_DESCRIPTION = Path(__file__).with_name("openapi.json")


@endpoint("GET", "HEAD")
def index(request: HttpRequest) -> HttpResponse:
    names = ("captures", "requests", "routes", "compare")
    urls = {name: reverse(f"hotpath:api-{name}") for name in names}
    return JsonResponse(
        {
            "version": __version__,
            **urls,
            "description": reverse("hotpath:api-description"),
            "csrf_token": get_token(request),
        }
    )


@endpoint("GET", "HEAD")
def description(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_description(), content_type="application/json")


@endpoint("GET", "HEAD", "DELETE")
def capture(request: HttpRequest, capture_id: str) -> HttpResponse:
    if request.method == "DELETE":
        stores.get_store().delete(capture_id)
        return HttpResponse(status=204)
    return HttpResponse(_get(capture_id).to_json(), content_type="application/json")


@endpoint("GET", "HEAD")
def exports(request: HttpRequest, capture_id: str) -> HttpResponse:
    found = _get(capture_id)
    formats = [exporters.get(name) for name in exporters.names()]
    return JsonResponse({"exports": [_export(found, each) for each in formats]})


@endpoint("GET", "HEAD")
def export(request: HttpRequest, capture_id: str, name: str) -> HttpResponse:
    try:
        found = exporters.get(name)
    except KeyError:
        known = ", ".join(exporters.names())
        return error(404, f"there is no such format; there are {known}")
    capture = _get(capture_id)
    try:
        body = found.export(capture)
    except exporters.ExportError as problem:
        return error(409, str(problem))
    return export_response(found, capture, body)


@endpoint("GET", "HEAD")
def compare(request: HttpRequest) -> HttpResponse:
    a, b = read_side("A", request.GET.get("a", "")), read_side("B", request.GET.get("b", ""))
    problems = [*a.problems, *b.problems]
    if not a.captures or not b.captures:
        if not problems:
            return error(400, "name the captures to compare: ?a=ID[,ID...]&b=ID[,ID...]")
        return error(404, "; ".join(problems))
    return JsonResponse({**asdict(compared(a.captures, b.captures)), "problems": problems})


@endpoint("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
def unknown(request: HttpRequest, path: str) -> HttpResponse:
    return error(404, "there is no such resource: see the description, openapi.json")


def _export(found: Capture, each: exporters.Format) -> dict[str, Any]:
    reason = each.refusal(found)
    return {
        "name": each.name,
        "label": each.label,
        "hint": each.hint,
        "content_type": each.content_type,
        "file_name": each.file_name(found),
        "available": reason is None,
        "reason": reason,
        "url": reverse("hotpath:api-export", args=[found.id, each.name]),
    }


@cache
def _description() -> bytes:
    return _DESCRIPTION.read_bytes()
