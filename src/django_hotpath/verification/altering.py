"""Fixes that change what a queryset fetches, made on the queryset itself before it runs.

Each means the same as the methods of its name in the code; these would give a new queryset.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from django_hotpath.verification.target import Target


def apply(target: Target, queryset: QuerySet[Any]) -> None:
    query: Any = queryset.query
    if target.kind in {"remove_eager_load", "replace_eager_load"}:
        for path in target.paths:
            _without_join(query, path.split("__"))
        if target.kind == "remove_eager_load":
            _without_prefetch(queryset, target.paths)
    elif target.leaves_out:
        load = query.add_immediate_loading if target.kind == "only" else query.add_deferred_loading
        load(target.paths)
    else:
        fields, defers = query.deferred_loading
        wanted = frozenset(target.paths)
        query.deferred_loading = (fields - wanted if defers else fields | wanted, defers)


def _without_join(query: Any, steps: list[str]) -> None:
    """``select_related`` is a tree of names, or a bool; what is below a name goes with it.

    A clone of a query has a tree of its own.
    """
    tree = query.select_related
    if not isinstance(tree, dict):
        return
    for step in steps[:-1]:
        tree = tree.get(step, {})
    tree.pop(steps[-1], None)
    if not query.select_related:
        query.select_related = False


def _without_prefetch(queryset: Any, paths: tuple[str, ...]) -> None:
    queryset._prefetch_related_lookups = tuple(
        lookup
        for lookup in queryset._prefetch_related_lookups
        if not any(_is_below(getattr(lookup, "prefetch_to", lookup), path) for path in paths)
    )


def _is_below(lookup: str, path: str) -> bool:
    return lookup == path or lookup.startswith(f"{path}__")
