"""Where the time goes, by samples of the stack: no code is slowed down much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.report.formats import count, ms
from django_hotpath.report.viewmodels.samples import samples_view


class SamplesPanel(HotpathPanel):
    title = _("Samples")
    about = _("The stack, looked at at a steady rate: for pages of many small calls.")
    cost = _("Little; a page of a few milliseconds gets only a few samples.")
    instruments = ("samples",)
    template = "_samples.html"

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        samples = capture.instruments["samples"]
        return {"samples": samples["samples"], "sampled_ms": samples["sampled_ms"]}

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        samples = summary["samples"]
        return ngettext("%(count)s sample, %(time)s", "%(count)s samples, %(time)s", samples) % {
            "count": count(samples),
            "time": ms(summary["sampled_ms"]),
        }

    def view(self, capture: Capture) -> dict[str, Any]:
        return {"samples": samples_view(capture.instruments["samples"])}
