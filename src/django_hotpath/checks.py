"""System checks: each has an id, a hint and a line in ``docs/reference/checks.md``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings as django_settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.utils.module_loading import import_string

from django_hotpath.conf import OPTIONS, nearest, user_settings

MIDDLEWARE = "django_hotpath.middleware.ProfilingMiddleware"
_GZIP = "django.middleware.gzip.GZipMiddleware"
_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
_TOOLBAR = "debug_toolbar.middleware.DebugToolbarMiddleware"


def register_all() -> None:
    from django_hotpath.panels.checks import check_panels

    register(check_middleware, "hotpath")
    register(check_settings, "hotpath")
    register(check_panels, "hotpath")
    register(check_urls, Tags.urls)


def check_middleware(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    middleware = list(django_settings.MIDDLEWARE)
    count = middleware.count(MIDDLEWARE)
    if count == 0:
        return [
            checks.Warning(
                "ProfilingMiddleware is not in MIDDLEWARE: ?profile=1 does nothing.",
                hint=f'Put "{MIDDLEWARE}" first in MIDDLEWARE.',
                id="hotpath.W001",
            )
        ]
    found: list[CheckMessage] = []
    if count > 1:
        found.append(
            Error(
                f"ProfilingMiddleware is in MIDDLEWARE {count} times.",
                hint="Keep the first one.",
                id="hotpath.E001",
            )
        )
    place = middleware.index(MIDDLEWARE)
    if _TOOLBAR in middleware[:place]:
        found.append(
            checks.Warning(
                "ProfilingMiddleware stands below the debug toolbar, which would then be added to "
                "the report.",
                hint="Put ProfilingMiddleware above DebugToolbarMiddleware.",
                id="hotpath.W002",
            )
        )
    if _CACHE in middleware[:place]:
        found.append(
            checks.Warning(
                "ProfilingMiddleware stands below UpdateCacheMiddleware, which would keep its "
                "headers with the cached page.",
                hint="Put ProfilingMiddleware above UpdateCacheMiddleware.",
                id="hotpath.W004",
            )
        )
    if _GZIP in middleware[place:]:
        found.append(
            checks.Warning(
                "ProfilingMiddleware stands above GZipMiddleware, so the report is sent "
                "uncompressed, and the time to compress the page counts as the view's.",
                hint="Put ProfilingMiddleware right below GZipMiddleware.",
                id="hotpath.W003",
            )
        )
    return found


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    given = user_settings()
    if not isinstance(given, dict):
        return [
            Error(
                f"HOTPATH is a {type(given).__name__}, not a dict.",
                hint="HOTPATH = {...}; without it all defaults hold.",
                id="hotpath.E002",
            )
        ]
    return [*_keys(given), *_names(given), *_conflicts(given), *_paths(given), *_editor(given)]


def _keys(given: dict[Any, Any]) -> Iterator[CheckMessage]:
    for name, value in given.items():
        option = OPTIONS.get(name)
        if option is None:
            near = nearest(str(name), list(OPTIONS))
            yield Error(
                f'HOTPATH["{name}"] is not a setting.',
                hint=f'Did you mean "{near}"?' if near else f"Known: {', '.join(OPTIONS)}.",
                id="hotpath.E003",
            )
        elif not option.accepts(value):
            yield Error(
                f'HOTPATH["{name}"] is {value!r}, a {type(value).__name__}.',
                hint=f"It takes {option.expects}; until then the default holds.",
                id="hotpath.E004",
            )


def _names(given: dict[str, Any]) -> Iterator[CheckMessage]:
    """INSTRUMENTS and PRESETS name instruments or engines that exist."""
    from django_hotpath.instruments import registry

    known = {*registry.names(), *registry.engine_names()}
    for place, names in _lists(given):
        for name in names:
            if not isinstance(name, str) or name not in known:
                near = nearest(str(name), list(known))
                yield Error(
                    f"HOTPATH[{place}] names {name!r}, which is no instrument or engine.",
                    hint=f'Did you mean "{near}"?'
                    if near
                    else f"Known: {', '.join(sorted(known))}.",
                    id="hotpath.E005",
                )


def _lists(given: dict[str, Any]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Where the project wrote a list of instruments, and the list."""
    presets = given.get("PRESETS")
    lists = {'"INSTRUMENTS"': given.get("INSTRUMENTS")}
    if isinstance(presets, dict):
        lists |= {f'"PRESETS"]["{name}"': names for name, names in presets.items()}
    for place, names in lists.items():
        if isinstance(names, (list, tuple)):
            yield place, names


def _conflicts(given: dict[str, Any]) -> Iterator[CheckMessage]:
    """What INSTRUMENTS and PRESETS name can run in one capture."""
    from django_hotpath import conflicts

    for place, names in _lists(given):
        for refusal in conflicts.of_names(name for name in names if isinstance(name, str)):
            always = place == '"INSTRUMENTS"'
            outcome = "profiles nothing" if always else "runs without one of them"
            yield (Error if always else checks.Warning)(
                f"HOTPATH[{place}] {outcome}: {refusal}.",
                hint="Take one of the two out of the list, or ask for another engine by its name.",
                id="hotpath.E007" if always else "hotpath.W005",
            )


def _paths(given: dict[str, Any]) -> Iterator[CheckMessage]:
    """ALLOW and the store's BACKEND can be imported."""
    store = given.get("STORE")
    paths = {
        "ALLOW": given.get("ALLOW"),
        'STORE"]["BACKEND': store.get("BACKEND") if isinstance(store, dict) else None,
    }
    for name, path in paths.items():
        if not isinstance(path, str):
            continue
        try:
            import_string(path)
        except ImportError as error:
            yield Error(
                f'HOTPATH["{name}"] = {path!r} cannot be imported: {error}',
                hint="Write the dotted path of a callable or class.",
                id="hotpath.E006",
            )


def _editor(given: dict[str, Any]) -> Iterator[CheckMessage]:
    """EDITOR_URL can open something."""
    from django_hotpath.report.editor import EDITORS, problem

    value = given.get("EDITOR_URL")
    if isinstance(value, str) and (why := problem(value)):
        near = nearest(value, list(EDITORS)) if ":" not in value else None
        yield Error(
            f'HOTPATH["EDITOR_URL"] = {value!r} {why}.',
            hint=f'Did you mean "{near}"?'
            if near
            else f'Known: {", ".join(EDITORS)}; or a URL such as "myeditor://{{file}}:{{line}}".',
            id="hotpath.E008",
        )


def check_urls(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    from django_hotpath.report.links import urls_included

    try:
        included = urls_included()
    except Exception:
        # The URLs themselves are broken, which Django's own checks report.
        return []
    if included:
        return []
    return [
        Info(
            "django_hotpath.urls is not included: reports show, but there is no history and no "
            "link to an earlier capture.",
            hint='path("__hotpath__/", include("django_hotpath.urls"))',
            id="hotpath.I001",
        )
    ]
