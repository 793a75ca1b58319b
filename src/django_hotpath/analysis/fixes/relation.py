"""Which fix a loop of lazy reads takes."""

from __future__ import annotations

from django_hotpath.analysis.fixes.annotated import annotation
from django_hotpath.analysis.fixes.deferred import fetch_the_field
from django_hotpath.analysis.fixes.expressions import chain_from, is_all
from django_hotpath.analysis.fixes.keyed import ask_once
from django_hotpath.analysis.fixes.loading import eager_loading
from django_hotpath.analysis.fixes.loop import SINGLE, Loop
from django_hotpath.analysis.fixes.narrowed import prefetch_to_attr
from django_hotpath.analysis.fixes.peers import fetch_peers
from django_hotpath.analysis.fixes.picked import picked_columns
from django_hotpath.analysis.fixes.reading import reading
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.capture import Fix

# Answered without a query once the relation is prefetched.
_ASKED_OF_ALL = frozenset(["iterate", "len", "bool", "count", "exists", "contains"])


def fix_of(loop: Loop) -> Fix:
    """The change that takes the loop's queries away."""
    entry = loop.entry
    if loop.from_one_row and entry["relation_kind"] != "deferred":
        return ask_once(loop.capture, list(loop.queries), entry, loop.origin)
    some = fetch_peers(loop)
    if some is not None:
        return some
    if entry["relation_kind"] == "deferred":
        return fetch_the_field(loop)
    if entry["relation_kind"] in SINGLE:
        return eager_loading(loop)
    if _elsewhere(loop):
        return ask_once(loop.capture, list(loop.queries), entry, loop.origin)
    method = entry.get("method")
    if method in {"count", "exists", "aggregate"}:
        found = annotation(loop)
        if found is not None:
            return found
    if is_whole(loop):
        return eager_loading(loop)
    return picked_columns(loop) or prefetch_to_attr(loop) or _by_hand(loop)


def _elsewhere(loop: Loop) -> bool:
    """Whether it is read from another database than the objects: prefetching would not."""
    aliases = {query["alias"] for query in loop.queries}
    return bool(loop.roots) and not aliases <= {root["alias"] for root in loop.roots}


def is_whole(loop: Loop) -> bool:
    """Whether all rows of the relation were asked for, as they come."""
    if loop.entry.get("method") not in _ASKED_OF_ALL:
        return False
    if not loop.entry.get("narrowed"):
        return True
    if loop.entry["method"] == "contains":
        # It adds a condition of its own.
        found = reading(loop)
        return found is not None and [name for name, _given in found.chain.steps] == ["contains"]
    if not loop.entry.get("custom_manager"):
        return False
    # The conditions may be those of the manager: what is written tells.
    found = reading(loop, "made")
    return found is not None and is_all(found.chain)


def _by_hand(loop: Loop) -> Fix:
    made = (loop.entry.get("made") or {}).get("text") or ""
    chain = chain_from(made, str(loop.entry.get("accessor")))
    steps = f" as {made}" if chain is not None else ""
    relation = loop.entry["relation"]
    return Fix(
        summary=(
            f"{relation} is read for each object{steps}. Fetch what is needed for all of them at "
            f'once: prefetch_related("{loop.path}") and pick in Python, Prefetch() with a queryset '
            "of its own, or annotate() for a figure."
        ),
        predicted=predicted(loop.capture, loop.queries, 1),
        kind="prefetch_related",
        paths=(loop.path,),
        at=loop.origin,
    )
