"""Asks the debug toolbar to stand aside while a request is profiled.

With it the report would measure the toolbar; and its profiling panel cannot share cProfile with
us: on Python 3.12 and later it would turn the application's answer into a 500.
"""

from __future__ import annotations

import sys
from typing import Any

from django.http import HttpRequest
from django.urls import Resolver404, resolve


class StandAside:
    """Stands in ``request.resolver_match`` until the URL is resolved.

    The toolbar skips requests for its own URLs, which it tells by the last namespace. To anybody
    else who looks this early this is the match that the URL will have.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.__request = request

    @property
    def namespaces(self) -> list[str]:
        return ["djdt"]

    def __getattr__(self, name: str) -> Any:
        try:
            match = resolve(self.__request.path_info, getattr(self.__request, "urlconf", None))
        except Resolver404:
            raise AttributeError(name) from None
        return getattr(match, name)


def begin(request: HttpRequest) -> None:
    if "debug_toolbar" in sys.modules and request.resolver_match is None:
        request.resolver_match = StandAside(request)  # type: ignore[assignment]


def end(request: HttpRequest) -> None:
    """For an answer that came before the URL was resolved."""
    match: object = request.resolver_match
    if isinstance(match, StandAside):
        request.resolver_match = None
