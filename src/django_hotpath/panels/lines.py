"""Time by source line of the view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_hotpath.capture import Capture
from django_hotpath.conf import settings
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.panels.notes import notes
from django_hotpath.report.formats import ms
from django_hotpath.report.viewmodels.lines import lines_view

_NAME = 40


class LinesPanel(HotpathPanel):
    """By ``sys.monitoring``, or by line_profiler before Python 3.12.

    ``instruments = ("line_profiler",)`` in a subclass is always line_profiler.
    """

    title = _("Lines")
    nav_icon = "django_hotpath/panels/lines.svg"
    about = _("How often each line of the view ran, and how long it took with all that it called.")
    cost = _("The lines of the view take up to a few times as long while this is on.")
    instruments = ("lines",)
    template = "panels/lines.html"

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        return dearest(capture.instruments["lines"], "total_ms", "ms")

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        functions = summary["functions"]
        if not functions:
            return _("no line ran")
        text = ngettext("%(count)d function, %(time)s", "%(count)d functions, %(time)s", functions)
        return with_place(text % {"count": functions, "time": ms(summary["cost"])}, summary)

    def view(self, capture: Capture) -> dict[str, Any]:
        return {
            "lines": lines_view(capture.instruments["lines"], capture.timing.wall_ms),
            "parameter": settings.PARAMETER,
            **notes(capture, self.shows),
        }


def dearest(data: Mapping[str, Any], total: str, cost: str) -> dict[str, Any]:
    """Of ``instruments.lines`` or ``line_memory``: how many ``functions`` ran, the ``cost`` of the
    dearest, which calls the others, and the ``place`` of the line that cost most, if any did.
    """
    ran = [
        function
        for function in data["functions"]
        if any(line.get("hits") for line in function["lines"])
    ]
    most, place = 0, ""
    for function in ran:
        for line in function["lines"]:
            if (line.get(cost) or 0) > most:
                most = line[cost]
                file = str(function["file"]).replace("\\", "/").rpartition("/")[2]
                place = f"{file[-_NAME:]}:{line['line']}"
    return {
        "functions": len(ran) + (data.get("truncated") or 0),
        "cost": max((function[total] for function in ran), key=abs, default=0),
        "place": place,
    }


def with_place(text: str, summary: Mapping[str, Any]) -> str:
    """The figure, and where most of it came from."""
    if not summary["place"]:
        return text
    return _now("%(figure)s, most in %(place)s") % {"figure": text, "place": summary["place"]}
