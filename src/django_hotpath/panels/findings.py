"""What to change: N+1 queries, duplicates, writes one by one, slow queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.report.formats import ms
from django_hotpath.report.viewmodels.findings import finding_cards, no_finding
from django_hotpath.report.viewmodels.shares import shares


class FindingsPanel(HotpathPanel):
    title = _("Findings")
    nav_icon = "django_hotpath/panels/findings.svg"
    about = _("What makes this page slow, and what to change. The database comes first.")
    # Always on, so that each statement of a loop must cost little.
    instruments = ("light",)
    dear: ClassVar[bool] = False
    template = "panels/findings.html"

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        predicted = [found.fix.predicted for found in capture.findings if found.fix]
        saved = sum(found.saved_ms for found in predicted if found is not None)
        return {
            "count": len(capture.findings),
            "n_plus_one": sum(found.kind == "n_plus_one" for found in capture.findings),
            # Two fixes may save the same milliseconds.
            "saves_ms": round(min(max(saved, 0.0), capture.timing.wall_ms), 2),
            "queries": capture.instruments["queries"]["count"],
        }

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        count, queries = summary["count"], summary["queries"]
        if not count:
            return ngettext("none in %(count)d query", "none in %(count)d queries", queries) % {
                "count": queries
            }
        text = ngettext("%(count)d finding", "%(count)d findings", count) % {"count": count}
        if summary["saves_ms"] > 0:
            text = _now("%(findings)s, saves %(time)s") % {
                "findings": text,
                "time": ms(summary["saves_ms"]),
            }
        return f"⚠ N+1, {text}" if summary["n_plus_one"] else text

    def view(self, capture: Capture) -> dict[str, Any]:
        return {
            "findings": finding_cards(capture, {}),
            "no_finding": no_finding(capture, shares(capture)),
        }
