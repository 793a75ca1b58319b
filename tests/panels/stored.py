"""What a panel shows of a capture that a test made up: nothing of it depends on the clock."""

from __future__ import annotations

from uuid import uuid4

from debug_toolbar.store import get_store
from django.http import HttpResponse
from django.test import Client

from django_hotpath import stores
from django_hotpath.capture import Capture
from django_hotpath.panels.base import HotpathPanel
from tests.panels.toolbar import Shown


def stored(cls: type[HotpathPanel], capture: Capture) -> Shown:
    """As if ``cls`` had measured ``capture``; needs a toolbar in use."""
    stores.get_store().save(capture)
    request_id = uuid4().hex
    found = get_store()
    found.set(request_id)
    stats = {"capture": capture.id, "elsewhere": False, "streaming": False}
    found.save_panel(request_id, cls.panel_id, {**stats, **cls.stats_of(capture)})
    return Shown(HttpResponse(), "", request_id, Client())


def subtitle(cls: type[HotpathPanel], capture: Capture) -> str:
    """What the side bar says below the panel's title."""
    return str(cls.subtitle(cls.summary(capture))).replace("\u00a0", " ").replace("\u202f", " ")
