"""``ProfilingMiddleware``: a thin shell, sync and async.

A request that asks for nothing costs a substring test, a key test and, unless
``SLOW_REQUEST_MS`` is None, the clock and the counter behind the slow-request log; in ``DEBUG``
a line in the history too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from django_hotpath import callsite, slowlog, summaries
from django_hotpath.conf import settings
from django_hotpath.entry import answer_or_profile
from django_hotpath.profiled_request import ProfiledRequest
from django_hotpath.steps import Steps
from django_hotpath.trigger import HEADER


class ProfilingMiddleware:
    """Goes first in ``MIDDLEWARE``, below ``GZipMiddleware`` only."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        meta = request.META
        refused: ProfiledRequest | None = None
        if settings.PARAMETER in meta.get("QUERY_STRING", "") or HEADER in meta:
            found = answer_or_profile(request)
            if isinstance(found, ProfiledRequest):
                profiled = self._profile(request, found)
                if profiled is not None:
                    return profiled
                refused = found
            elif found is not None:
                return found
        limit = settings.SLOW_REQUEST_MS
        noted = django_settings.DEBUG and settings.SUMMARIES
        if limit is None and not noted:
            response: HttpResponseBase = self.get_response(request)
            return response if refused is None else refused.unprofiled(response)
        count = slowlog.counter()
        before, started = count[0], perf_counter()
        try:
            response = self.get_response(request)
        except BaseException:
            if noted:
                elapsed_ms = (perf_counter() - started) * 1000
                summaries.note(request, None, elapsed_ms, count[0] - before)
            raise
        elapsed_ms = (perf_counter() - started) * 1000
        if limit is not None and elapsed_ms >= limit:
            slowlog.report(request, response.status_code, elapsed_ms, count[0] - before)
        if noted:
            summaries.note(request, response.status_code, elapsed_ms, count[0] - before)
        return response if refused is None else refused.unprofiled(response)

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        meta = request.META
        refused: ProfiledRequest | None = None
        if settings.PARAMETER in meta.get("QUERY_STRING", "") or HEADER in meta:
            found = await sync_to_async(answer_or_profile)(request)
            if isinstance(found, ProfiledRequest):
                profiled = await self._aprofile(request, found)
                if profiled is not None:
                    return profiled
                refused = found
            elif found is not None:
                return found
        limit = settings.SLOW_REQUEST_MS
        noted = django_settings.DEBUG and settings.SUMMARIES
        if limit is None and not noted:
            response: HttpResponseBase = await self.get_response(request)
            return response if refused is None else refused.unprofiled(response)
        count = slowlog.counter()
        before, started = count[0], perf_counter()
        try:
            response = await self.get_response(request)
        except BaseException:
            if noted:
                elapsed_ms = (perf_counter() - started) * 1000
                summaries.note(request, None, elapsed_ms, count[0] - before)
            raise
        elapsed_ms = (perf_counter() - started) * 1000
        if limit is not None and elapsed_ms >= limit:
            slowlog.report(request, response.status_code, elapsed_ms, count[0] - before)
        if noted:
            summaries.note(request, response.status_code, elapsed_ms, count[0] - before)
        return response if refused is None else refused.unprofiled(response)

    def _profile(self, request: HttpRequest, profiled: ProfiledRequest) -> HttpResponseBase | None:
        """None where the request is refused and goes on unprofiled."""
        if not profiled.start(self):
            return None
        try:
            response = self.get_response(request)
        except BaseException as error:
            profiled.raised(error)
            raise
        profiled.stop(response)
        return profiled.answer(response)

    async def _aprofile(
        self, request: HttpRequest, profiled: ProfiledRequest
    ) -> HttpResponseBase | None:
        """None where the request is refused and goes on unprofiled."""
        if not profiled.start(self):
            return None
        try:
            work = self.get_response(request)
            response = await Steps(profiled.recorder, work, profiled.keep_on)
        except BaseException as error:
            profiled.raised(error, in_event_loop=True)
            raise
        profiled.stop(response)
        if profiled.takes_time(response):
            # Rendering must not hold up the event loop.
            return await sync_to_async(profiled.answer, thread_sensitive=False)(response)
        return profiled.answer(response)


for _method in (ProfilingMiddleware._profile, ProfilingMiddleware._aprofile):
    callsite.boundary(_method.__code__)
