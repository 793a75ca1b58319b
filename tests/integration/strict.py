"""A policy that lets in nothing but files of the site, and scripts with the nonce of the page."""

from __future__ import annotations

import secrets
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware


@sync_and_async_middleware
def strict_policy(get_response: Any) -> Any:
    def begin(request: HttpRequest) -> str:
        # Where django-csp has it too, and the debug toolbar looks.
        nonce = request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        return nonce

    def end(response: HttpResponseBase, nonce: str) -> HttpResponseBase:
        # Reports bring a policy of their own.
        response.headers.setdefault(
            "Content-Security-Policy",
            f"default-src 'self'; script-src 'nonce-{nonce}' 'self'; base-uri 'none'",
        )
        return response

    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> HttpResponseBase:
            nonce = begin(request)
            return end(await get_response(request), nonce)

        return middleware

    def sync_middleware(request: HttpRequest) -> HttpResponseBase:
        nonce = begin(request)
        return end(get_response(request), nonce)

    return sync_middleware
