"""The request section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Capture


@dataclass(frozen=True, kw_only=True)
class RequestView:
    data: dict[str, Any]


def request_view(capture: Capture) -> RequestView | None:
    return None
