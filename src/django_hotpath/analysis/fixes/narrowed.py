"""A relation read with a filter, an order or a slice: ``Prefetch(..., to_attr=...)``."""

from __future__ import annotations

from django_hotpath.analysis.findings.base import is_answered
from django_hotpath.analysis.fixes.expressions import Chain, with_call
from django_hotpath.analysis.fixes.loop import Loop
from django_hotpath.analysis.fixes.reading import (
    Reading,
    attribute,
    free_of_the_loop,
    imported,
    model_name,
    reading,
)
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.capture import Fix

# Steps that a queryset inside Prefetch takes too.
_STEPS = frozenset(
    [
        *["all", "filter", "exclude", "order_by", "reverse", "distinct", "annotate", "only"],
        *["defer", "select_related", "prefetch_related"],
    ]
)


def prefetch_to_attr(loop: Loop) -> Fix | None:
    """None where the reading is not understood well enough to be moved."""
    method = loop.entry.get("method")
    if loop.root_entry.get("raw") or "class" in loop.root_entry or loop.root_entry.get("values"):
        return None
    # What is read of a queryset in a variable may be anything: the whole chain must be there.
    found = reading(loop, "made" if method in {"iterate", "len", "bool", "index"} else "read")
    if found is None or found.in_template or not free_of_the_loop(loop, found.chain):
        return None
    chain, name = found.chain, str(loop.entry["accessor"])
    one = chain.steps[-1][0] if chain.steps and chain.steps[-1][0] in {"first", "last"} else ""
    steps = chain.steps[:-1] if one else chain.steps
    if any(step not in _STEPS for step, _given in steps) or (one and chain.steps[-1][1]):
        return None
    if one and chain.subscript:
        return None
    return _fix(loop, found, _inner(loop, Chain("", steps, (), chain.subscript), one), one, name)


def _inner(loop: Loop, chain: Chain, one: str) -> str:
    """The queryset of the rows that are wanted for each object."""
    text = chain.text(f"{model_name(loop)}.{loop.entry.get('manager', 'objects')}")
    if text.endswith(".all()"):
        text = text.removesuffix(".all()")
    ordered = any(step in {"order_by", "reverse"} for step, _given in chain.steps)
    if one and not ordered:
        text += '.order_by("pk")' if one == "first" else '.order_by("-pk")'
    elif one == "last":
        text += ".reverse()"
    return f"{text}[:1]" if one else text


def _fix(loop: Loop, found: Reading, inner: str, one: str, name: str) -> Fix | None:
    root = loop.root_entry
    before = loop.path.rpartition("__")[0]
    to_attr = attribute(loop, f"{one}_{name}" if one else f"{name}_wanted")
    lookup = f"{before}__{name}" if before else name
    call = f'prefetch_related(Prefetch("{lookup}", queryset={inner}, to_attr="{to_attr}"))'
    made = with_call(root.get("made"), call)
    if made is None:
        return None
    read = f"{found.chain.receiver}.{to_attr}"
    new = f"({read}[0] if {read} else None)" if one else read
    edit, code = made
    gone = [query for query in loop.queries if is_answered(query)]
    passed = loop.reads(before) if before else []
    steps = 1 if passed else 0
    return Fix(
        summary=(
            f"Fetch these rows of {loop.entry['relation']} for all objects by one query, and read "
            f"them from the list {to_attr} at the line of the loop."
        ),
        code=f"{code}\n# and in the loop, in place of {_old(found)}:\n{new}",
        predicted=predicted(loop.capture, [*gone, *passed], (1 + steps) * max(len(loop.roots), 1)),
        kind="prefetch_to_attr",
        paths=(lookup,),
        at=loop.origin,
        edits=(edit, found.edit_to(new)),
        imports=(
            *imported(loop, "django.db.models", "Prefetch"),
            *imported(loop, str(loop.entry["module"]), model_name(loop)),
        ),
    )


def _old(found: Reading) -> str:
    return " ".join(found.edit_to("").old.split())
