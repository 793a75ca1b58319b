"""What ``?profile=help`` and a request that cannot be met are answered with."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from django_hotpath import conflicts
from django_hotpath.conf import settings
from django_hotpath.instruments import registry
from django_hotpath.report.http import html_response, secure, uncached
from django_hotpath.report.links import Links, asset_in_place, included_asset, urls_included
from django_hotpath.report.pages import InstrumentHelp, help_page, problem_page
from django_hotpath.responses import wants_page


def answer(request: HttpRequest, problems: Sequence[str], formats: Sequence[str]) -> HttpResponse:
    """A 400 that starts with the problems, or without any the help; as a page or as text."""
    known = instrument_help()
    if wants_page(request):
        links = _links(request.path)
        presets, name = settings.PRESETS, settings.PARAMETER
        if problems:
            page = problem_page(problems, known, presets, links, formats, parameter=name)
        else:
            page = help_page(known, presets, links, formats, parameter=name)
        response = html_response(page)
    else:
        response = secure(_text(known, problems, formats))
    response.status_code = 400 if problems else 200
    return uncached(response)


def instrument_help() -> list[InstrumentHelp]:
    """What ``?profile=help`` shows: every instrument by every engine."""
    defaults = set(settings.INSTRUMENTS)
    found = []
    for name in registry.names():
        for cls in registry.engines(name):
            reason = cls.available()
            found.append(
                InstrumentHelp(
                    name=cls.name,
                    engine=cls.engine,
                    measures=cls.measures,
                    cost=cls.cost,
                    disturbed_by=cls.disturbed_by,
                    available=reason is None,
                    reason=reason or "",
                    takes_target=cls.takes_target,
                    default=cls.name in defaults,
                    not_beside=tuple(conflicts.partners(cls)),
                )
            )
    return found


def _text(
    known: Sequence[InstrumentHelp], problems: Sequence[str], formats: Sequence[str]
) -> HttpResponse:
    lines = [*problems, ""] if problems else []
    lines.append(f"{settings.PARAMETER}= takes 1, a preset, or instruments separated by commas.")
    lines.append(f"presets: {', '.join(settings.PRESETS)}")
    for found in known:
        state = "" if found.available else f"  (not available: {found.reason})"
        lines.append(f"{found.name} [{found.engine}]: {found.measures}{state}")
        lines += [f"    not beside {other}: {reason}" for other, reason in found.not_beside]
    lines.append(f"{settings.PARAMETER}_as= takes {', '.join(formats)}")
    text = "\n".join(lines).encode("utf-8", "backslashreplace") + b"\n"
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _links(path: str) -> Links:
    if urls_included():
        return Links(asset=included_asset, captures=reverse("hotpath:captures"))
    return Links(asset=asset_in_place(path, f"{settings.PARAMETER}_asset"))
