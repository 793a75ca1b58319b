"""Relations that are read for some of the objects only: fetched together when the first one is."""

from __future__ import annotations

from django_hotpath.analysis.fixes.classes import changed_queryset
from django_hotpath.analysis.fixes.loop import Loop
from django_hotpath.analysis.fixes.reading import imported
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.capture import Fix

_KINDS = frozenset(["foreign_key", "one_to_one", "deferred"])
_SINCE = (6, 1)
_MODE = "FETCH_PEERS"
_FEW = 2


def fetch_peers(loop: Loop) -> Fix | None:
    """From Django 6.1 on, where half of the objects or fewer were asked; None elsewhere.

    Eager loading would fetch for all of them each time, also when none is asked.
    """
    entry, root = loop.entry, loop.root_entry
    rows = sum(query.get("rows") or 0 for query in loop.roots)
    if _version(loop.capture.environment.django) < _SINCE or "__" in loop.path:
        return None
    if entry.get("relation_kind") not in _KINDS or entry.get("nullable"):
        # Where there may be none, few reads do not mean few objects that need it.
        return None
    if root.get("raw") or root.get("method") == "iterator" or not _is_rare(loop, rows):
        return None
    call = f"fetch_mode({_MODE})"
    made = changed_queryset(loop, "fetch_mode", call)
    if made is None:
        return None
    edit, code = made
    return Fix(
        summary=(
            f"{entry['relation']} was read for {len(loop.queries)} of {rows:,} objects. With "
            f"{call} the first read fetches it for all of them, by one query, and none is sent "
            "where nothing is read."
        ),
        code=code,
        predicted=predicted(loop.capture, loop.reads(loop.path), max(len(loop.roots), 1)),
        kind="fetch_peers",
        paths=(loop.path,),
        at=loop.origin,
        edits=(edit,),
        imports=imported(loop, "django.db.models", _MODE),
    )


def _is_rare(loop: Loop, rows: int) -> bool:
    """Of one or two reads one query less, or none, would be all that is saved."""
    return _FEW < len(loop.queries) <= rows / 2


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2] if part.isdigit())
