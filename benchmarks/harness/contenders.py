"""Who is measured: one Django configuration each, one request, and the proof that it worked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

Proof = Callable[[bytes, Mapping[str, str]], bool]

HOTPATH_MIDDLEWARE = "django_hotpath.middleware.ProfilingMiddleware"
TOOLBAR_MIDDLEWARE = "debug_toolbar.middleware.DebugToolbarMiddleware"
SILK_MIDDLEWARE = "silk.middleware.SilkyMiddleware"
PYINSTRUMENT_MIDDLEWARE = "pyinstrument.middleware.ProfilerMiddleware"

# Before the words that ``?profile=`` takes, in a key.
_ASKED = "profile="

_PAGE = "text/html,application/xhtml+xml,*/*;q=0.8"


@dataclass(frozen=True, kw_only=True)
class Contender:
    key: str
    label: str
    # The module that has to be installed; None: it comes with the benchmark.
    needs: str | None = None
    apps: tuple[str, ...] = ()
    middleware: tuple[str, ...] = ()
    includes: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    query: str = ""
    accept: str = _PAGE
    # Beside those of every request; with ``asked=False`` all of them are "off".
    cookies: Mapping[str, str] = field(default_factory=dict)
    # Whether an answer shows that the contender did its work: a switch that was renamed must not
    # turn into a flattering figure.
    proof: Proof = lambda body, headers: True
    # Run between requests, untimed: what would otherwise grow from request to request.
    tidy: Callable[[], None] = lambda: None

    @property
    def installed(self) -> bool:
        return self.needs is None or find_spec(self.needs) is not None


def _hotpath(key: str, label: str, query: str, *, page: bool = True) -> Contender:
    return Contender(
        key=key,
        label=label,
        needs="django_hotpath",
        apps=("django_hotpath",),
        middleware=(HOTPATH_MIDDLEWARE,),
        includes=(("__hotpath__/", "django_hotpath.urls"),),
        query=query,
        accept=_PAGE if page else "*/*",
        proof=_hotpath_report if page else _hotpath_header,
    )


def _hotpath_header(body: bytes, headers: Mapping[str, str]) -> bool:
    return "hotpath-capture" in headers and "hotpath-refused" not in headers


def asked_for(words: str) -> Contender:
    """Hotpath with ``?profile=<words>``, the application's own answer kept."""
    made = _hotpath(f"{_ASKED}{words}", f"hotpath ?profile={words}", f"profile={words}", page=False)
    return replace(made, proof=lambda body, headers: _hotpath_measured(words, headers))


def _hotpath_measured(words: str, headers: Mapping[str, str]) -> bool:
    """Whether the capture is there, with a result of each instrument by its engine."""
    if not _hotpath_header(b"", headers):
        return False
    from django_hotpath import trigger
    from harness.captured import capture_of

    capture = capture_of(headers)
    for spec in trigger.parse(words):
        result = capture.instruments.get(spec.name)
        if not result or spec.engine not in {None, result.get("engine", spec.engine)}:
            return False
    return True


def _hotpath_report(body: bytes, headers: Mapping[str, str]) -> bool:
    return _hotpath_header(body, headers) and b"__hotpath__/" in body


def _toolbar(key: str, label: str, *panels: str) -> Contender:
    settings: dict[str, Any] = {
        "DEBUG_TOOLBAR_CONFIG": {"SHOW_TOOLBAR_CALLBACK": "harness.contenders.always"}
    }
    if panels:
        settings["DEBUG_TOOLBAR_PANELS"] = [f"debug_toolbar.panels.{panel}" for panel in panels]
        settings["DEBUG_TOOLBAR_CONFIG"]["DISABLE_PANELS"] = set()
    ids = [panel.rpartition(".")[2].encode() for panel in panels] or [b"SQLPanel", b"CachePanel"]
    return Contender(
        key=key,
        label=label,
        needs="debug_toolbar",
        apps=("debug_toolbar",),
        middleware=(TOOLBAR_MIDDLEWARE,),
        includes=(("__debug__/", "debug_toolbar.urls"),),
        settings=settings,
        proof=lambda body, headers: b"djDebug" in body and all(panel in body for panel in ids),
    )


def always(request: object) -> bool:
    return True


def _silk(key: str, label: str, **settings: Any) -> Contender:
    return Contender(
        key=key,
        label=label,
        needs="silk",
        apps=("silk",),
        middleware=(SILK_MIDDLEWARE,),
        includes=(("silk/", "silk.urls"),),
        settings=settings,
        proof=_silk_recorded,
        tidy=_silk_tidy,
    )


def _silk_recorded(body: bytes, headers: Mapping[str, str]) -> bool:
    from silk.config import SilkyConfig
    from silk.models import Request

    found = Request.objects.order_by("-start_time").first()
    if found is None:
        return False
    return bool(found.pyprofile) == bool(SilkyConfig().SILKY_PYTHON_PROFILER)


