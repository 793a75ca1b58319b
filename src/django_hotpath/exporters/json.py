"""The capture as it is: ``docs/reference/capture.md``."""

from __future__ import annotations

from django_hotpath.capture import Capture

CONTENT_TYPE = "application/json"
SUFFIX = "json"
LABEL = "JSON"
HINT = "the capture itself, with everything that was recorded"
SHOWN = True


def export(capture: Capture) -> bytes:
    return capture.to_json().encode("ascii")
