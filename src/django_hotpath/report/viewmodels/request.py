"""The request tab: what was asked and answered, where it ran, what measured it, how to repeat."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.report.formats import byte_size, count, ms, percent
from django_hotpath.report.links import page_url
from django_hotpath.report.viewmodels.receipt import ReceiptView, receipt_view
from django_hotpath.report.viewmodels.sites import Site, site
from django_hotpath.report.viewmodels.summary import disturbances, exception_text, status_text

# Where the address is not known: the browser puts its own in the place of this.
ORIGIN = "http://127.0.0.1:8000"

_MASK = "***"

_ENDED = {
    "exhausted": "after its last chunk",
    "raised": "by an exception",
    "closed": "the client left, or the server closed it",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    label: str
    value: str
    hint: str = ""
    code: bool = False
    site: Site | None = None


@dataclass(frozen=True, kw_only=True)
class Group:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, kw_only=True)
class Measured:
    name: str
    engine: str
    """Empty where an instrument has no engine but itself."""
    note: str


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """How to send it once more."""

    url: str
    """Path and query, with the parameter that profiles."""
    curl: str
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RequestView:
    groups: tuple[Group, ...]
    measured: tuple[Measured, ...]
    disturbed: tuple[str, ...]
    receipt: ReceiptView | None
    repeat: Repeat | None


def request_view(capture: Capture, parameter: str = "profile") -> RequestView:
    """``parameter`` is the query parameter that asks for a profile."""
    request = capture.request
    groups = [
        *([Group(title="Request", rows=tuple(_request(request, capture)))] if request else []),
        *([Group(title="Answer", rows=tuple(_answer(request)))] if request else []),
        Group(title="Where it ran", rows=tuple(_environment(capture))),
    ]
    return RequestView(
        groups=tuple(groups),
        measured=tuple(_measured(capture.instruments)),
        disturbed=tuple(disturbances(capture)),
        receipt=receipt_view(capture),
        repeat=_repeat(request, page_url(capture), parameter) if request else None,
    )


def view_site(capture: Capture) -> Site | None:
    """The file and line of the view, where its function was among those that were timed."""
    request, calls = capture.request, capture.instruments.get("calls")
    if request is None or not request.view or not calls:
        return None
    parts = request.view.split(".")
    for split in range(len(parts) - 1, 0, -1):
        file, name = "/".join(parts[:split]), ".".join(parts[split:])
        best = min(
            (
                row
                for row in calls["functions"]
                if (row["function"] == name or row["function"].startswith(f"{name}."))
                and _is_module(str(row["file"]), file)
            ),
            key=lambda row: (row["function"] != name, row["line"]),
            default=None,
        )
        if best is not None:
            return site(best)
    return None


def _is_module(path: str, module: str) -> bool:
    path = path.replace("\\", "/")
    return any(
        path == tail or path.endswith(f"/{tail}")
        for tail in (f"{module}.py", f"{module}/__init__.py")
    )


def _request(request: RequestInfo, capture: Capture) -> Iterator[Row]:
    yield Row(label="Method", value=request.method, code=True)
    yield Row(label="Path", value=request.path, code=True)
    if request.query_string:
        yield Row(
            label="Query string",
            value=request.query_string,
            code=True,
            hint="Without our own parameter; what REDACT names is masked",
        )
    yield Row(label="Route", value=request.route or "none matched", code=bool(request.route))
    if request.view:
        yield Row(label="View", value=request.view, code=True, site=view_site(capture))
    kind = "async, under ASGI" if request.is_async else "sync"
    yield Row(label="Handled", value=kind, hint="How the middleware of django-hotpath was called")
    yield Row(label="Captured at", value=capture.started_at)


def _answer(request: RequestInfo) -> Iterator[Row]:
    yield Row(label="Status", value=status_text(request.status) or "none")
    yield Row(label="Content type", value=request.content_type or "none", code=True)
    if request.exception:
        yield Row(label="Exception", value=exception_text(request.exception), code=True)
    stream = request.stream
    if not stream:
        return
    chunks = stream.get("chunks")
    yield Row(
        label="Streamed",
        value=byte_size(stream.get("bytes")) if stream.get("bytes") is not None else "size unknown",
    )
    yield Row(
        label="Chunks",
        value="sent by the server itself" if chunks is None else count(chunks),
    )
    ended = str(stream.get("ended") or "")
    yield Row(label="Ended", value=_ENDED.get(ended, ended or "unknown"))
    yield Row(
        label="Making chunks",
        value=ms(stream.get("generating_ms")),
        hint="Part of the wall time",
    )
    yield Row(
        label="Between chunks",
        value=ms(stream.get("waiting_ms")),
        hint="The server sent, or the client did not read: in none of the times",
    )


def _environment(capture: Capture) -> Iterator[Row]:
    found, overlap = capture.environment, capture.overlap
    yield Row(label="Python", value=found.python)
    yield Row(label="Django", value=found.django)
    yield Row(label="hotpath", value=found.hotpath)
    yield Row(label="Server", value=found.server)
    threads = f"{count(found.threads)} {'thread' if found.threads == 1 else 'threads'}"
    yield Row(label="Process", value=f"{found.pid}, {threads} alive")
    yield Row(label="DEBUG", value="on" if found.debug else "off")
    others = count(overlap.requests)
    if overlap.requests:
        others += f", during {percent(overlap.share)} of the time"
    yield Row(
        label="Other requests meanwhile", value=others, hint="Served by this process at that time"
    )


def _measured(instruments: Mapping[str, Any]) -> Iterator[Measured]:
    for name, data in instruments.items():
        if not isinstance(data, Mapping) or name == "plans":
            continue
        left_out = data.get("truncated")
        note = f"{count(left_out)} more than were kept" if isinstance(left_out, int | float) else ""
        yield Measured(
            name=name, engine=str(data.get("engine") or ""), note=note if left_out else ""
        )


def _repeat(request: RequestInfo, page: str | None, parameter: str) -> Repeat | None:
    """For a GET by its address, else by a header: the address stays what it was."""
    notes = []
    if _MASK in request.query_string:
        notes.append("Put the masked parts of the query string (***) back in.")
    notes.append("Without your cookies it is a request of a visitor who is not logged in.")
    if page is not None:
        url = f"{page}{'&' if '?' in page else '?'}{parameter}=1"
        curl = f"curl -s {shlex.quote(f'{ORIGIN}{url}&{parameter}_as=text')}"
        return Repeat(url=url, curl=curl, notes=tuple(notes))
    if not request.path.startswith("/"):
        return None
    query = f"?{request.query_string}" if request.query_string else ""
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        notes.insert(0, "Its body is not recorded: add it with --data. It happens again.")
    words = [
        *("curl", "-si", "-X", request.method, "-H", "Hotpath-Profile: 1"),
        f"{ORIGIN}{request.path}{query}",
    ]
    return Repeat(url="", curl=shlex.join(words), notes=tuple(notes))
