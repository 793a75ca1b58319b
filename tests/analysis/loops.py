"""Results of ``eventloop`` made by hand."""

from __future__ import annotations

from typing import Any

from django_hotpath.capture import Capture
from tests.factories import SITE, capture

ENTERED = {**SITE, "line": 30, "function": "view", "kind": "project", "package": "shop"}


def line(**values: Any) -> dict[str, Any]:
    return {
        "looks": 10,
        "about_ms": 120.0,
        "seen_ms": 100.0,
        "doing": "waiting",
        "importing": False,
        "call_site": dict(SITE),
        "expression": "load_prices(day)",
        "inside": None,
        "entered": {**ENTERED, "expression": "load_prices(day)"},
        "stack": [],
        **values,
    }


def hold(*lines: dict[str, Any], ms: float = 120.0, **values: Any) -> dict[str, Any]:
    """A hold, at one line unless there are others."""
    return {
        "start_ms": 1.0,
        "duration_ms": ms,
        "cpu_ms": 0.4,
        "doing": "waiting",
        "task": "own",
        "exact": True,
        "looks": 10,
        "lines": list(lines or [line(about_ms=ms, seen_ms=ms * 0.8)]),
        **values,
    }


def sequence(*waited_ms: float, form: str = "row", **values: Any) -> dict[str, Any]:
    return {
        "form": form,
        "call_site": {**SITE, "function": "dashboard"},
        "calls": 1,
        "over": "book in books" if form == "loop" else None,
        "waited_ms": sum(waited_ms),
        "saved_ms": sum(waited_ms) - max(waited_ms),
        "in_turns_ms": 0.0,
        "awaits": [
            {
                "line": 12 + number,
                "expression": f"fetch_{number}()",
                "target": f"found_{number}",
                "count": 1,
                "waited_ms": waited,
            }
            for number, waited in enumerate(waited_ms)
        ],
        **values,
    }


def with_eventloop(*, wall_ms: float = 1_000.0, **values: Any) -> Capture:
    measured = {
        "loop": "asyncio.unix_events._UnixSelectorEventLoop",
        "blocking_ms": 50.0,
        "holds": [],
        "sequences": [],
        **values,
    }
    return capture(wall_ms=wall_ms, instruments={"eventloop": measured})
