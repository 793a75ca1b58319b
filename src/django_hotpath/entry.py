"""From the request to what is to be done with it: profile, help, refuse in words, or nothing."""

from __future__ import annotations

import logging

from django.conf import settings as django_settings
from django.http import Http404, HttpRequest, HttpResponse

from django_hotpath import access, exporters, help_answer, trigger
from django_hotpath.instruments.registry import Spec
from django_hotpath.profiled_request import ProfiledRequest
from django_hotpath.report.assets import asset_response

logger = logging.getLogger("hotpath")


def answer_or_profile(request: HttpRequest) -> ProfiledRequest | HttpResponse | None:
    """How to profile the request, or our answer to it, or None when it is not for us.

    A client that may not use the profiler gets None, and the request stays as it was.
    """
    try:
        ask = trigger.read(request)
        if ask is None:
            return None
        refusal = access.refusal(request)
        if refusal is not None:
            if django_settings.DEBUG:
                logger.warning("%s was not profiled: %s", request.path, refusal)
            return None
        trigger.strip(request)
        if ask.asset is not None:
            return _asset(ask.asset)
        return _prepare(request, ask)
    except Exception:
        logger.exception("the request goes on unprofiled")
        return None


def _prepare(request: HttpRequest, ask: trigger.Ask) -> ProfiledRequest | HttpResponse:
    formats = ("html", *exporters.names())
    asked = (ask.profile or "").strip()
    problems = []
    specs: tuple[Spec, ...] = ()
    if ask.output is not None and ask.output not in formats:
        problems.append(f"there is no format {ask.output!r}")
    if asked != "help":
        try:
            specs = trigger.parse(asked)
        except trigger.TriggerError as error:
            problems += error.problems
    if asked == "help" or problems:
        return help_answer.answer(request, problems, formats)
    return ProfiledRequest(request, specs, ask.output)


def _asset(name: str) -> HttpResponse:
    try:
        return asset_response(name)
    except Http404:
        return HttpResponse("no such asset", status=404, content_type="text/plain")
