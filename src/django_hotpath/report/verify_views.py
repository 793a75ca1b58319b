"""``Verify`` of a finding: a GET for the confirmation and its token, a POST that does it."""

from __future__ import annotations

from dataclasses import asdict, replace

from django.db import connections, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from django_hotpath.report import guard
from django_hotpath.report.engine import render
from django_hotpath.report.guard import guarded
from django_hotpath.report.http import html_response
from django_hotpath.report.links import capture_links, capture_url
from django_hotpath.report.viewmodels.verdicts import verdict_view
from django_hotpath.report.views import _get
from django_hotpath.verification import VerifyError
from django_hotpath.verification.target import refusal
from django_hotpath.verification.verify import measure, store


@never_cache
@guarded
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, capture_id: str, number: int) -> HttpResponse:
    """JSON for a script that asks for it, otherwise pages."""
    found = _get(capture_id)
    if number >= len(found.findings):
        raise Http404("the capture has no such finding")
    finding = found.findings[number]
    if request.method == "GET":
        values = {
            "links": capture_links(found, csrf_token=get_token(request)),
            "finding": finding,
            "back": _back(capture_id, number),
            "refused": refusal(found, finding),
        }
        return html_response(render("verify.html", values))
    as_json = "application/json" in request.headers.get("Accept", "")
    try:
        verified = measure(found, finding, request=request)
    except VerifyError as error:
        if as_json:
            return JsonResponse({"error": str(error)}, status=409)
        return guard.problem("Not verified", str(error), 409, failed=False)
    problem = store(capture_id, finding, verified)
    if not as_json:
        return HttpResponseRedirect(_back(capture_id, number))
    shown = verdict_view(replace(finding, verified=verified))
    assert shown is not None
    notes = [*shown.notes, *([f"It could not be stored: {problem}"] if problem else [])]
    return JsonResponse({**asdict(shown), "notes": notes})


for _alias in connections:
    # The replay has transactions of its own: one around this view would only be in their way.
    transaction.non_atomic_requests(using=_alias)(verify)


def _back(capture_id: str, number: int) -> str:
    return f"{capture_url(capture_id)}#finding-{number}"
