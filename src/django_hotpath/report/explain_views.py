"""``Explain`` of a statement: a GET shows the plan and asks, a POST explains or tries an index."""

from __future__ import annotations

from django.db import connections, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from django_hotpath import deferred, stores
from django_hotpath.analysis.findings.base import queries_of
from django_hotpath.capture import Capture
from django_hotpath.explain import ExplainError, explain_query, merged, try_index
from django_hotpath.report.engine import render
from django_hotpath.report.guard import guarded
from django_hotpath.report.http import html_response
from django_hotpath.report.links import capture_links, capture_url
from django_hotpath.report.viewmodels.plans import plan_page
from django_hotpath.report.views import _get
from django_hotpath.stores.base import StoreError


@never_cache
@guarded
@require_http_methods(["GET", "POST"])
def explain(request: HttpRequest, capture_id: str, index: int) -> HttpResponse:
    """The page of one statement's plan; a script takes the part of it with the plan."""
    found = _found(capture_id, index)
    if request.method == "GET":
        return _page(request, found, index)
    try:
        done = explain_query(found, index, analyze=request.POST.get("analyze") == "1")
    except ExplainError as error:
        return _page(request, found, index, error=str(error), status=409)
    return _stored(request, done, index)


@never_cache
@guarded
@require_POST
def try_advice(request: HttpRequest, capture_id: str, index: int, number: int) -> HttpResponse:
    """Tries one of the indexes that the plan advises."""
    found = _found(capture_id, index)
    try:
        done = try_index(found, index, number)
    except ExplainError as error:
        return _page(request, found, index, error=str(error), status=409)
    return _stored(request, done, index)


for _alias in connections:
    # A transaction around the view would hold what the connection of our own needs.
    transaction.non_atomic_requests(using=_alias)(explain)
    transaction.non_atomic_requests(using=_alias)(try_advice)


def _found(capture_id: str, index: int) -> Capture:
    found = _get(capture_id)
    if not any(query["index"] == index for query in queries_of(found)):
        raise Http404("the capture has no such statement")
    return found


def _stored(request: HttpRequest, done: Capture, index: int) -> HttpResponse:
    """Back to the page; where it could not be stored, the plan at once, with the reason."""
    try:
        deferred.settle(done.id)
        store = stores.get_store()
        # Something else may have been explained or verified meanwhile.
        store.save(merged(store.get(done.id), done, index))
    except StoreError as error:
        return _page(request, done, index, error=f"It could not be stored: {error}")
    return HttpResponseRedirect(reverse("hotpath:explain", args=[done.id, index]))


def _page(
    request: HttpRequest, capture: Capture, index: int, *, error: str = "", status: int = 200
) -> HttpResponse:
    values = {
        "links": capture_links(capture, csrf_token=get_token(request)),
        "page": plan_page(capture, index),
        "error": error,
        "action": reverse("hotpath:explain", args=[capture.id, index]),
        "back": f"{capture_url(capture.id)}#queries",
        "styles": ("explain",),
    }
    return html_response(render("explain.html", values), status)
