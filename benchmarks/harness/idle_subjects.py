"""Whose idle costs are measured; no Django needed to know them."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from harness import contenders

# How a request reaches the middleware, and the heading of its column.
WAYS = {
    "direct": "sync, called directly",
    "wsgi": "sync, WSGIHandler",
    "async direct": "async, called directly",
    "async handler": "async, get_response_async",
    "asgi": "async, whole ASGI request",
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    label: str
    middleware: str | None = None
    async_middleware: str | None = None
    hotpath: dict[str, Any] = field(default_factory=dict)
    debug: bool = False
    needs: str = "django"

    @property
    def installed(self) -> bool:
        return find_spec(self.needs) is not None

    def path(self, *, is_async: bool) -> str | None:
        return (self.async_middleware if is_async else None) or self.middleware


NOOP = "no-op middleware"
CONTROL = "no-op middleware again (control)"
BARE = "bare, no middleware"
HOTPATH = "hotpath"
HOTPATH_NO_LOG = "hotpath, SLOW_REQUEST_MS None"
HOTPATH_NOTING = "hotpath, DEBUG on: a line in the history for each request"

SUBJECTS = (
    Subject(label=BARE),
    Subject(
        label=NOOP,
        middleware="library.middleware.NoOp",
        async_middleware="library.middleware.AsyncNoOp",
    ),
    Subject(
        label=CONTROL,
        middleware="library.middleware.NoOpAgain",
        async_middleware="library.middleware.AsyncNoOpAgain",
    ),
    Subject(
        label=HOTPATH,
        middleware=contenders.HOTPATH_MIDDLEWARE,
        needs="django_hotpath",
    ),
    Subject(
        label=HOTPATH_NO_LOG,
        middleware=contenders.HOTPATH_MIDDLEWARE,
        hotpath={"SLOW_REQUEST_MS": None},
        needs="django_hotpath",
    ),
    Subject(
        label=HOTPATH_NOTING,
        middleware=contenders.HOTPATH_MIDDLEWARE,
        hotpath={"STORE": {"BACKEND": "django_hotpath.stores.memory.MemoryStore"}},
        debug=True,
        needs="django_hotpath",
    ),
    Subject(
        label="debug-toolbar, hidden",
        middleware=contenders.TOOLBAR_MIDDLEWARE,
        needs="debug_toolbar",
    ),
    Subject(label="silk at 0 %", middleware=contenders.SILK_MIDDLEWARE, needs="silk"),
    Subject(
        label="pyinstrument, not asked",
        middleware=contenders.PYINSTRUMENT_MIDDLEWARE,
        needs="pyinstrument",
    ),
)

# The same for a statement instead of a request.
NO_WRAPPER = "no execute wrapper"
WRAPPER_CONTROL = "no execute wrapper again (control)"
PASS_ON = "a wrapper that only passes on"
HOTPATH_WRAPPER = "hotpath, outside any request"
HOTPATH_COUNTING = "hotpath, in a request (counting for the slow-request log)"
