"""Asks the debug toolbar to stand aside while a request is profiled.

With it the report would measure the toolbar; and its profiling panel cannot share cProfile with
us: on Python 3.12 and later it would turn the application's answer into a 500.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve


class StandAside:
    """Stands in ``request.resolver_match`` until the URL is resolved.

    The toolbar skips requests for its own URLs, which it tells by the last namespace. To anybody
    else who looks this early this is the match that the URL will have.
    """

    def __init__(self, request: HttpRequest, match: ResolverMatch) -> None:
        self.__request = request
        self.__match = match

    @property
    def namespaces(self) -> list[str]:
        return ["djdt"]

    def __getattr__(self, name: str) -> Any:
        urlconf = getattr(self.__request, "urlconf", None)
        match = self.__match
        if urlconf is not None:
            # A middleware has chosen another URL configuration meanwhile.
            with suppress(Resolver404):
                match = resolve(self.__request.path_info, urlconf)
        return getattr(match, name)


def begin(request: HttpRequest) -> None:
    if "debug_toolbar" not in sys.modules or request.resolver_match is not None:
        return
    try:
        match = resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        # Whoever renders the 404 looks at the match, which must be None: switch off the panels.
        for name in _panel_cookies():
            request.COOKIES[name] = "off"
    else:
        request.resolver_match = StandAside(request, match)  # type: ignore[assignment]


def end(request: HttpRequest) -> None:
    """For an answer that came before the URL was resolved."""
    match: object = request.resolver_match
    if isinstance(match, StandAside):
        request.resolver_match = None


def _panel_cookies() -> list[str]:
    from debug_toolbar.toolbar import DebugToolbar

    return [f"djdt{panel.panel_id}" for panel in DebugToolbar.get_panel_classes() or ()]
