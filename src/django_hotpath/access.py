"""Who may profile a request and read captures."""

from __future__ import annotations

import ipaddress
import logging

from django.conf import settings as django_settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.module_loading import import_string

from django_hotpath.conf import settings

logger = logging.getLogger("hotpath")

# Whoever sends one of these speaks for somebody else.
_PROXY_HEADERS = (
    "HTTP_CF_CONNECTING_IP",
    "HTTP_FORWARDED",
    "HTTP_TRUE_CLIENT_IP",
    "HTTP_VIA",
    "HTTP_X_CLIENT_IP",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_REAL_IP",
)


def refusal(request: HttpRequest) -> str | None:
    """Why this client may not use the profiler, with what to set; None when it may.

    Without ``HOTPATH["ALLOW"]``: only with DEBUG on, from the loopback or ``INTERNAL_IPS``.
    ``ALLOW`` alone decides where it is set. It is asked before any other middleware ran, so
    there is no ``request.user`` and no session yet.
    """
    if settings.ALLOW is not None:
        return _ask(settings.ALLOW, request)
    if not django_settings.DEBUG:
        return 'DEBUG is off and HOTPATH["ALLOW"] is not set'
    try:
        # A page of another origin whose name was made to point at the loopback ends here.
        request.get_host()
    except DisallowedHost:
        return "the Host header is not in ALLOWED_HOSTS"
    strangers = [address for address in _addresses(request) if not _is_internal(address)]
    if strangers:
        return (
            f"the client {strangers[0] or '(no address)'} is neither the loopback nor in "
            'INTERNAL_IPS: add it there, or set HOTPATH["ALLOW"]'
        )
    return None


def may_read(request: HttpRequest) -> bool:
    """Whether this client may see the report pages."""
    return refusal(request) is None


def _ask(path: str, request: HttpRequest) -> str | None:
    try:
        allowed = import_string(path)(request)
    except Exception:
        logger.exception('HOTPATH["ALLOW"] = %r failed; the request is refused', path)
        return f'HOTPATH["ALLOW"] ({path}) raised an exception, see the log'
    return None if allowed is True else f'HOTPATH["ALLOW"] ({path}) did not return True'


def _addresses(request: HttpRequest) -> list[str]:
    """The peer, and whoever it says that it speaks for.

    A proxy on this machine has the loopback's address whoever its client is.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    addresses = [request.META.get("REMOTE_ADDR") or ""]
    addresses += [part.strip() for part in forwarded.split(",") if part.strip()]
    for header in _PROXY_HEADERS:
        if header in request.META:
            name = header.removeprefix("HTTP_").replace("_", "-").title()
            addresses.append(f"behind a proxy ({name} header)")
    return addresses


def _is_internal(address: str) -> bool:
    if address in django_settings.INTERNAL_IPS:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback
