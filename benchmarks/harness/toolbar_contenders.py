"""The debug toolbar without hotpath's panels, with them switched off, and with them switched on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.contenders import TOOLBAR_MIDDLEWARE, Contender

OURS = (
    "django_hotpath.panels.findings.FindingsPanel",
    "django_hotpath.panels.calls.CallsPanel",
    "django_hotpath.panels.samples.SamplesPanel",
    "django_hotpath.panels.lines.LinesPanel",
    "django_hotpath.panels.line_memory.LineMemoryPanel",
    "django_hotpath.panels.allocations.AllocationsPanel",
    "django_hotpath.panels.objects.ObjectsPanel",
)
NOTHING = tuple(f"library.panels.DoesNothing{number}" for number in range(1, len(OURS) + 1))
_SQL = "debug_toolbar.panels.sql.SQLPanel"
_PROFILING = "debug_toolbar.panels.profiling.ProfilingPanel"
# What every toolbar here has: the cheapest panel there is.
_TIMER = "debug_toolbar.panels.timer.TimerPanel"
_PREFIX = "panels-"


def _toolbar(key: str, label: str, *panels: str, on: Sequence[str] = ()) -> Contender:
    """``on``: the panels that are switched on; all others are off, by their cookies."""
    names = [path.rpartition(".")[2] for path in panels]
    ours = any(path.startswith("django_hotpath.") for path in panels)
    return Contender(
        key=f"{_PREFIX}{key}",
        label=label,
        needs="debug_toolbar",
        apps=("debug_toolbar", *(["django_hotpath"] if ours else [])),
        middleware=(TOOLBAR_MIDDLEWARE,),
        includes=(
            ("__debug__/", "debug_toolbar.urls"),
            *([("__hotpath__/", "django_hotpath.urls")] if ours else []),
        ),
        settings={
            "DEBUG_TOOLBAR_CONFIG": {
                "SHOW_TOOLBAR_CALLBACK": "harness.contenders.always",
                "DISABLE_PANELS": set(),
            },
            "DEBUG_TOOLBAR_PANELS": [*panels, _TIMER],
        },
        cookies={f"djdt{name}": "on" if name in on else "off" for name in names},
        proof=lambda body, headers: _measured(names, on),
    )


def _measured(listed: Sequence[str], on: Sequence[str]) -> bool:
    """Whether those panels, and no others of them, have stored something of the last request."""
    from debug_toolbar.store import get_store

    store: Any = get_store()
    stored: Mapping[str, Any] = dict(store.panels(list(store.request_ids())[-1]))
    recorded = {name for name, stats in stored.items() if stats and name in listed}
    if recorded != set(on):
        return False
    # One of ours that could not measure has a problem instead of a capture.
    return all("capture" not in stored[name] or stored[name]["capture"] for name in on)


WITHOUT = _toolbar("without", "debug-toolbar, Timer only")
CONTROL = _toolbar("control", "the same again (control)")
EMPTY = _toolbar("empty", "with seven panels that do nothing, off", *NOTHING)
OFF = _toolbar("off", "with all of hotpath's, off", *OURS)
FINDINGS = _toolbar("findings", "with hotpath's, FindingsPanel on", *OURS, on=["FindingsPanel"])
SQL = _toolbar("sql", "with debug-toolbar's SQLPanel", _SQL, on=["SQLPanel"])
BOTH = _toolbar(
    "both", "with FindingsPanel and SQLPanel", *OURS, _SQL, on=["FindingsPanel", "SQLPanel"]
)
CALLS = _toolbar("calls", "with hotpath's, CallsPanel on", *OURS, on=["CallsPanel"])
PROFILING = _toolbar(
    "profiling", "with debug-toolbar's ProfilingPanel", _PROFILING, on=["ProfilingPanel"]
)
DEAR = tuple(
    _toolbar(name.lower(), f"with hotpath's, {name} on", *OURS, on=[name])
    for name in (path.rpartition(".")[2] for path in OURS[2:])
)

TOOLBARS = (
    *(WITHOUT, CONTROL, EMPTY, OFF, FINDINGS, SQL, BOTH, CALLS, PROFILING),
    *DEAR,
)
RECORDING = (WITHOUT, CONTROL, FINDINGS, SQL, BOTH)
BY_KEY = {found.key: found for found in TOOLBARS}
