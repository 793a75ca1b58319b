"""What all panels of ours share in a request: one recorder, one capture.

The first of them in the toolbar's chain starts it, and ends it when the answer is there. The
others are within it, and only take their part of the capture.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from debug_toolbar.toolbar import DebugToolbar
from django.conf import settings as django_settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils.translation import gettext

from django_hotpath import access, callsite, slowlog, summaries, trigger
from django_hotpath.capture import Capture
from django_hotpath.checks import MIDDLEWARE
from django_hotpath.instruments.base import current
from django_hotpath.instruments.queries import Queries
from django_hotpath.instruments.registry import Spec, choose
from django_hotpath.panels.recording import Recording
from django_hotpath.plain import describe_error
from django_hotpath.recorder import Recorder, Refused
from django_hotpath.steps import Steps

if TYPE_CHECKING:
    from django_hotpath.panels.base import HotpathPanel

logger = logging.getLogger("hotpath")

_ATTRIBUTE = "_hotpath_session"

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


def session_of(toolbar: DebugToolbar) -> PanelSession:
    """The one of this toolbar, which is the one of this request."""
    found = vars(toolbar).get(_ATTRIBUTE)
    if found is None:
        found = vars(toolbar)[_ATTRIBUTE] = PanelSession(toolbar)
    return found


class PanelSession:
    """One request with at least one of our panels.

    ``capture_id`` is empty where nothing was measured, and ``problems`` say why; ``elsewhere``:
    the capture is the one that ``?profile=`` asked for.
    """

    def __init__(self, toolbar: DebugToolbar) -> None:
        self.toolbar = toolbar
        self.capture_id = ""
        self.capture: Capture | None = None
        self.problems: list[str] = []
        self.elsewhere = False
        self.streaming = False
        self._entered = False
        self._finished = False
        self._recording: Recording | None = None
        self._missing: dict[Spec, str] = {}

    def panels(self) -> list[HotpathPanel]:
        from django_hotpath.panels.base import HotpathPanel

        return [panel for panel in self.toolbar.enabled_panels if isinstance(panel, HotpathPanel)]

    def run(self, request: HttpRequest, get_response: Callable[[HttpRequest], Answer]) -> Answer:
        """Answers the request, measured by the first panel that comes here."""
        if self._entered or not self._begin(request):
            return get_response(request)
        recording = self._recording
        assert recording is not None
        try:
            answer = get_response(request)
        except BaseException as error:
            recording.raised(error)
            raise
        if inspect.isawaitable(answer):
            return self._arun(recording, answer)
        self._stop(recording, answer)
        return answer

    async def _arun(
        self, recording: Recording, work: Awaitable[HttpResponseBase]
    ) -> HttpResponseBase:
        try:
            response: HttpResponseBase = await Steps(recording.recorder, work, recording.keep_on)
        except BaseException as error:
            recording.raised(error, in_event_loop=True)
            raise
        self._stop(recording, response)
        # Building the capture must not hold up the event loop.
        await sync_to_async(self.finish, thread_sensitive=False)(response)
        return response

    def _stop(self, recording: Recording, response: HttpResponseBase) -> None:
        """Never raises: the application's answer is ready."""
        try:
            recording.stop(response)
            self._count_queries(recording)
        except Exception as error:
            logger.exception("the panels did not stop cleanly")
            self.problems.append(describe_error(error))
            recording.recorder.stop()

    def _count_queries(self, recording: Recording) -> None:
        queries = recording.recorder.measuring("queries")
        count = slowlog.queries.get()
        if count is not None and isinstance(queries, Queries):
            # The middleware around us did not see them.
            count[0] += queries.count

    def _begin(self, request: HttpRequest) -> bool:
        """Whether the measuring has begun; never raises."""
        self._entered = True
        try:
            if self._is_profiled(request):
                return False
            if _is_ours(request):
                self.problems.append(gettext("Pages of django-hotpath itself are not measured."))
                return False
            specs = self._specs()
            if not specs:
                return False
            recording = Recording(request, specs, None)
            recording.begin()
        except Refused as refused:
            self.problems += refused.reasons
        except Exception as error:
            logger.exception("the panels of %s measure nothing", request.path)
            self.problems.append(describe_error(error))
        else:
            self._recording = recording
            self.capture_id = recording.recorder.id
            summaries.leave_out(request)
            return True
        return False

    def _is_profiled(self, request: HttpRequest) -> bool:
        """Whether our middleware profiles this very request, now or as soon as it gets it."""
        active = current.get()
        owner = active.owner if active is not None else None
        if isinstance(owner, Recorder) and owner.session.outermost is not None:
            self.capture_id, self.elsewhere = owner.id, True
        elif (
            MIDDLEWARE in django_settings.MIDDLEWARE
            and trigger.read(request) is not None
            and access.refusal(request) is None
        ):
            self.elsewhere = True
        return self.elsewhere

    def _specs(self) -> tuple[Spec, ...]:
        """What the enabled panels need and can be had; each is left out where it cannot run."""
        words: dict[str, None] = {}
        for panel in self.panels():
            words |= dict.fromkeys(panel.instruments)
        specs = trigger.select(list(words), optional=list(words))
        for spec in specs:
            cls, reason = choose(spec)
            if cls is None:
                self._missing[spec] = reason or spec.name
        return tuple(spec for spec in specs if spec not in self._missing)

    def finish(self, response: HttpResponseBase) -> None:
        """Builds the capture, once; never raises."""
        if self._finished:
            return
        self._finished = True
        try:
            self._finish(response)
        except Exception as error:
            logger.exception("the capture of the panels was lost")
            self.problems.append(describe_error(error))
            self.capture_id = ""

    def _finish(self, response: HttpResponseBase) -> None:
        if self.elsewhere and not self.capture_id:
            # Our middleware is inside the toolbar, and has answered.
            address = response.headers.get("Hotpath-Capture", "")
            self.capture_id = address.rstrip("/").rpartition("/")[2]
        recording, self._recording = self._recording, None
        if recording is None:
            return
        self.streaming = recording.streams
        self.capture = recording.finish(response, self._note())

    def _note(self) -> Callable[[Capture], None]:
        """Tells the toolbar's store of a capture that comes later; holds nothing of the request."""
        store, request_id = self.toolbar.store, self.toolbar.request_id or ""
        panels = [(type(panel), panel.panel_id) for panel in self.panels()]

        def note(capture: Capture) -> None:
            if not store.exists(request_id):
                return
            for cls, panel_id in panels:
                found = store.panel(request_id, panel_id)
                stats = {**found, **cls.stats_of(capture), "streaming": False}
                if cls.shows not in capture.instruments:
                    about = _about(cls.shows, capture.environment.warnings)
                    stats["problems"] = list(dict.fromkeys([*found.get("problems", ()), *about]))
                store.save_panel(request_id, panel_id, stats)

        return note

    def reasons(self, panel: HotpathPanel) -> list[str]:
        """Why what this panel shows was not measured; empty when it was."""
        if self.elsewhere:
            return []
        found = [reason for spec, reason in self._missing.items() if spec.name == panel.shows]
        if self.capture is not None and panel.shows not in self.capture.instruments:
            found += _about(panel.shows, self.capture.environment.warnings)
        return list(dict.fromkeys([*found, *self.problems]))


def _is_ours(request: HttpRequest) -> bool:
    """Whether a report, the history or their API is asked for."""
    try:
        match = resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        return False
    return "hotpath" in match.app_names


def _about(instrument: str, warnings: Sequence[str]) -> list[str]:
    return [text for text in warnings if f"{instrument} (" in text or text.startswith(instrument)]


for _method in (PanelSession.run, PanelSession._arun):
    callsite.boundary(_method.__code__)
