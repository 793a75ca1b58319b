"""What a request that asks for a profile is answered with."""

from __future__ import annotations

import logging
from urllib.parse import quote

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.urls import reverse

from django_hotpath import exporters, redact, slowlog, standaside, stores
from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.conf import settings
from django_hotpath.instruments.engines.cprofile import SEES_ALL_THREADS
from django_hotpath.instruments.registry import Spec
from django_hotpath.plain import describe_error
from django_hotpath.recorder import Recorder, Refused
from django_hotpath.report.http import html_response, secure, uncached
from django_hotpath.report.links import (
    Links,
    asset_in_place,
    capture_links,
    included_asset,
    urls_included,
)
from django_hotpath.report.pages import report_page

logger = logging.getLogger("hotpath")

# The memory lane starts by itself when the first run was quicker than this.
_QUICK_MS = 2_000


class ProfiledRequest:
    """One request on its way through ``start``, ``stop`` and ``answer``."""

    def __init__(self, request: HttpRequest, specs: tuple[Spec, ...], output: str | None) -> None:
        self.request = request
        self.output = output
        self.refused: tuple[str, ...] = ()
        self.recorder = Recorder(specs, label=f"{request.method} {request.path}")
        # Looked at now: what the application does to the request is its own affair.
        self.method = request.method or ""
        self.path = request.path
        self.full_path = request.get_full_path()
        self.query_string = request.META.get("QUERY_STRING", "")
        self.wants_page = wants_page(request)
        self.suspended = False

    def start(self) -> bool:
        """Whether the request is being profiled; if not, ``unprofiled`` says why."""
        try:
            standaside.begin(self.request)
            self.recorder.start()
        except Refused as refused:
            self.refused = refused.reasons
        except Exception as error:
            logger.exception("the request goes on unprofiled")
            self.refused = (describe_error(error),)
        if self.refused:
            standaside.end(self.request)
            logger.warning("%s was not profiled: %s", self.path, "; ".join(self.refused))
            return False
        return True

    def keep_on(self) -> bool:
        """Whether to keep measuring while this request's task is suspended.

        cProfile on Python 3.12 and later sees every thread, so that the thread in which a sync
        view runs under ASGI can be measured if it is left on.
        """
        if not self._view_is_sync():
            self.suspended = True
            return False
        if not self.recorder.cpu_elsewhere:
            self.recorder.cpu_elsewhere = True
            self.recorder.warnings.append(_sync_view_warning())
        return SEES_ALL_THREADS

    def _view_is_sync(self) -> bool:
        match = self.request.resolver_match
        if match is None or isinstance(match, standaside.StandAside):
            return False
        return not iscoroutinefunction(match.func)

    def stop(self) -> None:
        """Never raises: the application's answer is ready."""
        try:
            self.recorder.stop()
            standaside.end(self.request)
        except Exception:
            logger.exception("the instruments did not stop cleanly")

    def unprofiled(self, response: HttpResponseBase) -> HttpResponseBase:
        response = _twin(response)
        response.headers["Hotpath-Refused"] = _header_text("; ".join(self.refused))
        return response

    def raised(self, error: BaseException) -> None:
        """The application raised through us: keep the capture, and let it go on."""
        try:
            self.stop()
            self.recorder.note_exception(error)
            self._save(self._capture(None))
        except Exception:
            logger.exception("the capture of a request that raised was lost")

    def answer(self, response: HttpResponseBase) -> HttpResponseBase:
        """The report where a person looks, the application's own answer everywhere else."""
        try:
            return self._answer(response)
        except Exception as error:
            logger.exception("the capture was lost; the application's answer goes out")
            response.headers["Hotpath-Refused"] = _header_text(describe_error(error))
            return response

    def _answer(self, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming:
            self.recorder.warnings.append(
                "the body was streamed: this capture ends where the streaming began"
            )
        if self.suspended:
            self.recorder.warnings.append(
                "calls and CPU time are those of the request's own coroutine: tasks that it "
                "started and worker threads (where the async ORM runs) are not in them"
            )
        capture = self._capture(response)
        self._log_slow(capture, response.status_code)
        problem = self._save(capture)
        url = None
        if problem is None:
            url = capture_links(capture).capture if urls_included() else None
        shown = self._shown(capture, _twin(response), problem)
        shown.headers["Hotpath-Capture"] = url or capture.id
        if problem is not None:
            shown.headers["Hotpath-Refused"] = _header_text(f"not stored: {problem}")
        _add_server_timing(shown, capture)
        return shown

    def _capture(self, response: HttpResponseBase | None) -> Capture:
        info = self._request_info(response)
        self.recorder.label = f"{info.method} {info.path}"
        return self.recorder.capture(info)

    def _shown(
        self, capture: Capture, response: HttpResponseBase, problem: str | None
    ) -> HttpResponseBase:
        replaceable = (
            self.method == "GET" and response.status_code == 200 and not response.streaming
        )
        if not replaceable:
            return response
        if self.output in {None, "html"}:
            if self.output is None and not self.wants_page:
                return response
            shown = html_response(self._report(capture, problem))
        else:
            shown = _export(capture, self.output)
        return _in_place_of(response, shown)

    def _report(self, capture: Capture, problem: str | None) -> str:
        notices = (f"This capture could not be stored: {problem}",) if problem else ()
        links = self._links(capture, problem)
        return report_page(capture, links, notices, parameter=settings.PARAMETER)

    def _links(self, capture: Capture, problem: str | None) -> Links:
        page = self.full_path if self.full_path.startswith("/") else None
        memory = None
        if self.method == "GET" and "allocations" not in capture.instruments:
            memory = self._url({settings.PARAMETER: "memory", f"{settings.PARAMETER}_as": "html"})
        quick = capture.timing.wall_ms < _QUICK_MS
        if not urls_included():
            asset = asset_in_place(self.path, f"{settings.PARAMETER}_asset")
            return Links(asset=asset, page=page, memory=memory, memory_auto=quick)
        stored = capture_links(capture) if problem is None else None
        return Links(
            asset=included_asset,
            captures=reverse("hotpath:captures"),
            capture=stored.capture if stored else None,
            json=stored.json if stored else None,
            pstats=stored.pstats if stored else None,
            page=page,
            memory=memory,
            memory_auto=quick,
        )

    def _url(self, parameters: dict[str, str]) -> str:
        query = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
        return f"{self.full_path}{'&' if '?' in self.full_path else '?'}{query}"

    def _log_slow(self, capture: Capture, status: int) -> None:
        limit = settings.SLOW_REQUEST_MS
        if limit is not None and capture.timing.wall_ms >= limit:
            queries = capture.instruments.get("queries")
            count = queries["count"] if queries else None
            slowlog.report(self.request, status, capture.timing.wall_ms, count, profiled=True)

    def _save(self, capture: Capture) -> str | None:
        """Why the capture could not be stored; None when it was."""
        try:
            stores.get_store().save(capture)
        except Exception as error:
            logger.warning("the capture of %s was not stored: %s", self.path, error)
            return describe_error(error)
        return None

    def _request_info(self, response: HttpResponseBase | None) -> RequestInfo:
        match = self.request.resolver_match
        return RequestInfo(
            method=self.method,
            path=redact.path(self.path, getattr(match, "captured_kwargs", {})),
            query_string=redact.query_string(self.query_string),
            route=str(match.route) if match is not None else None,
            view=match._func_path if match is not None else None,
            status=response.status_code if response is not None else None,
            content_type=response.headers.get("Content-Type") if response is not None else None,
            is_async=match is not None and iscoroutinefunction(match.func),
            exception=self.recorder.exception,
        )


def wants_page(request: HttpRequest) -> bool:
    """Whether a person navigates here: only then the report takes the answer's place."""
    meta = request.META
    if meta.get("HTTP_X_REQUESTED_WITH") == "XMLHttpRequest":
        return False
    destination = meta.get("HTTP_SEC_FETCH_DEST")
    if destination is not None and destination != "document":
        return False
    return "text/html" in meta.get("HTTP_ACCEPT", "")


def _export(capture: Capture, output: str) -> HttpResponse:
    found = exporters.get(output)
    try:
        body = found.export(capture)
    except exporters.ExportError as error:
        return secure(HttpResponse(f"{error}\n", content_type="text/plain; charset=utf-8"))
    response = HttpResponse(body, content_type=found.content_type)
    if output == "pstats":
        response.headers["Content-Disposition"] = f'attachment; filename="{capture.id}.pstats"'
    return secure(response)


def _in_place_of(response: HttpResponseBase, shown: HttpResponse) -> HttpResponse:
    """Takes over what must outlive the application's answer: its cookies and what it closes."""
    shown.cookies = response.cookies
    shown._resource_closers.extend(response._resource_closers)  # type: ignore[attr-defined]
    return uncached(shown)


def _twin(response: HttpResponseBase) -> HttpResponseBase:
    """The same response with headers of its own.

    An application may answer with one object many times: ours must not stay on it. A stream can
    be sent once only, and its iterator may look at the object it was made for.
    """
    if response.streaming:
        return response
    try:
        twin = type(response).__new__(type(response))
        twin.__dict__.update(response.__dict__)
        twin.headers = ResponseHeaders(dict(response.headers))
        twin._resource_closers = list(response._resource_closers)  # type: ignore[attr-defined]
    except Exception:
        # A class that cannot be made this way: its own object has to do.
        return response
    return twin


def _add_server_timing(response: HttpResponseBase, capture: Capture) -> None:
    timing = capture.timing
    metrics = [f"app;dur={timing.wall_ms:.1f}"]
    for name, value in (
        ("db", timing.db_ms),
        ("cache", timing.cache_ms),
        ("template", timing.template_ms),
        ("gc", timing.gc_ms),
    ):
        if value is not None:
            metrics.append(f"{name};dur={value:.1f}")
    own = response.headers.get("Server-Timing")
    response.headers["Server-Timing"] = ", ".join([own, *metrics] if own else metrics)


def _header_text(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode("ascii").split())[:500]


def _sync_view_warning() -> str:
    if SEES_ALL_THREADS:
        return (
            "calls: the view is sync and ran in a worker thread under ASGI; cProfile was left on "
            "for the whole process meanwhile, the event loop included"
        )
    return (
        "calls: the view is sync and ran in a worker thread under ASGI, which cProfile cannot see "
        "on Python 3.11: the table holds async code only. Serve it by WSGI to see the view"
    )
