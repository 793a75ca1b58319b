"""Figures of a relation that the database can compute with the objects: ``annotate``."""

from __future__ import annotations

import ast
import re

from django_hotpath.analysis.findings.base import is_answered
from django_hotpath.analysis.fixes.classes import changed_queryset
from django_hotpath.analysis.fixes.expressions import Chain
from django_hotpath.analysis.fixes.loop import Loop
from django_hotpath.analysis.fixes.reading import (
    attribute,
    free_of_the_loop,
    imported,
    model_name,
    reading,
)
from django_hotpath.analysis.fixes.saving import predicted
from django_hotpath.capture import Fix

_AGGREGATES = frozenset(["Sum", "Avg", "Min", "Max", "Count"])


def annotation(loop: Loop) -> Fix | None:
    """For ``count()``, ``exists()`` and ``aggregate()``; None where another fix has to do."""
    root, entry = loop.root_entry, loop.entry
    if root.get("raw") or root.get("combinator") or "__" in loop.path:
        return None
    if (root.get("class") or {}).get("admin"):
        return None
    if entry.get("custom_manager") or not entry.get("lookup") or "values" in root:
        # A manager's own conditions would be missing.
        return None
    found = reading(loop)
    if found is None or not free_of_the_loop(loop, found.chain):
        return None
    chain = found.chain
    method = chain.steps[-1][0] if chain.steps else ""
    method = {"acount": "count", "aexists": "exists", "aaggregate": "aggregate"}.get(method, method)
    if found.in_template and len(chain.steps) != 1:
        return None
    if method == "aggregate":
        return _aggregate(loop, chain, found.edit_to)
    if chain.subscript or method not in {"count", "exists"}:
        return None
    narrowing = _conditions(chain.steps[:-1], str(entry["lookup"]), chain)
    if narrowing is None:
        return None
    accessor = str(entry["accessor"]).removesuffix("_set")
    if method == "exists" and not entry.get("query_name"):
        return None
    if method == "exists":
        name = attribute(loop, f"has_{accessor}")
        value, needed = _exists(loop, chain)
    else:
        name = attribute(loop, f"{accessor}_count")
        condition = f", filter={narrowing}" if narrowing else ""
        value = f'Count("{entry["lookup"]}"{condition}, distinct=True)'
        needed = ("Count", "Q") if narrowing else ("Count",)
    return _fix(loop, f"{name}={value}", needed, found.edit_to, f"{chain.receiver}.{name}", name)


def _fix(
    loop: Loop, values: str, needed: tuple[str, ...], edit_to: object, new: str, name: str
) -> Fix | None:
    made = changed_queryset(loop, "annotate", f"annotate({values})")
    if made is None or not callable(edit_to):
        return None
    edit, code = made
    if _is_joined(edit.old, str(loop.entry["lookup"]), values):
        return None
    read = edit_to(new)
    gone = [query for query in loop.queries if is_answered(query)]
    models = (model_name(loop),) if f"{model_name(loop)}." in values else ()
    return Fix(
        summary=(
            "Let the database compute it with the objects, in the query that fetches them, and "
            f"read it from {name}."
        ),
        code=f"{code}\n# and in the loop, in place of {' '.join(read.old.split())}:\n{new}",
        predicted=predicted(loop.capture, gone, 0),
        kind="annotate",
        paths=(str(loop.entry["lookup"]),),
        at=loop.origin,
        edits=(edit, read),
        imports=(
            *imported(loop, "django.db.models", *needed),
            *(imported(loop, str(loop.entry["module"]), *models) if models else ()),
        ),
    )


def _is_joined(queryset: str, lookup: str, values: str) -> bool:
    """Whether the queryset joins tables already, so that the figures would be others."""
    if "Exists(" in values:
        # A query of its own.
        return False
    if re.search(rf"\b{re.escape(lookup)}(__\w+)? ?=|Q\(", queryset):
        return True
    # A second join multiplies what is summed up; distinct=True keeps counts right.
    return "distinct=True" not in values and "annotate(" in queryset


def _exists(loop: Loop, chain: Chain) -> tuple[str, tuple[str, ...]]:
    entry = loop.entry
    model, manager = model_name(loop), entry.get("manager", "objects")
    back, target = entry.get("query_name"), entry.get("target_field", "pk")
    rest = Chain("", chain.steps[:-1], (), "").text("")
    rest = rest.replace(".all()", "")
    return (
        f'Exists({model}.{manager}.filter({back}=OuterRef("{target}")){rest})',
        ("Exists", "OuterRef"),
    )


def _conditions(steps: tuple[tuple[str, str], ...], lookup: str, chain: Chain) -> str | None:
    """The filters as one ``Q`` of the owner; "" for none, None for what is not understood."""
    parts = []
    for (name, _given), call in zip(steps, chain.calls, strict=False):
        if name == "all":
            continue
        if name not in {"filter", "exclude"} or call.args:
            return None
        if any(keyword.arg is None for keyword in call.keywords):
            return None
        if name == "exclude" and any("__" in (keyword.arg or "") for keyword in call.keywords):
            return None
        given = ", ".join(
            f"{lookup}__{keyword.arg}={ast.unparse(keyword.value)}" for keyword in call.keywords
        )
        parts.append(f"~Q({given})" if name == "exclude" else f"Q({given})")
    return " & ".join(parts)


def _aggregate(loop: Loop, chain: Chain, edit_to: object) -> Fix | None:
    """``{"pages": author.books_pages}`` in place of ``author.books.aggregate(pages=Sum(...))``."""
    lookup = str(loop.entry["lookup"])
    narrowing = _conditions(chain.steps[:-1], lookup, chain)
    if narrowing is None or not chain.calls:
        return None
    annotations, read, needed = [], [], []
    call = chain.calls[-1]
    given = [("", value) for value in call.args]
    given += [(keyword.arg or "", keyword.value) for keyword in call.keywords]
    for alias, value in given:
        known = _simple(value)
        if known is None:
            return None
        function, column = known
        key = alias or f"{column}__{function.lower()}"
        name = attribute(loop, f"{loop.entry['accessor']}_{key.replace('__', '_')}")
        condition = f", filter={narrowing}" if narrowing else ""
        annotations.append(f'{name}={function}("{lookup}__{column}"{condition})')
        read.append(f'"{key}": {chain.receiver}.{name}')
        needed.append(function)
    if narrowing:
        needed.append("Q")
    new = f"{{{', '.join(read)}}}"
    return _fix(loop, ", ".join(annotations), tuple(dict.fromkeys(needed)), edit_to, new, new)


def _simple(value: ast.expr) -> tuple[str, str] | None:
    """``Sum("pages")`` as ("Sum", "pages")."""
    if not (isinstance(value, ast.Call) and len(value.args) == 1 and not value.keywords):
        return None
    function = value.func.attr if isinstance(value.func, ast.Attribute) else ""
    if isinstance(value.func, ast.Name):
        function = value.func.id
    argument = value.args[0]
    if function not in _AGGREGATES or not isinstance(argument, ast.Constant):
        return None
    return (function, argument.value) if isinstance(argument.value, str) else None
