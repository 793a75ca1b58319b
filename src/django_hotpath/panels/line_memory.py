"""Memory by source line of the view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from django_hotpath.capture import Capture
from django_hotpath.conf import settings
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.panels.lines import dearest, with_place
from django_hotpath.panels.notes import notes
from django_hotpath.report.formats import byte_size
from django_hotpath.report.viewmodels.lines import line_memory_view


class LineMemoryPanel(HotpathPanel):
    """By ``sys.monitoring``, or by memory_profiler before Python 3.12.

    ``instruments = ("memory_profiler",)`` in a subclass is always memory_profiler.
    """

    title = _("Line memory")
    nav_icon = "django_hotpath/panels/line_memory.svg"
    about = _("By how much memory grew while each line of the view ran, with all that it called.")
    cost = _("The lines of the view take several times as long while this is on.")
    instruments = ("line_memory",)
    template = "panels/line_memory.html"

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        return dearest(capture.instruments["line_memory"], "increment", "increment")

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        if not summary["functions"]:
            return _("no line ran")
        return with_place(byte_size(summary["cost"], signed=True), summary)

    def view(self, capture: Capture) -> dict[str, Any]:
        return {
            "line_memory": line_memory_view(capture.instruments["line_memory"]),
            "parameter": settings.PARAMETER,
            **notes(capture, self.shows),
        }
