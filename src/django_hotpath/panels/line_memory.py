"""Memory by source line of the view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.panels.lines import heaviest_line
from django_hotpath.report.formats import byte_size
from django_hotpath.report.viewmodels.lines import line_memory_view


class LineMemoryPanel(HotpathPanel):
    title = _("Line memory")
    about = _("By how much memory grew in each line of the view.")
    cost = _("The lines of the view take several times as long while this is on.")
    instruments = ("line_memory",)
    template = "_line_memory.html"
    modules = ("kit", "editor", "table", "controls", "lines")

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        return heaviest_line(capture.instruments["line_memory"], "increment")

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        if summary["line"] is None:
            return _("no line ran")
        return _now("line %(line)d: %(size)s") % {
            "line": summary["line"],
            "size": byte_size(summary["cost"], signed=True),
        }

    def view(self, capture: Capture) -> dict[str, Any]:
        return {"line_memory": line_memory_view(capture.instruments["line_memory"])}
