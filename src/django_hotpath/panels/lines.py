"""Time by source line of the view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.report.formats import ms
from django_hotpath.report.viewmodels.lines import lines_view


class LinesPanel(HotpathPanel):
    title = _("Lines")
    about = _("How often each line of the view ran, and how long it took.")
    cost = _("The lines of the view take up to a few times as long while this is on.")
    instruments = ("lines",)
    template = "_lines.html"
    modules = ("kit", "editor", "table", "controls", "lines")

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        return heaviest_line(capture.instruments["lines"], "ms")

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        if summary["line"] is None:
            return _("no line ran")
        return _now("line %(line)d: %(time)s") % {
            "line": summary["line"],
            "time": ms(summary["cost"]),
        }

    def view(self, capture: Capture) -> dict[str, Any]:
        return {"lines": lines_view(capture.instruments["lines"], capture.timing.wall_ms)}


def heaviest_line(data: Mapping[str, Any], cost: str) -> dict[str, Any]:
    """The line with the greatest ``cost`` in ``instruments.lines`` or ``line_memory``."""
    lines = [line for function in data["functions"] for line in function["lines"]]
    most = max(lines, key=lambda line: line.get(cost) or 0, default=None)
    if most is None or most.get(cost) is None:
        return {"line": None, "cost": 0}
    return {"line": most["line"], "cost": most[cost]}