def _silk_tidy() -> None:
    from silk.collector import DataCollector
    from silk.models import Request, SQLQuery

    # Its patch of the SQL compiler goes on recording after the answer: not into the next one.
    DataCollector().clear()
    SQLQuery.objects.all().delete()
    Request.objects.all().delete()


BARE = Contender(key="bare", label="bare view")
NOOP = Contender(
    key="noop", label="no-op middleware (control)", middleware=("library.middleware.NoOp",)
)
PASS_THROUGH = Contender(
    key="pass",
    label="execute wrapper that only passes on",
    middleware=("library.middleware.PassThroughWrapper",),
)
HOTPATH_PAGE = _hotpath("hotpath", "hotpath ?profile=1", "profile=1")
HOTPATH_KEPT = _hotpath(
    "hotpath-kept", "hotpath ?profile=1, own answer kept", "profile=1", page=False
)
HOTPATH_QUERIES_KEPT = _hotpath(
    "hotpath-queries-kept", "hotpath queries", "profile=queries", page=False
)
HOTPATH_QUERIES_PAGE = _hotpath("hotpath-queries", "hotpath ?profile=queries", "profile=queries")
TOOLBAR = _toolbar("toolbar", "debug-toolbar, default panels")
TOOLBAR_SQL = _toolbar("toolbar-sql", "debug-toolbar, SQL panel only", "sql.SQLPanel")
SILK = _silk("silk", "silk")

ACTIVE = (
    BARE,
    NOOP,
    HOTPATH_PAGE,
    HOTPATH_KEPT,
    _hotpath("hotpath-calls", "hotpath ?profile=calls", "profile=calls"),
    HOTPATH_QUERIES_PAGE,
    _hotpath("hotpath-memory", "hotpath ?profile=memory", "profile=memory"),
    TOOLBAR,
    TOOLBAR_SQL,
    _toolbar("toolbar-profiling", "debug-toolbar, Profiling only", "profiling.ProfilingPanel"),
    SILK,
    _silk("silk-cprofile", "silk + cProfile", SILKY_PYTHON_PROFILER=True),
    Contender(
        key="pyinstrument",
        label="pyinstrument middleware",
        needs="pyinstrument",
        middleware=(PYINSTRUMENT_MIDDLEWARE,),
        query="profile",
        proof=lambda body, headers: b"pyinstrument" in body,
    ),
)
QUERIES = (BARE, NOOP, PASS_THROUGH, HOTPATH_QUERIES_KEPT, TOOLBAR_SQL, SILK)
AFTER = (BARE, HOTPATH_PAGE, HOTPATH_KEPT, TOOLBAR, SILK)


BY_HAND = (
    Contender(
        key="cprofile",
        label="cProfile by itself",
        middleware=("library.by_hand.CProfile",),
        query="by_hand",
        proof=lambda body, headers: int(headers.get("by-hand", 0)) > 0,
    ),
    Contender(
        key="cprofile-python",
        label="cProfile by itself, no built-ins",
        middleware=("library.by_hand.CProfilePython",),
        query="by_hand",
        proof=lambda body, headers: int(headers.get("by-hand", 0)) > 0,
    ),
    Contender(
        key="does-nothing",
        label="PyEval_SetProfile, doing nothing",
        middleware=("library.by_hand.DoesNothing",),
        query="by_hand",
        proof=lambda body, headers: "by-hand" in headers,
    ),
    Contender(
        key="pyinstrument-itself",
        label="pyinstrument by itself, 1 ms",
        needs="pyinstrument",
        middleware=("library.by_hand.Pyinstrument",),
        query="by_hand",
        # A view may be over before the first sample.
        proof=lambda body, headers: "by-hand" in headers,
    ),
)
# A site with an admin; our app is not installed, so that no wrapper of ours is in any path.
TRUTH = Contender(
    key="truth",
    label="paths of calls",
    apps=(
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ),
    includes=(("admin/", "library.admin_urls"),),
    settings={
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ]
    },
)


def idle_contender(number: int) -> Contender:
    """A process that has everything installed: see ``idle``."""
    apps = tuple(app for app in ("django_hotpath", "debug_toolbar", "silk") if find_spec(app))
    return Contender(
        key=f"idle-{number}",
        label="idle costs",
        apps=apps,
        includes=tuple((f"{app}/", f"{app}.urls") for app in apps),
        settings={"DEBUG": False, "SILKY_INTERCEPT_PERCENT": 0},
    )


def by_key(key: str) -> Contender:
    if key.startswith(_ASKED):
        return asked_for(key.removeprefix(_ASKED))
    name, _, number = key.partition("-")
    if name == "idle":
        return idle_contender(int(number))
    if name == "panels":
        from harness import toolbar_contenders

        return toolbar_contenders.BY_KEY[key]
    return {found.key: found for found in (*ACTIVE, *QUERIES, *AFTER, *BY_HAND, TRUTH)}[key]
