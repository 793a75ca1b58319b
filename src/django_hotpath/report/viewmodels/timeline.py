"""The timeline section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Capture


@dataclass(frozen=True, kw_only=True)
class TimelineView:
    data: dict[str, Any]


def timeline_view(capture: Capture) -> TimelineView | None:
    return None
