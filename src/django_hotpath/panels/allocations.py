"""What was allocated where, and is still alive."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from django_hotpath.analysis.growth import Growth, growth
from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.panels.components import TABLES
from django_hotpath.panels.notes import notes
from django_hotpath.report.formats import byte_size
from django_hotpath.report.history import earlier_runs
from django_hotpath.report.viewmodels.allocations import allocations_view

logger = logging.getLogger("hotpath")


class AllocationsPanel(HotpathPanel):
    title = _("Allocations")
    nav_icon = "django_hotpath/panels/allocations.svg"
    about = _("What this request allocated and did not free, by the line that did it.")
    cost = _("Python code takes 3 to 10 times as long while this is on: ignore the times.")
    instruments = ("allocations",)
    template = "panels/allocations.html"
    modules = (*TABLES, "views")

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        return {"size": capture.instruments["allocations"]["total_size"]}

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        if summary["size"] is None:
            return _("traced by another tool")
        return byte_size(summary["size"], signed=True)

    def view(self, capture: Capture) -> dict[str, Any]:
        found = _over_several_loads(capture)
        return {
            "allocations": allocations_view(capture.instruments["allocations"], found),
            "leaking": found is not None and any(line.confirmed for line in found.lines),
            **notes(capture, self.shows),
        }


def _over_several_loads(capture: Capture) -> Growth | None:
    """What each load of the page kept; not asked before the panel is opened."""
    try:
        return growth(earlier_runs(capture), capture)
    except Exception:
        # One of them was edited by hand, or another version made it.
        logger.warning("The loads before capture %s cannot be compared", capture.id, exc_info=True)
        return None
