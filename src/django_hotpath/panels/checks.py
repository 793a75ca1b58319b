"""System checks of ``DEBUG_TOOLBAR_PANELS``. Needs no debug toolbar to be imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from django.apps import AppConfig, apps
from django.conf import settings as django_settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from django_hotpath import conflicts
from django_hotpath.instruments import registry
from django_hotpath.instruments.registry import Spec

if TYPE_CHECKING:
    from django_hotpath.panels.base import HotpathPanel

_OLDEST = 8
_PROFILING = "debug_toolbar.panels.profiling.ProfilingPanel"


def check_panels(app_configs: Sequence[AppConfig] | None, **kwargs: object) -> list[CheckMessage]:
    """What is wrong with our panels in ``DEBUG_TOOLBAR_PANELS``; nothing where there are none."""
    if not apps.is_installed("debug_toolbar"):
        return []
    paths = getattr(django_settings, "DEBUG_TOOLBAR_PANELS", ())
    if not any(str(path).startswith("django_hotpath.") for path in paths):
        return []
    if (old := _too_old()) is not None:
        return [old]
    panels = _panels(paths)
    return [*_beside_profiling(panels, paths), *_beside_each_other(panels)]


def app_missing() -> list[CheckMessage]:
    """For the toolbar to ask: without the app none of our own checks runs."""
    if apps.is_installed("django_hotpath"):
        return []
    return [
        Error(
            "DEBUG_TOOLBAR_PANELS lists panels of django_hotpath, which is not in INSTALLED_APPS: "
            "they have no scripts and see no queries.",
            hint='Add "django_hotpath" to INSTALLED_APPS.',
            id="hotpath.E009",
        )
    ]


def _too_old() -> CheckMessage | None:
    import debug_toolbar

    version = str(getattr(debug_toolbar, "VERSION", "0"))
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) >= _OLDEST:
        return None
    return Error(
        f"The panels of django_hotpath need django-debug-toolbar {_OLDEST}, this is {version}.",
        hint='python -m pip install "django-hotpath[toolbar]"',
        id="hotpath.E010",
    )


def _panels(paths: Sequence[str]) -> list[type[HotpathPanel]]:
    from django_hotpath.panels.base import HotpathPanel

    # The toolbar has imported them, or the project would not have started.
    classes = [import_string(path) for path in paths]
    return [cls for cls in classes if isinstance(cls, type) and issubclass(cls, HotpathPanel)]


def _beside_profiling(
    panels: Sequence[type[HotpathPanel]], paths: Sequence[str]
) -> Iterator[CheckMessage]:
    if _PROFILING not in paths:
        return
    for cls in panels:
        if cls.shows == "calls" and _engine(cls) == "cprofile":
            when = "on Python 3.12 and later" if sys.version_info >= (3, 12) else "in one thread"
            yield checks.Warning(
                f"{cls.__name__} measures by cProfile, as the toolbar's ProfilingPanel does, and "
                f"there is room for one {when}: where both are switched on, one is not measured.",
                hint=f'Leave "{_PROFILING}" out of DEBUG_TOOLBAR_PANELS.',
                id="hotpath.W006",
            )


def _engine(cls: type[HotpathPanel]) -> str | None:
    name = cls.instruments[0]
    engine = name if name in registry.engine_names() else None
    found, _reason = registry.choose(Spec(cls.shows, engine))
    return found.engine if found is not None else None


def _beside_each_other(panels: Sequence[type[HotpathPanel]]) -> Iterator[CheckMessage]:
    names = [cls.instruments[0] for cls in panels if cls.instruments]
    for reason in conflicts.of_names(names):
        yield checks.Warning(
            f"Two panels cannot measure the same request: {reason}. The one that is listed last is "
            "left out, and says so.",
            hint="Switch on one of them at a time in the toolbar.",
            id="hotpath.W007",
        )
