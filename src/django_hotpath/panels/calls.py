"""Every function call: which took the time, and who called it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.panels.components import FLAME_GRAPH
from django_hotpath.report.formats import count, ms
from django_hotpath.report.viewmodels.calls import calls_view
from django_hotpath.report.viewmodels.flame import flame_view


class CallsPanel(HotpathPanel):
    title = _("Calls")
    nav_icon = "django_hotpath/panels/calls.svg"
    about = _("Every function call of this request, as a tree and as a table.")
    cost = _("Python code takes about 1.2 to 2 times as long while this is on.")
    instruments = ("calls",)
    template = "panels/calls.html"
    modules = FLAME_GRAPH
    styles = ("tables", "flame")

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        calls = capture.instruments["calls"]
        return {
            "calls": calls.get("calls") or sum(row["calls"] for row in calls["functions"]),
            "total_ms": calls.get("total_ms") or 0.0,
        }

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        calls = summary["calls"]
        return ngettext("%(count)s call in %(time)s", "%(count)s calls in %(time)s", calls) % {
            "count": count(calls),
            "time": ms(summary["total_ms"]),
        }

    def view(self, capture: Capture) -> dict[str, Any]:
        flame = flame_view(capture)
        return {
            "calls": calls_view(capture.instruments["calls"]),
            "flame": flame,
            "data": {"flame": flame.data} if flame is not None else {},
        }
