"""A relation read with a filter, an order or a slice: ``Prefetch(..., to_attr=...)``."""

from __future__ import annotations

import ast

from django_hotpath.analysis.findings.base import is_answered
from django_hotpath.analysis.fixes.classes import changed_queryset
from django_hotpath.analysis.fixes.expressions import Chain
from django_hotpath.analysis.fixes.loop import Loop, place_of, source_at
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


# The last step, and how one row of those that are wanted takes its place.
_ONE = {"first": "({0}[0] if {0} else None)", "last": "({0}[0] if {0} else None)", "get": "{0}[0]"}


def prefetch_to_attr(loop: Loop) -> Fix | None:
    """None where the reading is not understood well enough to be moved."""
    method = loop.entry.get("method")
    root = loop.root_entry
    if root.get("raw") or (root.get("class") or {}).get("admin") or "values" in root:
        return None
    # What is read of a queryset in a variable may be anything: the whole chain must be there.
    found = reading(loop, "made" if method in {"iterate", "len", "bool", "index"} else "read")
    if found is None or not free_of_the_loop(loop, found.chain):
        return None
    if found.in_template:
        return _of_template(loop, found)
    chain, steps = found.chain, found.chain.steps
    one = steps[-1][0] if steps and steps[-1][0] in _ONE else ""
    if one == "get":
        # It raises where there is none, or more than one: somebody may count on it.
        steps = (*steps[:-1], ("filter", steps[-1][1])) if not _caught(loop) else ()
    elif one:
        steps = steps[:-1] if not chain.steps[-1][1] else ()
    if one and chain.subscript:
        return None
    if not steps and (one in {"", "get"} or chain.steps[-1][1]):
        return None
    if any(step not in _STEPS for step, _given in steps):
        return None
    inner = _inner(loop, Chain("", steps, (), chain.subscript), one)
    to_attr = _name(loop, one)
    read = f"{chain.receiver}.{to_attr}"
    return _fix(loop, found, inner, to_attr, _ONE[one].format(read) if one else read)


def _of_template(loop: Loop, found: Reading) -> Fix | None:
    """``{{ author.books.first.title }}``; a template can take a row of a list by its number."""
    steps = [step for step, _given in found.chain.steps]
    if not steps or steps[0] not in {"first", "last"}:
        return None
    to_attr = _name(loop, steps[0])
    new = ".".join([found.chain.receiver, to_attr, "0", *steps[1:]])
    return _fix(loop, found, _inner(loop, Chain("", (), (), ""), steps[0]), to_attr, new)


def _name(loop: Loop, one: str) -> str:
    name = str(loop.entry["accessor"]).removesuffix("_set")
    return attribute(loop, f"{one}_{name}" if one in {"first", "last"} else f"{name}_wanted")


def _caught(loop: Loop) -> bool:
    read = loop.entry.get("read")
    source = source_at(read)
    node = source.expression_at(place_of(read)) if source is not None and read else None
    if source is None or node is None:
        return True
    return any(isinstance(outer, ast.Try) for outer in source.around(node))


def _inner(loop: Loop, chain: Chain, one: str) -> str:
    """The queryset of the rows that are wanted for each object."""
    text = chain.text(f"{model_name(loop)}.{loop.entry.get('manager', 'objects')}")
    if text.endswith(".all()"):
        text = text.removesuffix(".all()")
    if one not in {"first", "last"}:
        return text if chain.steps or chain.subscript else f"{text}.all()"
    ordered = any(step in {"order_by", "reverse"} for step, _given in chain.steps)
    if not ordered and loop.entry.get("ordered"):
        # Neither the code nor the model said an order: then Django takes the key.
        text += '.order_by("pk")' if one == "first" else '.order_by("-pk")'
    elif one == "last":
        text += ".reverse()"
    elif not chain.steps:
        text += ".all()"
    return f"{text}[:1]"


def _fix(loop: Loop, found: Reading, inner: str, to_attr: str, new: str) -> Fix | None:
    name = str(loop.entry["accessor"])
    before = loop.path.rpartition("__")[0]
    lookup = f"{before}__{name}" if before else name
    call = f'prefetch_related(Prefetch("{lookup}", queryset={inner}, to_attr="{to_attr}"))'
    made = changed_queryset(loop, "prefetch_related", call)
    if made is None:
        return None
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
