"""What a model does when it is written that bulk methods would not do."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    AutoField,
    Field,
    Manager,
    Model,
    QuerySet,
    signals,
)
from django.db.models.deletion import DO_NOTHING, get_candidate_relations_to_delete

_SIGNALS = ("pre_save", "post_save", "pre_delete", "post_delete")
_MODEL_METHODS = ("save", "save_base", "delete")
_MANAGER_METHODS = ("create", "bulk_create", "bulk_update", "update", "delete", "filter")
_NUMBERS = ("IntegerField", "DecimalField", "FloatField")
_MAX_FIELDS = 50
_MANY = 1_000_000

_known: WeakKeyDictionary[type[Model], dict[str, Any]] = WeakKeyDictionary()


def describe(model: type[Model]) -> dict[str, Any]:
    """The key ``write`` of an entry of ``instruments.queries.orm``; keys only where they apply.

    Signals are asked for each time: receivers come and go. No query runs, no connection opens.
    """
    known = _known.get(model)
    if known is None:
        known = _known[model] = _describe(model)
    found = {
        **known,
        "signals": _signals(model),
        "bounds": _bounds(model),
    }
    return {name: value for name, value in found.items() if value not in ([], {}, False)}


def numbers(model: type[Model]) -> dict[str, str]:
    """The kinds of its columns that hold numbers, keys apart."""
    return {
        field.name: field.get_internal_type()
        for field in model._meta.concrete_fields[:_MAX_FIELDS]
        if field.get_internal_type().endswith(_NUMBERS)
        and not field.primary_key
        and not field.is_relation
    }


def _describe(model: type[Model]) -> dict[str, Any]:
    opts = model._meta
    fields = opts.concrete_fields
    primary = opts.pk
    return {
        "pk": primary.name,
        "overrides": _overrides(model),
        "parents": [parent._meta.label for parent, link in opts.parents.items() if link],
        "auto_now": [field.name for field in fields if getattr(field, "auto_now", False)],
        "pre_save": [field.name for field in fields if _computes(field)],
        "types": {
            name: field.get_internal_type()
            for field in fields[:_MAX_FIELDS]
            for name in dict.fromkeys((field.name, field.attname))
        },
        "cascades": _cascades(model),
    }


def _overrides(model: type[Model]) -> list[str]:
    """Methods of Django's that the project or a library has replaced, also on ``objects``."""
    own = [name for name in _MODEL_METHODS if getattr(model, name) is not getattr(Model, name)]
    manager = model._default_manager
    queryset = getattr(manager, "_queryset_class", QuerySet)
    for name in _MANAGER_METHODS:
        on_queryset = getattr(queryset, name, None) is not getattr(QuerySet, name)
        written = next(
            (vars(base)[name] for base in type(manager).__mro__ if name in vars(base)), None
        )
        # A manager's method is made of the queryset's; one that was written has another file.
        on_manager = written is not None and not _is_made(written)
        if on_queryset or on_manager:
            own.append(f"{manager.name}.{name}")
    if type(manager).get_queryset is not Manager.get_queryset:
        own.append(f"{manager.name}.get_queryset")
    return own


def _is_made(method: Any) -> bool:
    code = getattr(method, "__code__", None)
    return code is not None and code.co_qualname.startswith("BaseManager._get_queryset_methods")


def _computes(field: Field[Any, Any]) -> bool:
    """Whether saving gives it a value that ``update()`` would not; ``auto_now`` is told apart."""
    method = type(field).pre_save
    return not method.__module__.startswith("django.db.models.")


def _cascades(model: type[Model]) -> bool:
    """Whether deleting one takes more than one statement."""
    opts: Any = model._meta
    return (
        any(opts.concrete_model._meta.parents.values())
        or any(hasattr(field, "bulk_related_objects") for field in opts.private_fields)
        or any(
            not _is_left_to_the_database(related.field.remote_field.on_delete)  # type: ignore[attr-defined]
            for related in get_candidate_relations_to_delete(opts)
        )
    )


def _is_left_to_the_database(on_delete: Any) -> bool:
    return on_delete is DO_NOTHING or hasattr(on_delete, "on_delete_sql")


def _signals(model: type[Model]) -> list[str]:
    found = [name for name in _SIGNALS if getattr(signals, name).has_listeners(model)]
    opts: Any = model._meta
    throughs = [model, *(field.remote_field.through for field in opts.many_to_many)]
    throughs += [
        relation.through
        for relation in opts.related_objects
        if relation.many_to_many and hasattr(relation, "through")
    ]
    if any(signals.m2m_changed.has_listeners(through) for through in throughs):
        found.append("m2m_changed")
    return found


def _bounds(model: type[Model]) -> dict[str, dict[str, int]]:
    """What the database bounds, by alias: parameters of a statement, rows of an ``INSERT``.

    And whether an ``INSERT`` of many rows gives back their keys. Only of connections that are
    open: Django would open others to ask them.
    """
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    found: dict[str, dict[str, int]] = {}
    for connection in connections.all(initialized_only=True):
        if connection.connection is None:
            continue
        most = connection.features.max_query_params
        rows = connection.ops.bulk_batch_size(fields, range(_MANY)) if fields else _MANY
        bounds: dict[str, int] = {} if most is None else {"parameters": most}
        if rows < _MANY:
            bounds["rows"] = rows
        if _gives_keys(connection):
            bounds["gives_keys"] = True
        if bounds:
            found[connection.alias] = bounds
    return found


def _gives_keys(connection: BaseDatabaseWrapper) -> bool:
    # MySQL would be asked for its version, by a query, unless it was before.
    if connection.vendor == "mysql" and "mysql_server_data" not in vars(connection):
        return False
    return bool(connection.features.can_return_rows_from_bulk_insert)
