"""What a request that asks for a profile is answered with."""

from __future__ import annotations

import logging
from urllib.parse import quote

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from django_hotpath import deferred, redact, slowlog, standaside
from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.conf import settings
from django_hotpath.deferred import Deferred
from django_hotpath.instruments.engines.cprofile import SEES_ALL_THREADS
from django_hotpath.instruments.queries import Queries
from django_hotpath.instruments.registry import Spec
from django_hotpath.plain import describe_error
from django_hotpath.recorder import Recorder, Refused
from django_hotpath.report.history import earlier_runs
from django_hotpath.report.http import html_response
from django_hotpath.report.links import (
    Links,
    asset_in_place,
    capture_links,
    capture_url,
    included_asset,
    urls_included,
)
from django_hotpath.report.pages import report_page
from django_hotpath.responses import (
    add_server_timing,
    exported,
    header_text,
    in_place_of,
    twin,
    wants_page,
)
from django_hotpath.streaming import Stream, can_be_measured

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
        self.streams = False

    def start(self, outermost: object = None) -> bool:
        """Whether the request is being profiled; if not, ``unprofiled`` says why.

        ``outermost`` is the middleware that calls all others, by its ``get_response``.
        """
        self.recorder.session.outermost = outermost
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
        uses_cprofile = "cprofile" in self.recorder.own_task_only()
        if not self.recorder.cpu_elsewhere:
            self.recorder.cpu_elsewhere = True
            if uses_cprofile:
                self.recorder.warnings.append(_sync_view_warning())
        return SEES_ALL_THREADS and uses_cprofile

    def _view_is_sync(self) -> bool:
        match = self.request.resolver_match
        if match is None or isinstance(match, standaside.StandAside):
            return False
        return not iscoroutinefunction(match.func)

    def stop(self, response: HttpResponseBase | None = None) -> None:
        """Never raises: the application's answer is ready. A stream goes on being measured."""
        try:
            self.streams = response is not None and can_be_measured(response)
            if self.streams:
                self.recorder.begin_stream()
            else:
                self.recorder.stop()
            standaside.end(self.request)
        except Exception:
            logger.exception("the instruments did not stop cleanly")

    def unprofiled(self, response: HttpResponseBase) -> HttpResponseBase:
        response = twin(response)
        response.headers["Hotpath-Refused"] = header_text("; ".join(self.refused))
        return response

    def raised(self, error: BaseException, *, in_event_loop: bool = False) -> None:
        """The application raised through us: keep the capture, and let it go on."""
        try:
            self.stop()
            self.recorder.note_exception(error)
            capture = self._deferred(self._request_info(None))
            if in_event_loop:
                capture.close_elsewhere()
            else:
                capture.finish()
        except Exception:
            logger.exception("the capture of a request that raised was lost")

    def takes_time(self, response: HttpResponseBase) -> bool:
        """Whether ``answer`` must not be called in an event loop."""
        return self._replaces(response) or deferred.trouble() is not None

    def answer(self, response: HttpResponseBase) -> HttpResponseBase:
        """The report where a person looks, the application's own answer everywhere else."""
        try:
            return self._answer(response)
        except Exception as error:
            logger.exception("the capture was lost; the application's answer goes out")
            response.headers["Hotpath-Refused"] = header_text(describe_error(error))
            return response

    def _answer(self, response: HttpResponseBase) -> HttpResponseBase:
        self.note_suspended()
        info = self._request_info(response)
        timing = self.recorder.timing()
        self._log_slow(response.status_code)
        if self.streams:
            shown = self._stream(response, info)
        elif self._replaces(response):
            shown = self._in_place_of(twin(response), info)
        else:
            shown = self._keep(twin(response), info)
        if "Hotpath-Capture" not in shown.headers:
            shown.headers["Hotpath-Capture"] = self._address()
        until = "until the stream began" if response.streaming else ""
        add_server_timing(shown, self.recorder.wall_ms, timing, until)
        return shown

    def note_suspended(self) -> None:
        """Says in the capture what pausing with the task leaves out."""
        if self.suspended:
            missing = ", ".join([*self.recorder.own_task_only(), "CPU time"])
            self.recorder.warnings.append(
                f"{missing}: only of the request's own coroutine. Tasks that it started and worker "
                "threads (where the async ORM runs) are not in it"
            )

    def _stream(self, response: HttpResponseBase, info: RequestInfo) -> HttpResponseBase:
        file_wrapper = self.request.META.get("wsgi.file_wrapper") is not None
        Stream(self.recorder, info).measure(response, file_wrapper)
        if problem := deferred.trouble():
            text = f"the capture before this one was not stored: {problem}"
            response.headers["Hotpath-Refused"] = header_text(text)
        return response

    def _keep(self, response: HttpResponseBase, info: RequestInfo) -> HttpResponseBase:
        """The application's own answer, the capture to be built when it has left."""
        if response.streaming:
            self.recorder.warnings.append(
                "the body was streamed by a class of response that cannot be measured: this "
                "capture ends where the streaming began"
            )
        capture = self._deferred(info)
        if deferred.trouble():
            self._tell(response, capture.finish_now())
        else:
            capture.attach(response)
        return response

    def _in_place_of(self, response: HttpResponseBase, info: RequestInfo) -> HttpResponseBase:
        """The capture itself, stored when it has left."""
        capture = self._build(info)
        problem = deferred.save(capture, self.path) if deferred.trouble() else None
        if self.output in {None, "html"}:
            shown = html_response(self._report(capture, problem))
        else:
            shown = exported(capture, self.output or "")
        shown = in_place_of(response, shown)
        self._tell(shown, problem)
        if problem is None:
            Deferred(capture.id, self.path, lambda: capture).attach(shown)
        return shown

    def _tell(self, response: HttpResponseBase, problem: str | None) -> None:
        if problem is not None:
            response.headers["Hotpath-Capture"] = self.recorder.id
            response.headers["Hotpath-Refused"] = header_text(f"not stored: {problem}")

    def _address(self) -> str:
        return capture_url(self.recorder.id) if urls_included() else self.recorder.id

    def _deferred(self, info: RequestInfo) -> Deferred:
        # Of the request only these texts are kept: it may be long until the response is closed.
        recorder = self.recorder
        return Deferred(recorder.id, self.path, lambda: recorder.capture(info))

    def _build(self, info: RequestInfo) -> Capture:
        return self.recorder.capture(info)

    def _replaces(self, response: HttpResponseBase) -> bool:
        """Whether our page, or an export, is shown in place of the answer."""
        if self.method != "GET" or response.status_code != 200 or response.streaming:
            return False
        return self.output is not None or self.wants_page

    def _report(self, capture: Capture, problem: str | None) -> str:
        notices = (f"This capture could not be stored: {problem}",) if problem else ()
        links = self._links(capture, problem)
        return report_page(
            capture,
            links,
            notices,
            parameter=settings.PARAMETER,
            earlier=earlier_runs(capture),
        )

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
            verify=stored.verify if stored else None,
            source=stored.source if stored else None,
            compare=stored.compare if stored else None,
            runs=stored.runs if stored else None,
            exports=stored.exports if stored else (),
            page=page,
            memory=memory,
            memory_auto=quick,
        )

    def _url(self, parameters: dict[str, str]) -> str:
        query = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
        return f"{self.full_path}{'&' if '?' in self.full_path else '?'}{query}"

    def _log_slow(self, status: int) -> None:
        limit = settings.SLOW_REQUEST_MS
        wall_ms = self.recorder.wall_ms
        if limit is not None and wall_ms >= limit:
            queries = self.recorder.measuring("queries")
            count = queries.count if isinstance(queries, Queries) else None
            slowlog.report(self.request, status, wall_ms, count, profiled=True)

    def _request_info(self, response: HttpResponseBase | None) -> RequestInfo:
        match = self.request.resolver_match
        info = RequestInfo(
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
        self.recorder.label = f"{info.method} {info.path}"
        return info


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
