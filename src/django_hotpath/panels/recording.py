"""One request as the panels profile it: measured like any other, its answer left alone."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http.response import HttpResponseBase

from django_hotpath import deferred
from django_hotpath.capture import Capture, RequestInfo
from django_hotpath.deferred import Deferred
from django_hotpath.profiled_request import ProfiledRequest
from django_hotpath.recorder import Recorder
from django_hotpath.streaming import Stream

logger = logging.getLogger("hotpath")

Note = Callable[[Capture], None]


class Recording(ProfiledRequest):
    """``begin``, the work, ``stop``, ``finish``; ``raised`` where the work raised."""

    def begin(self) -> None:
        """Raises ``Refused``."""
        self.recorder.automatic = True
        self.recorder.start()

    def finish(self, response: HttpResponseBase, note: Note) -> Capture | None:
        """The capture, to be stored when the answer has left.

        None for an answer that is being streamed: ``note`` is called with the capture when it has
        ended. It must hold nothing of the request or the response.
        """
        self.note_suspended()
        info = self._request_info(response)
        if self.streams:
            file_wrapper = self.request.META.get("wsgi.file_wrapper") is not None
            PanelStream(self.recorder, info, note).measure(response, file_wrapper)
            return None
        if response.streaming:
            self.recorder.warnings.append(
                "the body was streamed by a class of response that cannot be measured: this "
                "capture ends where the streaming began"
            )
        capture = self.recorder.capture(info)
        owed = Deferred(capture.id, self.path, lambda: capture)
        if deferred.trouble():
            owed.finish()
        else:
            owed.attach(response)
        return capture


class PanelStream(Stream):
    """Tells the panels when the stream has ended."""

    def __init__(self, recorder: Recorder, info: RequestInfo, note: Note) -> None:
        super().__init__(recorder, info)
        self._note = note

    def _capture(self) -> Capture:
        capture = super()._capture()
        try:
            self._note(capture)
        except Exception:
            logger.exception("the panels were not told that %s has ended", self.path)
        return capture
