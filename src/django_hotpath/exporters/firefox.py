"""The Firefox Profiler's processed format, version 48: samples by lane, the rest as markers.

A sample stands for the time until the next event of its lane, in milliseconds ("tracing-ms");
memory is in bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django_hotpath.capture import Capture, id_time
from django_hotpath.exporters import ExportError
from django_hotpath.exporters._firefox_thread import CATEGORIES, MARKERS, Thread
from django_hotpath.exporters._lanes import lanes
from django_hotpath.exporters._names import valid
from django_hotpath.exporters._tracks import has_marks, tracks
from django_hotpath.exporters._trees import Frames
from django_hotpath.exporters._trees import refusal as no_stacks

CONTENT_TYPE = "application/json"
SUFFIX = "firefox.json"
LABEL = "Firefox Profiler"
HINT = "profiler.firefox.com: call tree, flame graph, and a marker for each query"

_VERSION = 48
_GECKO_VERSION = 30


def refusal(capture: Capture) -> str | None:
    return None if has_marks(capture) else no_stacks(capture)


def export(capture: Capture) -> bytes:
    """Raises ``ExportError`` where there is nothing to show: neither stacks nor events."""
    reason = refusal(capture)
    if reason is not None:
        raise ExportError(reason)
    frames = Frames()
    found = lanes(capture, frames) if no_stacks(capture) is None else []
    threads: list[Mapping[str, Any]] = []
    for lane in found:
        thread = Thread(capture, lane.title, main=not threads)
        thread.add_samples(lane, frames)
        threads.append(thread.plain(len(threads)))
    for track in tracks(capture):
        thread = Thread(capture, track.title, main=not threads)
        thread.add_markers(track)
        threads.append(thread.plain(len(threads)))
    notes = list(dict.fromkeys(note for lane in found for note in lane.notes))
    document = {"meta": _meta(capture, notes), "libs": [], "pages": [], "threads": threads}
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _meta(capture: Capture, notes: list[str]) -> dict[str, Any]:
    told = [("capture", valid(capture.id)), *(("note", note) for note in notes)]
    return {
        "interval": 1,
        "startTime": id_time(capture.id) * 1000,
        "processType": 0,
        "product": valid(capture.label) or "django-hotpath",
        "importedFrom": f"django-hotpath {capture.environment.hotpath}",
        "stackwalk": 0,
        "debug": False,
        "version": _GECKO_VERSION,
        "preprocessedProfileVersion": _VERSION,
        "symbolicated": True,
        "usesOnlyOneStackType": True,
        "doesNotUseFrameImplementation": True,
        "sourceCodeIsNotOnSearchfox": True,
        "categories": [
            {"name": name, "color": color, "subcategories": ["Other"]} for name, color in CATEGORIES
        ],
        "markerSchema": [
            {
                "name": category,
                "tooltipLabel": "{marker.data.name}",
                "tableLabel": "{marker.data.name}",
                "chartLabel": "{marker.data.name}",
                "display": ["marker-chart", "marker-table", "timeline-overview"],
                "data": [
                    {"key": "name", "label": "What", "format": "string", "searchable": True},
                    {"key": "details", "label": "Details", "format": "string", "searchable": True},
                ],
            }
            for category in MARKERS
        ],
        "extra": [
            {
                "label": "django-hotpath",
                "entries": [
                    {"label": label, "format": "string", "value": value} for label, value in told
                ],
            }
        ],
    }
