"""What the ORM's part of a query looks like in a capture, as in ``docs/reference/capture.md``."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Mapping
from types import CodeType
from typing import Any

from django.db.models import Manager, Model, Prefetch
from django.db.models.query import RawQuerySet

from django_hotpath import redact
from django_hotpath.analysis.source import Span, span
from django_hotpath.analysis.sourcecode import Place, project_source
from django_hotpath.callsite import Frame, locate
from django_hotpath.instruments import model_writes
from django_hotpath.instruments.orm_made import Made
from django_hotpath.instruments.orm_relation import Relation

_WRITES = frozenset(
    [
        "create",
        "save",
        "update",
        "delete",
        "add",
        "remove",
        "set",
        "clear",
        "bulk_create",
        "bulk_update",
        "get_or_create",
        "update_or_create",
    ]
)
_MAX_FIELDS = 50
_NAME = re.compile(r"\w+")
_LITERAL = re.compile(
    r"""'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\b\d[\w.]*""", re.DOTALL
)


def describe(
    found: Any, model: Any, relation: Relation | None, made: Made | None, read: Frame | None
) -> dict[str, Any]:
    """The entry of a query; what is not known is left out."""
    entry: dict[str, Any] = {"method": found.method}
    queryset = found.queryset
    if model is not None:
        entry["model"] = model._meta.label
        entry["module"] = model.__module__
        entry["manager"] = model._default_manager.name
    if isinstance(made, tuple):
        entry["made"] = _place(*made)
    elif made is not None:
        entry |= _made_by_class(made, queryset)
    if read is not None:
        entry["read"] = _place(read[0], read[2])
    if found.prefetch_to is not None:
        entry["prefetch_to"] = found.prefetch_to
    if relation is not None:
        entry |= _relation(relation)
    if isinstance(queryset, RawQuerySet):
        entry["raw"] = True
        entry["prefetch_related"] = _lookups(queryset)
    elif queryset is not None:
        entry |= _queryset(queryset, relation)
    if found.method in _WRITES and model is not None:
        entry["write"] = model_writes.describe(model)
    return {key: value for key, value in entry.items() if value not in (None, [], False, "")}


def _relation(relation: Relation) -> dict[str, Any]:
    owner = relation.owner
    return {
        "relation": relation.name,
        "accessor": relation.accessor,
        "relation_kind": relation.kind,
        "instance_model": owner._meta.label,  # type: ignore[attr-defined]
        "lookup": relation.lookup,
        "query_name": relation.query_name,
        "target_field": relation.target_field if relation.target_field != "pk" else None,
        "nullable": relation.nullable,
    }


def _queryset(queryset: Any, relation: Relation | None) -> dict[str, Any]:
    query = queryset.query
    deferred, is_defer = query.deferred_loading
    names = sorted(deferred)[:_MAX_FIELDS]
    values = queryset._fields
    return {
        "narrowed": relation is not None and _is_narrowed(queryset, relation),
        "custom_manager": _has_custom_manager(queryset.model),
        "select_related": _select_related(query.select_related),
        "prefetch_related": _lookups(queryset),
        "deferred": names if is_defer else None,
        "only": names if not is_defer else None,
        "values": None if values is None else [str(name) for name in values][:_MAX_FIELDS],
        "sliced": query.is_sliced,
        "ordered": bool(query.order_by or query.extra_order_by),
        "combinator": query.combinator,
        "locks": bool(query.select_for_update),
        "columns": [field.attname for field in queryset.model._meta.concrete_fields][:_MAX_FIELDS],
        "numbers": model_writes.numbers(queryset.model) or None,
    }


def _is_narrowed(queryset: Any, relation: Relation) -> bool:
    """Whether more was asked than ``.all()`` of a related manager."""
    query = queryset.query
    if relation.base_conditions == 0:
        return False
    return bool(
        len(query.where.children) > relation.base_conditions
        or query.is_sliced
        or query.order_by
        or query.extra_order_by
        or query.distinct
        or query.annotations
        or query.combinator
        or query.deferred_loading[0]
        or query.select_related
        or queryset._fields is not None
        or queryset._prefetch_related_lookups
    )


