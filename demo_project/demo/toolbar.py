from __future__ import annotations

from debug_toolbar.middleware import show_toolbar
from django.http import HttpRequest

from django_hotpath.instruments.base import current


def show(request: HttpRequest) -> bool:
    """Not in a request that is profiled: the toolbar's own work would be in its figures."""
    return current.get() is None and show_toolbar(request)
