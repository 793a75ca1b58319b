"""``method_cache``: ``lru_cache`` on a method of a view, which keeps views and never hits."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from django_hotpath.analysis.findings.base import Limits
from django_hotpath.analysis.sourcecode import Function, Source, project_source
from django_hotpath.capture import CallSite, Capture, Finding, Fix

_CACHES = frozenset({"lru_cache", "cache"})
# With these a view may be equal to another one.
_EQUALITY = frozenset({"__eq__", "__hash__"})
_ADVICE = (
    "Move it out of the class: a function of the module, whose arguments are all that it depends "
    "on, with a bound (maxsize). For one request only, cached_property keeps it on the view."
)


def method_cache(capture: Capture, limits: Limits) -> Iterator[Finding]:
    """Methods of the view's own class that ran and stand under ``lru_cache`` or ``cache``.

    Django makes a new view for each request, and ``self`` is part of the cache's key.
    """
    calls = capture.instruments.get("calls")
    view = capture.request.view if capture.request else None
    if not calls or not view:
        return
    name = view.rpartition(".")[2]
    for row in calls["functions"]:
        owner, _, method = row["function"].rpartition(".")
        if row["kind"] != "project" or owner != name or not _is_kept(row, method):
            continue
        site = CallSite(file=row["file"], line=row["line"], function=row["function"])
        count = row["calls"]
        times = "once" if count == 1 else f"{count:,} times"
        yield Finding(
            kind="method_cache",
            severity="medium",
            title=f"The cache on {row['function']}() at {site} never hits in another request",
            detail=(
                f"It ran {times} here. self is part of the key, and Django makes a new {name} for "
                "each request: what was kept is never found again, and the cache keeps every view "
                "alive, with its request, until it is full, or for ever if it has no bound."
            ),
            count=count,
            cost_ms=row["cumulative_ms"],
            call_site=site,
            fix=Fix(summary=_ADVICE),
        )


def _is_kept(row: dict[str, object], method: str) -> bool:
    source = project_source(str(row["file"]))
    if source is None:
        return False
    line = row["line"]
    for node in ast.walk(source.tree):
        if isinstance(node, Function) and node.name == method and _first_line(node) == line:
            return _takes_self(node) and _is_cached(node) and not _has_equality(source, node)
    return False


def _first_line(function: Function) -> int:
    """As code objects have it: that of the first decorator."""
    return min([function.lineno, *(found.lineno for found in function.decorator_list)])


def _takes_self(function: Function) -> bool:
    return bool(function.args.posonlyargs or function.args.args)


def _is_cached(function: Function) -> bool:
    names = {_name(decorator) for decorator in function.decorator_list}
    return bool(names & _CACHES) and not names & {"staticmethod", "classmethod"}


def _has_equality(source: Source, function: Function) -> bool:
    owner = source.parents[function]
    return isinstance(owner, ast.ClassDef) and any(
        isinstance(found, Function) and found.name in _EQUALITY for found in owner.body
    )


def _name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    if isinstance(decorator, ast.Attribute):
        # functools.lru_cache; what hangs at another object may be another cache.
        is_module = isinstance(decorator.value, ast.Name) and decorator.value.id == "functools"
        return decorator.attr if is_module else ""
    return decorator.id if isinstance(decorator, ast.Name) else ""
