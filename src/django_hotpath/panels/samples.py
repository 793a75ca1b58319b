"""Where the time goes, by samples of the stack: no code is slowed down much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.panels.components import FLAME_GRAPH
from django_hotpath.panels.notes import notes
from django_hotpath.report.formats import count, ms
from django_hotpath.report.viewmodels.flame import flame_view
from django_hotpath.report.viewmodels.samples import samples_view


class SamplesPanel(HotpathPanel):
    """By vmprof, or by a thread that looks where vmprof is missing or unsafe.

    ``instruments = ("thread",)`` in a subclass is always the thread.
    """

    title = _("Samples")
    nav_icon = "django_hotpath/panels/samples.svg"
    about = _("Which code the request was in, looked at every millisecond.")
    cost = _("Slows the page down by 5 to 15 percent, and a short page gets few samples.")
    instruments = ("samples",)
    template = "panels/samples.html"
    modules = FLAME_GRAPH
    styles = ("tables", "flame")

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        samples = capture.instruments["samples"]
        return {"samples": samples["samples"], "sampled_ms": samples["sampled_ms"]}

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        samples = summary["samples"]
        if not samples:
            return _("no sample")
        return ngettext("%(count)s sample, %(time)s", "%(count)s samples, %(time)s", samples) % {
            "count": count(samples),
            "time": ms(summary["sampled_ms"]),
        }

    def view(self, capture: Capture) -> dict[str, Any]:
        flame = flame_view(capture, only="samples")
        return {
            "samples": samples_view(capture.instruments["samples"]),
            "flame": flame,
            "data": {"flame": flame.data} if flame is not None else {},
            **notes(capture, self.shows),
        }
