"""What the browser needs to repeat a request: "Run it 10 times"."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from django_hotpath.capture import Capture
from django_hotpath.instruments import registry
from django_hotpath.report.links import Links


@dataclass(frozen=True, kw_only=True)
class RunsView:
    """Where to send the request, and where its runs are compared."""

    page: str
    """The URL of the page itself, without our parameter."""
    profile: str
    """The header ``Hotpath-Profile`` that asks for the same instruments."""
    accept: str
    peers: str
    compare: str
    capture_id: str
    before: str = ""
    """Ids of A; on the page of a comparison only, where more runs are for B."""
    after: str = ""


def runs_view(capture: Capture, links: Links) -> RunsView | None:
    """None for what cannot be repeated from a page: ``links.runs`` says so."""
    if links.runs is None or links.page is None:
        return None
    return RunsView(
        page=links.page,
        profile=asked(capture),
        accept=_accept(capture),
        peers=links.runs,
        compare=reverse("hotpath:compare"),
        capture_id=capture.id,
    )


def asked(capture: Capture) -> str:
    """What ``?profile=`` takes to measure the same again."""
    words = []
    engines = registry.engine_names()
    for name, data in capture.instruments.items():
        if name == "plans":
            continue
        data = data if isinstance(data, dict) else {}
        engine = data.get("engine")
        word = engine if isinstance(engine, str) and engines.get(engine) == name else name
        words.append(word + _target(name, data))
    return ",".join(words) or "1"


def _target(name: str, data: dict[str, object]) -> str:
    if name == "calls" and data.get("builtins") is True and data.get("engine") == "native":
        return ":builtins"
    if name == "samples" and data.get("memory"):
        return ":memory"
    target = data.get("target")
    if isinstance(target, str) and target not in {"", "view"} and "," not in target:
        return f":{target}"
    return ""


def _accept(capture: Capture) -> str:
    """A view may answer a page otherwise than a script: what was asked for as a page still is."""
    kind = (capture.request.content_type if capture.request else "") or ""
    html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    return html if kind.startswith("text/html") else "*/*"
