"""Model instances that were made, and which of them stayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.panels.notes import notes
from django_hotpath.report.formats import count
from django_hotpath.report.viewmodels.objects import objects_view


class ObjectsPanel(HotpathPanel):
    """``instruments = ("pympler",)`` in a subclass counts and sizes every object of the process,
    which takes Pympler up to a second before the request and as much after it.
    """

    title = _("Objects")
    nav_icon = "django_hotpath/panels/objects.svg"
    about = _("Model instances that this request made, and objects that stayed in the process.")
    cost = _("Takes a few microseconds an instance, and tens of milliseconds to count objects.")
    instruments = ("objects",)
    template = "panels/objects.html"

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        objects = capture.instruments["objects"]
        return {"created": objects["created"], "alive": objects["alive"]}

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        created = summary["created"]
        text = ngettext("%(count)s model instance", "%(count)s model instances", created) % {
            "count": count(created)
        }
        if not summary["alive"]:
            return text
        return _now("%(instances)s, %(count)s still alive") % {
            "instances": text,
            "count": count(summary["alive"]),
        }

    def view(self, capture: Capture) -> dict[str, Any]:
        return {
            "objects": objects_view(capture.instruments["objects"]),
            **notes(capture, self.shows),
        }
