"""Where a report page may lead to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlencode

from django.urls import NoReverseMatch, reverse

from django_hotpath import exporters, redact
from django_hotpath.capture import Capture
from django_hotpath.report.assets import asset_version

logger = logging.getLogger("hotpath")


class Export(NamedTuple):
    """A file to take away."""

    label: str
    url: str
    hint: str
    """What reads it, in a few words."""


@dataclass(frozen=True, kw_only=True)
class Links:
    """URLs of a page; None: there is no such thing to link to."""

    asset: Callable[[str], str]
    captures: str | None = None
    """The list page; None: ``django_hotpath.urls`` is not included."""
    capture: str | None = None
    json: str | None = None
    pstats: str | None = None
    page: str | None = None
    """The profiled page itself, without our parameter."""
    source: str | None = None
    """The source lines of function 0; of another one with its number in place of the last 0."""
    memory: str | None = None
    """Where to fetch the memory lane from; for captures of a GET only."""
    memory_auto: bool = False
    """Fetch it at once; otherwise a button does."""
    verify: Callable[[int], str] | None = None
    """Where to have a finding verified, by its number; for stored captures of a GET only."""
    exports: tuple[Export, ...] = ()
    """Every format that the capture can be had in."""
    compare: str | None = None
    """Where to choose what to compare it with."""
    runs: str | None = None
    """Where to have the request repeated; for captures of a GET only."""
    editor: bool = True
    """Whether files are links to the editor of this machine: not in a file to give away."""
    in_file: bool = False
    """The page is a file to keep: there is no project behind it to ask."""
    delete: str | None = None
    csrf_token: str | None = None

    def hunt(self, parameter: str) -> str | None:
        """A run of the page that tells garbage from what stays, for comparing several."""
        return self._run(f"{parameter}=allocations:collect&{parameter}_as=html")

    def usage(self, parameter: str) -> str | None:
        """A run of the page that tells what of the fetched rows is read."""
        return self._run(f"{parameter}=usage")

    def _run(self, query: str) -> str | None:
        if self.page is None:
            return None
        return f"{self.page}{'&' if '?' in self.page else '?'}{query}"


def included_asset(name: str) -> str:
    """Raises ``NoReverseMatch`` where the URLs are not included."""
    return f"{reverse('hotpath:asset', args=[name])}?v={asset_version(name)}"


def asset_in_place(path: str, parameter: str = "profile_asset") -> Callable[[str], str]:
    """Asset URLs that the middleware answers at any path, for projects without our URLs."""

    def url(name: str) -> str:
        query = urlencode({parameter: name, "v": asset_version(name)})
        return f"{quote(path, safe='/')}?{query}"

    return url


def urls_included() -> bool:
    try:
        reverse("hotpath:captures")
    except NoReverseMatch:
        return False
    except Exception:
        # A URL configuration that Django itself cannot reverse: reports go out without links.
        logger.warning("the URLs cannot be reversed", exc_info=True)
        return False
    return True


def capture_url(capture_id: str) -> str:
    """The URLs must be included."""
    return reverse("hotpath:capture", args=[capture_id])


def capture_links(capture: Capture, *, csrf_token: str | None = None) -> Links:
    """The links of a stored capture; the URLs must be included."""
    return Links(
        asset=included_asset,
        captures=reverse("hotpath:captures"),
        capture=capture_url(capture.id),
        json=reverse("hotpath:capture-json", args=[capture.id]),
        pstats=reverse("hotpath:capture-pstats", args=[capture.id])
        if "calls" in capture.instruments
        else None,
        page=page_url(capture),
        verify=_verify(capture),
        compare=f"{reverse('hotpath:compare')}?a={capture.id}" if capture.request else None,
        runs=reverse("hotpath:peers", args=[capture.id]) if repeatable(capture) else None,
        exports=_exports(capture),
        source=reverse("hotpath:source", args=[capture.id, 0]),
        delete=reverse("hotpath:delete", args=[capture.id]) if csrf_token else None,
        csrf_token=csrf_token,
    )


def _exports(capture: Capture) -> tuple[Export, ...]:
    """Those that this capture can be had in."""
    formats = [exporters.get(name) for name in exporters.names()]
    return tuple(
        Export(found.label, reverse("hotpath:export", args=[capture.id, found.name]), found.hint)
        for found in formats
        if found.refusal(capture) is None
    )


def _verify(capture: Capture) -> Callable[[int], str] | None:
    if page_url(capture) is None:
        return None
    return lambda number: reverse("hotpath:verify", args=[capture.id, number])


def repeatable(capture: Capture) -> bool:
    """Whether the request can be made again from what is stored of it: what was taken out of the
    address for being secret is not there to be sent.
    """
    request = capture.request
    if request is None or page_url(capture) is None:
        return False
    return redact.MASK not in request.path and redact.MASK not in request.query_string


def page_url(capture: Capture) -> str | None:
    """The page that was profiled, for a GET; a path such as ``//elsewhere`` is not followed."""
    request = capture.request
    if request is None or request.method != "GET" or not request.path.startswith("/"):
        return None
    path = "/" + quote(request.path.lstrip("/\\"), safe="/:@!$&'()*+,;=~-._", errors="replace")
    return f"{path}?{request.query_string}" if request.query_string else path