def _has_custom_manager(model: type[Model]) -> bool:
    """Whether the manager may add conditions of its own."""
    manager = type(model._default_manager)
    return manager.get_queryset is not Manager.get_queryset


def _select_related(told: Any, prefix: str = "") -> list[str]:
    if told is True:
        return ["*"]
    if not isinstance(told, Mapping):
        return []
    found = []
    for name, below in told.items():
        found.append(f"{prefix}{name}")
        found += _select_related(below, f"{prefix}{name}__")
    return found


def _lookups(queryset: Any) -> list[str]:
    return [
        lookup.prefetch_to if isinstance(lookup, Prefetch) else str(lookup)
        for lookup in queryset._prefetch_related_lookups
    ]


def _place(code: CodeType, offset: int) -> dict[str, Any] | None:
    """Where an expression of the project stands; columns still count bytes."""
    found = span(code, offset)
    if found is None:
        return None
    return {
        "file": locate(code.co_filename).file,
        "path": code.co_filename,
        "function": code.co_qualname,
        "span": found,
    }


def finish(place: dict[str, Any]) -> dict[str, Any] | None:
    """The place with its text, columns in characters; None where the source is not to be had."""
    found: Span = place["span"]
    lines = _lines(place["path"])[found.line - 1 : found.end_line]
    if not lines:
        return None
    first, last = lines[0].encode(), lines[-1].encode()
    column = len(first[: found.column].decode(errors="replace"))
    end_column = len(last[: found.end_column].decode(errors="replace"))
    at = Place(found.line, column, found.end_line, end_column)
    # Of a chain over several lines the interpreter knows the last step alone.
    if lines[0][:column].rstrip().endswith(".") or not lines[0][:column].strip():
        at = _whole(place["file"], at)
    text = _lines(place["path"])[at.line - 1 : at.end_line]
    text[-1] = text[-1][: at.end_column]
    text[0] = text[0][at.column :]
    shown, masked = _without_secrets("".join(text))
    return {
        "file": place["file"],
        **at._asdict(),
        "step_line": found.line,
        "function": place["function"],
        "text": shown,
        **({"masked": True} if masked else {}),
    }


def _without_secrets(text: str) -> tuple[str, bool]:
    """The code without its literals, if it speaks of something secret and has any."""
    if not any(redact.is_secret(word) for word in _NAME.findall(text)):
        return text, False
    shown = _LITERAL.sub(redact.MASK, text)
    return shown, shown != text


def _whole(file: str, at: Place) -> Place:
    source = project_source(file)
    if source is None:
        return at
    for call in source.calls(at.line, _name_at(source.lines[at.line - 1][at.column :])):
        whole = source.place(call)
        if (whole.end_line, whole.end_column) == (at.end_line, at.end_column):
            return whole
    return at


def _name_at(text: str) -> str:
    found = _NAME.match(text)
    return found[0] if found is not None else ""


def _lines(path: str) -> list[str]:
    import linecache

    return linecache.getlines(path)


def _made_by_class(cls: type, queryset: Any) -> dict[str, Any]:
    """Where a generic view, a viewset or an admin class says which queryset it takes."""
    for base in cls.__mro__:
        module = sys.modules.get(base.__module__)
        file = getattr(module, "__file__", None)
        if file is None or locate(file).kind != "project":
            continue
        try:
            line = inspect.getsourcelines(base)[1]
        except (OSError, TypeError):
            return {}
        return {
            "class": {
                "file": locate(file).file,
                "name": base.__qualname__,
                "line": line,
                "admin": any(found.__name__ == "ModelAdmin" for found in cls.__mro__),
                "queryset": "queryset" in base.__dict__,
            }
        }
    return {}
