"""What every answer of ours carries."""

from __future__ import annotations

from typing import TypeVar

from django.http import HttpResponse, HttpResponseBase

from django_hotpath.capture import Capture
from django_hotpath.exporters import Format

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

Response = TypeVar("Response", bound=HttpResponseBase)


def secure(response: Response) -> Response:
    """Sets the security headers of our pages on the response and gives it back."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def export_response(
    found: Format, capture: Capture, body: bytes, *, download: bool = True
) -> HttpResponse:
    """A file in one of the formats, named after the capture."""
    response = HttpResponse(body, content_type=found.content_type)
    kind = "attachment" if download else "inline"
    name = found.file_name(capture)
    response.headers["Content-Disposition"] = f'{kind}; filename="{name}"'
    return secure(response)


def html_response(html: str, status: int = 200) -> HttpResponse:
    """A page of ours, as bytes: text that is no valid Unicode cannot break the answer."""
    body = html.encode("utf-8", "backslashreplace")
    return secure(HttpResponse(body, status=status, content_type="text/html; charset=utf-8"))


def uncached(response: HttpResponse) -> HttpResponse:
    """A report is of one request: no browser and no proxy may show it for another."""
    response.headers["Cache-Control"] = "no-store"
    return response
