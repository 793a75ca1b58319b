"""What a panel shows when it is opened, perhaps much later: made of the capture in our store."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from django_hotpath import deferred, stores
from django_hotpath.capture import Capture
from django_hotpath.instruments import registry
from django_hotpath.plain import describe_error
from django_hotpath.report.assets import asset_version
from django_hotpath.report.engine import render
from django_hotpath.report.links import Links, capture_links, capture_url, urls_included
from django_hotpath.stores.base import CaptureFilter, CaptureNotFound, StoreError

if TYPE_CHECKING:
    from django_hotpath.panels.base import HotpathPanel

logger = logging.getLogger("hotpath")

_LOOKED_THROUGH = 200


def panel_content(panel: HotpathPanel) -> SafeString:
    """The panel as HTML; never the whole of it fails for one part."""
    stats = panel.stored()
    problems = [str(text) for text in stats.get("problems", ())]
    values: dict[str, Any] = {
        "panel": panel,
        "styles": [asset(f"{name}.css") for name in ("report", *panel.styles, "panel")],
        "modules": [asset(f"{name}.js") for name in panel.modules],
        "elsewhere": bool(stats.get("elsewhere")),
        "links": Links(asset=asset),
    }
    capture = _capture(stats, problems)
    if capture is not None:
        values |= _shown(panel, capture, problems)
    elif not problems and not stats.get("capture"):
        problems.append(_("Nothing was measured in this request."))
    values["problems"] = problems
    values["missing"] = _missing(panel)
    # A SafeString that had to be re-encoded is a plain one.
    return mark_safe(render("panels/panel.html", values, translated=True))  # noqa: S308


def asset(name: str) -> str:
    """A script or style sheet of ours, served as the toolbar's own are."""
    return versioned(static(f"django_hotpath/{name}"), name)


def versioned(url: str, name: str) -> str:
    """Browsers keep static files of a development server longer than one works on them."""
    return url if "?" in url else f"{url}?v={asset_version(name)}"


def _capture(stats: dict[str, Any], problems: list[str]) -> Capture | None:
    capture_id = stats.get("capture")
    if not capture_id:
        return None
    try:
        deferred.settle(capture_id)
        return stores.get_store().get(capture_id)
    except CaptureNotFound:
        problems.append(
            _('Its capture is not kept any more: HOTPATH["MAX_CAPTURES"] newer ones came since.')
        )
    except StoreError as error:
        problems.append(str(error))
    return None


def _shown(panel: HotpathPanel, capture: Capture, problems: list[str]) -> dict[str, Any]:
    included = urls_included()
    links = replace(capture_links(capture), asset=asset, verify=None) if included else None
    values: dict[str, Any] = {"capture": capture, "links": links or Links(asset=asset)}
    if included:
        values["report"] = capture_url(capture.id)
        values["compare"] = _compare(capture)
    if panel.shows not in capture.instruments:
        return values
    try:
        values |= panel.view(capture)
        values["content"] = panel.template
        values["data"] = [
            _json_script(data, f"{name}-data") for name, data in values.get("data", {}).items()
        ]
    except Exception as error:
        logger.exception("capture %s cannot be shown in %s", capture.id, panel.panel_id)
        problems.append(describe_error(error))
        values |= {"content": None, "data": ()}
    return values


def _compare(capture: Capture) -> str | None:
    """Where to see what changed since the previous load of this page, by the same instruments."""
    request = capture.request
    if request is None:
        return None
    try:
        deferred.settle_all()
        listed = stores.get_store().list(
            CaptureFilter(method=request.method, path=request.path), limit=_LOOKED_THROUGH
        )
    except StoreError as error:
        logger.warning("earlier captures cannot be read: %s", error)
        return None
    measured = {name for name in capture.instruments if name != "plans"}
    before = [
        found.id
        for found in listed.items
        if found.id < capture.id
        and found.path == request.path
        and set(found.instruments) == measured
    ]
    return f"{reverse('hotpath:compare')}?a={max(before)}&b={capture.id}" if before else None


def _missing(panel: HotpathPanel) -> list[str]:
    """What to install where none of the engines can run here."""
    reasons: list[str] = []
    for cls in registry.engines(panel.shows):
        reason = cls.available()
        if reason is None:
            return []
        reasons.append(f"{cls.name} ({cls.engine}) {reason}")
    return reasons


def _json_script(data: Any, name: str) -> SafeString:
    text = json.dumps(data, separators=(",", ":"), default=str)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04X}")
    return mark_safe(f'<script id="{name}" type="application/json">{text}</script>')  # noqa: S308
