"""The flame section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_hotpath.capture import Capture


@dataclass(frozen=True, kw_only=True)
class FlameView:
    data: dict[str, Any]


def flame_view(capture: Capture) -> FlameView | None:
    return None
