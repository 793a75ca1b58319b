from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import pytest
from django.test import override_settings

from django_hotpath import conflicts
from django_hotpath.conflicts import Conflict
from django_hotpath.panels import HOTPATH_PANELS
from django_hotpath.panels.calls import CallsPanel
from django_hotpath.panels.checks import check_panels
from django_hotpath.panels.findings import FindingsPanel
from tests.panels.toolbar import HISTORY, PROFILING


class CProfileCallsPanel(CallsPanel):
    instruments = ("cprofile",)


def ids(*panels: str) -> list[str | None]:
    with override_settings(DEBUG_TOOLBAR_PANELS=list(panels)):
        return [message.id for message in check_panels(None)]


def test_all_panels_beside_those_of_the_toolbar_are_fine() -> None:
    # line_profiler and memory_profiler, the engines before 3.12, want the same hook.
    expected = [] if sys.version_info >= (3, 12) else ["hotpath.W007"]
    assert ids(*HOTPATH_PANELS, HISTORY, PROFILING) == expected


def test_without_our_panels_there_is_nothing_to_say() -> None:
    assert ids(HISTORY, PROFILING) == []


def test_two_profilers_of_one_kind_are_named() -> None:
    mine = f"{__name__}.CProfileCallsPanel"
    assert ids(HOTPATH_PANELS[0], mine, PROFILING) == ["hotpath.W006"]
    assert ids(HOTPATH_PANELS[0], mine) == []


def test_two_panels_that_cannot_run_together_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from django_hotpath.instruments.registry import Spec, choose

    engines = tuple((name, choose(Spec(name))[0].engine) for name in ("lines", "line_memory"))  # type: ignore[union-attr]
    conflict = Conflict(engines=engines, reason="only one may")  # type: ignore[arg-type]
    monkeypatch.setattr(conflicts, "MATRIX", (conflict,))
    assert ids(*HOTPATH_PANELS) == ["hotpath.W007"]


def test_an_old_toolbar_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("debug_toolbar.VERSION", "6.0.1")
    assert ids(*HOTPATH_PANELS) == ["hotpath.E010"]


def test_the_app_must_be_installed(settings: Any) -> None:
    settings.DEBUG_TOOLBAR_PANELS = [HISTORY, *HOTPATH_PANELS]
    assert FindingsPanel.run_checks() == []
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "django_hotpath"]
    assert [message.id for message in FindingsPanel.run_checks()] == ["hotpath.E009"]
    assert CallsPanel.run_checks() == []


def test_a_project_without_the_toolbar_may_import_the_list() -> None:
    code = (
        "import sys; sys.modules['debug_toolbar'] = None\n"
        "from django_hotpath.panels import HOTPATH_PANELS\n"
        "import django_hotpath.panels.checks\n"
        "print(len(HOTPATH_PANELS), 'django.db' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.startswith("7 ")


def test_every_panel_of_the_list_is_there() -> None:
    for path in HOTPATH_PANELS:
        module, _, name = path.rpartition(".")
        assert importlib.util.find_spec(module) is not None
        assert path.endswith(f".{name}")
