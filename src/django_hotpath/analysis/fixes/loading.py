"""``select_related`` and ``prefetch_related`` on the queryset that the objects come from."""

from __future__ import annotations

from dataclasses import replace

from django_hotpath.analysis.findings.base import is_answered
from django_hotpath.analysis.fixes.classes import by_class
from django_hotpath.analysis.fixes.expressions import (
    COMBINES,
    expression,
    insert_after,
    methods,
    stem,
    with_call,
)
from django_hotpath.analysis.fixes.loop import SINGLE, Loop, prefixes, source_at
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.analysis.orm import orm_of
from django_hotpath.analysis.sourcecode import receiver
from django_hotpath.capture import Edit, Fix

_JOINED = SINGLE - {"generic_foreign_key"}
# Django's own size of a piece.
_CHUNK = "chunk_size=2000"


def eager_loading(loop: Loop) -> Fix:
    """Loads the relation together with the rows: by a join where one can, else by one query."""
    kind = "select_related" if _can_join(loop) else "prefetch_related"
    path = loop.path
    call = f'{kind}("{path}")'
    edits, code = _written(loop, kind, call)
    at = loop.origin
    where = f" at {at}" if at is not None else ""
    return Fix(
        summary=f"{_why(kind, loop)} Add {call} to the queryset{where}.",
        code=code or f".{call}",
        predicted=predicted(loop.capture, loop.reads(path), _added(loop, kind, path)),
        kind="list_select_related" if code and "list_select_related" in code else kind,
        paths=(path,),
        at=at,
        edits=edits,
    )


def _can_join(loop: Loop) -> bool:
    root = loop.root_entry
    if root.get("raw") or root.get("combinator") or "values" in root:
        return False
    if root.get("only") or root.get("deferred"):
        # A field that is left out cannot be followed.
        return False
    if root.get("locks") and loop.entry.get("nullable"):
        # PostgreSQL does not lock the optional side of a join.
        return False
    kinds = loop.kinds_along(loop.path)
    known = set(root.get("select_related") or ())
    return all(
        kind in _JOINED or (kind is None and step in known)
        for step, kind in zip(prefixes(loop.path), kinds, strict=True)
    )


def _added(loop: Loop, kind: str, path: str) -> int:
    """How many queries eager loading sends itself."""
    if kind == "select_related":
        return 0
    root = loop.root_entry
    loaded = set(root.get("select_related") or ()) | {
        step for lookup in root.get("prefetch_related") or () for step in prefixes(lookup)
    }
    steps = [step for step in prefixes(path) if step not in loaded]
    models = {
        orm_of(loop.capture, query).get("model") for query in loop.queries if is_answered(query)
    }
    # A generic relation leads to several tables, one query each.
    last = len(models) if loop.entry.get("relation_kind") == "generic_foreign_key" else 1
    a_root = max(len(steps) - 1, 0) + last if steps else 0
    return a_root * max(len(loop.roots), 1)


def _written(loop: Loop, kind: str, call: str) -> tuple[tuple[Edit, ...], str | None]:
    made = loop.root_entry.get("made")
    if made is None:
        return by_class(loop, kind, call)
    combined = _before_union(loop, call)
    if combined is not None:
        return combined
    found = with_call(made, call)
    if found is None:
        return (), None
    edit, code = found
    pieces = _in_pieces(loop) if kind == "prefetch_related" else None
    if pieces is None:
        return (edit,), code
    if (pieces.line, pieces.column) != (edit.line, edit.column):
        return (edit, pieces), code
    # The same expression ends with .iterator().
    code = f"{code}.iterator({_CHUNK})"
    return (replace(pieces, new=code),), code


def _before_union(loop: Loop, call: str) -> tuple[tuple[Edit, ...], str] | None:
    """After a union it is too late: its first part hands the lookups on."""
    made = loop.root_entry["made"]
    source = source_at(made)
    node = expression(source, made)
    if source is None or node is None:
        return None
    for found in methods(node):
        name = getattr(found.func, "attr", "")
        if name in COMBINES:
            edit, code = insert_after(source, made, stem(found), f".{call}")
            return (edit,), code
    return None


def _in_pieces(loop: Loop) -> Edit | None:
    """``iterator()`` prefetches in pieces, and wants to be told how large they are."""
    read = loop.root_entry.get("read")
    source = source_at(read)
    if loop.root_entry.get("method") != "iterator" or source is None or read is None:
        return None
    # Up to Python 3.12 the place is the whole loop.
    calls = [
        call
        for line in range(read["line"], read["end_line"] + 1)
        for call in source.calls(line, "iterator")
        if not call.args and not call.keywords
    ]
    before = receiver(calls[0]) if len(set(calls)) == 1 else None
    if before is None:
        return None
    return source.replace(
        str(read["file"]), calls[0], f"{source.text_of(before)}.iterator({_CHUNK})"
    )


def _why(kind: str, loop: Loop) -> str:
    relation = loop.entry.get("relation", loop.path)
    if kind == "select_related":
        return f"{relation} is one row for each object: a join brings it with the objects."
    return f"One query brings {relation} for all objects at once."
