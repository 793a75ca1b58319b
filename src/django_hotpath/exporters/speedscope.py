"""The stacks as speedscope reads them: a profile for each lane in order of time, one for each tree.

Evented profiles, in whole nanoseconds or bytes: their size grows with the number of frames, not
with their depth.
"""

from __future__ import annotations

import json
from typing import Any

from django_hotpath.capture import Capture
from django_hotpath.exporters._lanes import Lane, lanes
from django_hotpath.exporters._names import Frame, valid
from django_hotpath.exporters._trees import Frames, refusal

__all__ = ["CONTENT_TYPE", "HINT", "LABEL", "SUFFIX", "export", "refusal"]

CONTENT_TYPE = "application/json"
SUFFIX = "speedscope.json"
LABEL = "speedscope"
HINT = "flame graphs at speedscope.app, in order of time and merged"

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def export(capture: Capture) -> bytes:
    """Raises ``ExportError`` for a capture without stacks."""
    frames = Frames()
    profiles = [_profile(lane) for lane in lanes(capture, frames)]
    document = {
        "$schema": _SCHEMA,
        "name": valid(capture.label),
        "exporter": f"django-hotpath {capture.environment.hotpath}",
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(frame) for frame in frames.rows]},
        "profiles": profiles,
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _frame(frame: Frame) -> dict[str, Any]:
    found: dict[str, Any] = {"name": frame.name}
    if frame.file:
        found["file"] = frame.file
    if frame.line:
        found["line"] = frame.line
    return found


def _profile(lane: Lane) -> dict[str, Any]:
    notes = f" ({'; '.join(lane.notes)})" if lane.notes else ""
    order = ", in order of time" if lane.ordered else ""
    return {
        "type": "evented",
        "name": f"{lane.title}{order}{notes}",
        "unit": lane.unit,
        "startValue": 0,
        "endValue": lane.end,
        "events": [
            {"type": "O" if opens else "C", "at": at, "frame": frame}
            for at, frame, opens in lane.events
        ],
    }
