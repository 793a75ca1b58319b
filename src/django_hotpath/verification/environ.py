"""The WSGI environ of a captured request, as the person who verifies it would send it."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings as django_settings
from django.http import HttpRequest
from django.urls import get_script_prefix

from django_hotpath.capture import Capture, RequestInfo

# Of the request that asks for the replay these belong to it alone; compressed answers differ
# from run to run, and conditional ones have no body.
_ITS_OWN = frozenset(
    {
        "HTTP_ACCEPT",
        "HTTP_ACCEPT_ENCODING",
        "HTTP_CONNECTION",
        "HTTP_CONTENT_LENGTH",
        "HTTP_CONTENT_TYPE",
        "HTTP_EXPECT",
        "HTTP_HOTPATH_PROFILE",
        "HTTP_IF_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_RANGE",
        "HTTP_IF_UNMODIFIED_SINCE",
        "HTTP_ORIGIN",
        "HTTP_RANGE",
        "HTTP_REFERER",
        "HTTP_TE",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_UPGRADE",
        "HTTP_X_CSRFTOKEN",
        "HTTP_X_REQUESTED_WITH",
    }
)
_CONNECTION = ("REMOTE_ADDR", "REMOTE_HOST", "REMOTE_USER", "SERVER_NAME", "SERVER_PORT", "HTTPS")


def environ_of(
    capture: Capture, request: HttpRequest | None, cookies: Mapping[str, str] | None
) -> dict[str, Any]:
    """Without the streams, which are made anew for each run.

    ``request`` is one of the client's: its host, languages, cookies and whatever proxies said of
    it are taken over. ``cookies`` come on top.
    """
    asked = capture.request or RequestInfo(method="GET", path="/")
    script = get_script_prefix().rstrip("/")
    path = asked.path
    if script and path.startswith(f"{script}/"):
        path = path[len(script) :]
    else:
        script = ""
    environ: dict[str, Any] = {
        **_of_nobody(),
        **(_of_client(request) if request is not None else {}),
        **_accepting(asked.content_type or ""),
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": _wsgi_text(script),
        "PATH_INFO": _wsgi_text(path),
        "QUERY_STRING": asked.query_string,
        "CONTENT_LENGTH": "",
        "CONTENT_TYPE": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if cookies:
        # Of two with one name the last one counts.
        own = [morsel.OutputString([]) for morsel in SimpleCookie(dict(cookies)).values()]
        sent = environ.get("HTTP_COOKIE")
        environ["HTTP_COOKIE"] = "; ".join([sent, *own] if sent else own)
    return environ


def _of_client(request: HttpRequest) -> dict[str, str]:
    found = {
        name: value
        for name, value in request.META.items()
        if isinstance(value, str)
        and (name in _CONNECTION or (name.startswith("HTTP_") and name not in _ITS_OWN))
        and not name.startswith("HTTP_SEC_FETCH_")
    }
    scheme = request.META.get("wsgi.url_scheme") or getattr(request, "scope", {}).get("scheme")
    return {**found, "wsgi.url_scheme": scheme or "http"}


def _of_nobody() -> dict[str, str]:
    """A client on this machine."""
    hosts = [host.lstrip(".") for host in django_settings.ALLOWED_HOSTS if host != "*"]
    secure = bool(django_settings.SECURE_SSL_REDIRECT)
    host = hosts[0] if hosts else "localhost"
    return {
        "HTTP_HOST": host,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": host,
        "SERVER_PORT": "443" if secure else "80",
        "wsgi.url_scheme": "https" if secure else "http",
    }


def _accepting(content_type: str) -> dict[str, str]:
    """What a client that was answered with this type has accepted, as far as one can tell."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind in {"", "text/html", "application/xhtml+xml"}:
        return {
            "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "HTTP_SEC_FETCH_DEST": "document",
            "HTTP_SEC_FETCH_MODE": "navigate",
            "HTTP_SEC_FETCH_SITE": "same-origin",
        }
    return {"HTTP_ACCEPT": f"{kind},*/*;q=0.8"}


def _wsgi_text(text: str) -> str:
    """WSGI has the bytes of a path as Latin-1."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")
