"""What Django itself takes for a request: its middleware, against the bare view."""

from __future__ import annotations

from functools import cache
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import resolve
from django.utils.module_loading import import_string

from examples.pages import Payload, answer, payload
from examples.registry import S2, Example, Family, Signal, Sizes, Variant

REQUESTS = Sizes(default=200, cap=2_000)
PATH = "/baseline/ping/"
# Tools that look at requests: they are no part of the stack of a site that is deployed.
TOOLS = ("django_hotpath.", "debug_toolbar.", "demo.")


def ping(request: HttpRequest) -> HttpResponse:
    return HttpResponse("pong", content_type="text/plain")


def routed(request: HttpRequest) -> HttpResponse:
    """Finds the view of the address and calls it, as Django's handler does."""
    found = resolve(request.path_info)
    return found.func(request, *found.args, **found.kwargs)


@cache
def full_stack() -> Any:
    """The middleware of the settings around the views, as Django's handler puts it together."""
    handler = convert_exception_to_response(routed)
    for path in reversed(settings.MIDDLEWARE):
        if not path.startswith(TOOLS):
            handler = convert_exception_to_response(import_string(path)(handler))
    return handler


def baseline_slow(request: HttpRequest) -> HttpResponse:
    return _timed(request, full_stack())


def baseline_fast(request: HttpRequest) -> HttpResponse:
    return _timed(request, ping)


def _timed(request: HttpRequest, handler: Any) -> HttpResponse:
    # Not an address of INTERNAL_IPS: nobody who asks for tools.
    requests = [
        RequestFactory(REMOTE_ADDR="192.0.2.1").get(PATH) for _ in range(REQUESTS.asked(request))
    ]
    began = perf_counter()
    responses = [handler(one) for one in requests]
    each = (perf_counter() - began) * 1_000 / len(requests)
    return answer(request, _summary(responses), note=f"{each:.3f} ms a request")


def _summary(responses: list[HttpResponse]) -> Payload:
    answers = sorted({(one.status_code, one.text) for one in responses})
    return payload(
        ("Status", "Answer", "Requests"),
        [(status, text, len(responses)) for status, text in answers],
    )


FAMILY = Family("django", "Django itself", "What is there before a line of yours has run.")

EXAMPLES = (
    Example(
        slug="baseline",
        number=32,
        title="The middleware stack against an empty handler",
        family=FAMILY,
        source=(S2,),
        claim="Django takes 5 to 15 ms of each request for itself.",
        variants=(
            Variant(
                "slow",
                baseline_slow,
                "all middleware, and the URL resolved",
                "slow",
                code=(full_stack, routed),
            ),
            Variant("fast", baseline_fast, "the view called directly", "fast", code=(ping,)),
        ),
        sizes=REQUESTS,
        signals=(
            Signal("slow", "calls of ping", 200),
            Signal("fast", "calls of ping", 200),
            Signal("slow", "calls of SessionMiddleware.process_request at least", 200),
            Signal("fast", "calls of SessionMiddleware.process_request at most", 1),
            Signal("slow", "queries", 0),
        ),
        explanation=(
            "Each variant sends 200 requests to a view that says “pong”: one through all "
            "middleware of these settings, one straight to the view. Under the table is what one "
            "request takes. What each middleware takes of a real request is in the report's "
            "section “Timeline”: those of this very page are there too."
        ),
        trap=(
            "Taking middleware out saves hundredths of a millisecond, and its protection with it. "
            "What costs is what middleware of your own does: a query in it is one for each request."
        ),
        verdict="not reproduced",
        verdict_reason=(
            "200 requests through all of Django's middleware take tens of milliseconds together: "
            "one takes a tenth or two. A whole request with a user and templates is not measured."
        ),
        shows=("middleware", "calls"),
    ),
)
