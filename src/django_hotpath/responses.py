"""Answers that carry something of ours: a copy with our headers, or the report in their place."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders

from django_hotpath import exporters
from django_hotpath.capture import Capture
from django_hotpath.report.http import export_response, secure, uncached

# In the order of the header.
_METRICS = (
    ("db", "db_ms"),
    ("cache", "cache_ms"),
    ("template", "template_ms"),
    ("http", "http_ms"),
    ("gc", "gc_ms"),
)


def wants_page(request: HttpRequest) -> bool:
    """Whether a person navigates here: only then the report takes the answer's place."""
    meta = request.META
    if meta.get("HTTP_X_REQUESTED_WITH") == "XMLHttpRequest":
        return False
    destination = meta.get("HTTP_SEC_FETCH_DEST")
    if destination is not None and destination != "document":
        return False
    return "text/html" in meta.get("HTTP_ACCEPT", "")


def twin(response: HttpResponseBase) -> HttpResponseBase:
    """The same response with headers of its own.

    An application may answer with one object many times: ours must not stay on it. A stream can
    be sent once only, and its iterator may look at the object it was made for.
    """
    if response.streaming:
        return response
    try:
        copy = type(response).__new__(type(response))
        copy.__dict__.update(response.__dict__)
        copy.headers = ResponseHeaders(dict(response.headers))
        copy._resource_closers = list(response._resource_closers)  # type: ignore[attr-defined]
    except Exception:
        # A class that cannot be made this way: its own object has to do.
        return response
    return copy


def exported(capture: Capture, output: str) -> HttpResponse:
    """The capture in a format; in plain text why not, where it cannot be had."""
    found = exporters.get(output)
    try:
        body = found.export(capture)
    except exporters.ExportError as error:
        return secure(HttpResponse(f"{error}\n", content_type="text/plain; charset=utf-8"))
    return export_response(found, capture, body, download=not found.shown)


def in_place_of(response: HttpResponseBase, shown: HttpResponse) -> HttpResponse:
    """Takes over what must outlive the application's answer: its cookies and what it closes."""
    shown.cookies = response.cookies
    shown._resource_closers.extend(response._resource_closers)  # type: ignore[attr-defined]
    return uncached(shown)


def add_server_timing(
    response: HttpResponseBase, wall_ms: float, timing: Mapping[str, float], what: str = ""
) -> None:
    """``timing`` as in a capture; ``what`` describes the wall time where it is not the whole."""
    described = f';desc="{what}"' if what else ""
    metrics = [f"app;dur={wall_ms:.1f}{described}"]
    metrics += [f"{name};dur={timing[key]:.1f}" for name, key in _METRICS if key in timing]
    own = response.headers.get("Server-Timing")
    response.headers["Server-Timing"] = ", ".join([own, *metrics] if own else metrics)


def header_text(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode("ascii").split())[:500]
