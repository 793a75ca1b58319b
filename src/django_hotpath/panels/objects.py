"""Model instances that were made, and which of them stayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel, Text
from django_hotpath.report.formats import count
from django_hotpath.report.viewmodels.objects import objects_view


class ObjectsPanel(HotpathPanel):
    title = _("Objects")
    about = _("Model instances that this request made, and objects that stayed in the process.")
    cost = _("A few microseconds for each model instance.")
    instruments = ("objects",)
    template = "_objects.html"

    @classmethod
    def summary(cls, capture: Capture) -> dict[str, Any]:
        objects = capture.instruments["objects"]
        return {"created": objects["created"], "alive": objects["alive"]}

    @classmethod
    def subtitle(cls, summary: Mapping[str, Any]) -> Text:
        created = summary["created"]
        return ngettext("%(count)s model instance", "%(count)s model instances", created) % {
            "count": count(created)
        }

    def view(self, capture: Capture) -> dict[str, Any]:
        return {"objects": objects_view(capture.instruments["objects"])}
