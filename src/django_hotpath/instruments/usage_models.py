"""What the models say: columns that are keys, descriptors whose reads can be seen, relations."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.fields.related_descriptors import (
    ForeignKeyDeferredAttribute,
    ForwardManyToOneDescriptor,
    ReverseManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)
from django.db.models.query_utils import DeferredAttribute

# As deep as Django itself follows select_related() without names.
_MAX_DEPTH = 5


@functools.lru_cache(maxsize=1_000)
def key_columns(model: type[Model]) -> frozenset[str]:
    """The primary key, and the columns that relations from and to this model go by."""
    opts = model._meta
    keys = {opts.pk.attname}
    for field in opts.concrete_fields:
        if field.remote_field is not None or field.primary_key:
            keys.add(field.attname)
    for relation in opts.related_objects:
        for field in getattr(relation.field, "foreign_related_fields", ()):
            keys.add(field.attname)
    for found in opts.private_fields:
        for name in (getattr(found, "fk_field", None), getattr(found, "ct_field", None)):
            if isinstance(name, str) and hasattr(found, "ct_field"):
                keys.add(getattr(opts.get_field(name), "attname", name))
    return frozenset(keys)


@functools.lru_cache(maxsize=1_000)
def visible_columns(model: type[Model]) -> frozenset[str]:
    """Those whose attribute is Django's own, so that every read of it is seen."""
    return frozenset(
        field.attname
        for field in model._meta.concrete_fields
        if _is_visible(inspect.getattr_static(model, field.attname, None))
    )


def _is_visible(descriptor: Any) -> bool:
    if type(descriptor) in (DeferredAttribute, ForeignKeyDeferredAttribute):
        return True
    return isinstance(descriptor, DeferredAttribute) and type(descriptor).__module__.startswith(
        "django."
    )


def relation_descriptors() -> list[type]:
    """The classes whose ``__get__`` reads a relation; subclasses inherit it."""
    found: list[type] = [
        ForwardManyToOneDescriptor,
        ReverseOneToOneDescriptor,
        ReverseManyToOneDescriptor,
    ]
    if apps.is_installed("django.contrib.contenttypes"):
        from django.contrib.contenttypes import fields

        # Before Django 6.1 the field was its own descriptor.
        found.append(getattr(fields, "GenericForeignKeyDescriptor", fields.GenericForeignKey))
    return found


def relation_name(descriptor: Any) -> str:
    """The attribute that it is on the instance."""
    if isinstance(descriptor, ReverseOneToOneDescriptor):
        return str(descriptor.related.get_accessor_name())
    if isinstance(descriptor, ReverseManyToOneDescriptor):
        field = descriptor.field
        # A forward many-to-many or generic relation goes by its own name.
        is_generic = field in field.model._meta.private_fields
        forward = is_generic or not getattr(descriptor, "reverse", True)
        return str(field.name if forward else descriptor.rel.get_accessor_name())
    field = getattr(descriptor, "field", descriptor)
    return str(field.name)


@functools.lru_cache(maxsize=4_096)
def is_visible_relation(model: type[Model], name: str) -> bool:
    """Whether a read of this attribute is seen: Django's descriptor, its ``__get__`` inherited."""
    descriptor = inspect.getattr_static(model, name, None)
    classes = tuple(relation_descriptors())
    if not isinstance(descriptor, classes):
        return False
    owner = next(cls for cls in type(descriptor).__mro__ if "__get__" in cls.__dict__)
    return owner in classes


class Joined(NamedTuple):
    """A relation of ``select_related``: its path, that of the model it starts at, its accessor,
    and the name that instances keep it under."""

    path: str
    parent: str
    accessor: str
    cache_name: str


def joined(model: type[Model], told: Any) -> tuple[Joined, ...]:
    """What ``query.select_related`` means for rows of this model; parents come first."""
    if not told:
        return ()
    return tuple(_joined(model, told, "", _MAX_DEPTH))


def _joined(
    model: type[Model], told: Mapping[str, Any] | bool, parent: str, depth: int
) -> Iterator[Joined]:
    if not depth:
        return
    if told is True:
        names: Mapping[str, Any] = {
            field.name: True
            for field in model._meta.fields
            if field.remote_field and not field.null and not field.remote_field.parent_link
        }
        depth -= 1
    else:
        names = told if isinstance(told, Mapping) else {}
    for name, below in names.items():
        try:
            field: Any = model._meta.get_field(name)
        except FieldDoesNotExist:
            # A FilteredRelation: a plain attribute, whose reads nobody sees.
            continue
        accessor = field.name if field.concrete else field.get_accessor_name()
        cache_name = getattr(field, "cache_name", None) or field.get_cache_name()
        path = f"{parent}__{name}" if parent else name
        yield Joined(path, parent, accessor, cache_name)
        if field.related_model is not None:
            yield from _joined(field.related_model, below, path, depth)
