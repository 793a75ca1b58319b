"""What disturbs a measurement here and now, in words for the reader of the report."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Collection, Mapping
from typing import Any

from django.conf import settings
from django.core.signals import request_started

from django_hotpath.capture import Overlap
from django_hotpath.environment import server

SLOWED_BY_TRACING = frozenset({"allocations"})

_MONITORING_SLOTS = range(6)

_requests_seen = 0


def watch_first_request() -> None:
    """Counts requests up to the second, then stops listening."""
    request_started.connect(_on_request, dispatch_uid="hotpath.first_request")


def _on_request(**kwargs: Any) -> None:
    global _requests_seen
    _requests_seen += 1
    if _requests_seen > 1:
        request_started.disconnect(dispatch_uid="hotpath.first_request")


def disturbances(instruments: Collection[str]) -> list[str]:
    """``instruments`` are names of instruments and of engines.

    Ask before the instruments start, or they would name themselves.
    """
    return [
        *_first_request(),
        *_runserver(instruments),
        *_query_log(instruments),
        *tracers(),
    ]


def _first_request() -> list[str]:
    if _requests_seen != 1:
        return []
    warning = (
        "this was the first request of the process: imports, URL patterns and templates were "
        "loaded for it. Load the page again for its usual time"
    )
    return [warning]


def _runserver(instruments: Collection[str]) -> list[str]:
    if server() != "runserver":
        return []
    warnings = []
    if os.environ.get("RUN_MAIN") == "true":
        warnings.append(
            "runserver is auto-reloading: its watcher thread takes some CPU time "
            "(runserver --noreload)"
        )
    process_wide = {"memory", "allocations", "line_memory", "objects"}
    if sys.version_info >= (3, 12):
        process_wide |= {"cprofile", "line_profiler"}
    process_wide &= set(instruments)
    if "--nothreading" not in sys.argv and process_wide:
        warnings.append(
            "runserver is threaded: requests that run at the same time are in the figures of "
            f"{', '.join(sorted(process_wide))} (runserver --nothreading)"
        )
    return warnings


def _query_log(instruments: Collection[str]) -> list[str]:
    measured = {"memory", "allocations", "line_memory"} & set(instruments)
    if not (settings.DEBUG and measured):
        return []
    names = " and ".join(sorted(measured))
    warning = (
        "with DEBUG on, Django keeps the text of up to 9,000 statements for each connection: they "
        f"are in the figures of {names}"
    )
    return [warning]


def tracers() -> list[str]:
    """Other tools that slow code down just now."""
    found = []
    if sys.gettrace() is not None:
        found.append("a trace function (a debugger or coverage)")
    if sys.version_info < (3, 12):
        if sys.getprofile() is not None:
            found.append("a profile function")
    else:
        tools = (sys.monitoring.get_tool(slot) for slot in _MONITORING_SLOTS)
        # Ours are other captures, which are counted as overlapping requests.
        found += [
            f"the monitoring tool {tool!r}"
            for tool in tools
            if tool and not tool.startswith("django-hotpath")
        ]
    if threading.gettrace() is not None:
        found.append("a trace function for new threads")
    if not found:
        return []
    return [f"another tool was active and makes code slower: {', '.join(found)}"]


def seen_afterwards(instruments: Mapping[str, Any], overlap: Overlap) -> list[str]:
    """What only the finished measurement tells; ``instruments`` are the results by name."""
    warnings = []
    if overlap.requests and "calls" in instruments:
        warnings += _pollution(instruments["calls"], overlap)
    if instruments.keys() & {"calls", "lines"} and instruments.keys() & SLOWED_BY_TRACING:
        warnings.append(
            "times are inflated: allocations were traced in the same run, which makes code "
            "3 to 10 times slower"
        )
    return warnings


def _pollution(calls: Mapping[str, Any], overlap: Overlap) -> list[str]:
    if calls.get("engine") != "cprofile":
        return []
    from django_hotpath.instruments.engines.cprofile import SEES_ALL_THREADS

    if not SEES_ALL_THREADS:
        return []
    requests = overlap.requests
    others = "1 other request" if requests == 1 else f"{requests} other requests"
    warning = (
        f"calls is polluted: {others} ran for {overlap.share:.0%} of the time, and on this Python "
        "cProfile sees every thread"
    )
    return [warning]
