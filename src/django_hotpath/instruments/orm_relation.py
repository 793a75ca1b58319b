"""Which relation of an instance a query was read through, named as the code that reads it."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.apps import apps
from django.db.models import ManyToManyRel, Model
from django.db.models.fields.related_descriptors import (
    ForwardManyToOneDescriptor,
    ReverseOneToOneDescriptor,
)
from django.db.models.query_utils import DeferredAttribute


class Relation(NamedTuple):
    """``owner`` is the class of the instance.

    ``lookup`` names the relation in lookups of the owner, ``query_name`` the way back, from the
    target to the owner; "" where there is no such name. ``target_field`` is the owner's field that
    the target points to; ``base_conditions`` is how many conditions the relation itself puts into
    the query.
    """

    owner: type
    accessor: str
    kind: str
    lookup: str = ""
    query_name: str = ""
    target_field: str = "pk"
    base_conditions: int = 0
    nullable: bool = False

    @property
    def name(self) -> str:
        return f"{self.owner.__name__}.{self.accessor}"


def of_descriptor(descriptor: Any, instance: Any) -> Relation | None:
    """The relation of a descriptor whose ``__get__`` runs; None for one that is not known."""
    owner = type(instance)
    if isinstance(descriptor, ForwardManyToOneDescriptor):
        field = descriptor.field
        kind = "one_to_one" if field.one_to_one else "foreign_key"
        return Relation(owner, field.name, kind, field.name, nullable=bool(field.null))
    if isinstance(descriptor, ReverseOneToOneDescriptor):
        related = descriptor.related
        accessor = related.get_accessor_name()
        return Relation(owner, accessor, "reverse_one_to_one", related.name, nullable=True)
    if isinstance(descriptor, DeferredAttribute):
        return Relation(owner, descriptor.field.attname, "deferred")
    field = getattr(descriptor, "field", descriptor)
    if hasattr(field, "ct_field") and hasattr(field, "fk_field"):
        return Relation(owner, field.name, "generic_foreign_key", nullable=True)
    return None


def of_manager(manager: Any) -> tuple[Relation | None, Any]:
    """The relation of a related manager that is asked something itself, and its instance."""
    instance = getattr(manager, "instance", None)
    if instance is None:
        return None, None
    owner = type(instance)
    if hasattr(manager, "through"):
        return _of_many_to_many(owner, manager.through, manager.source_field_name), instance
    if hasattr(manager, "content_type_field_name"):
        return _of_generic(owner, manager.model), instance
    field = getattr(manager, "field", None)
    return (_of_reverse(owner, field) if field is not None else None), instance


def of_queryset(queryset: Any, instance: Any) -> Relation | None:
    """The relation that a related manager's queryset was made for."""
    owner = type(instance)
    for field, objects in queryset._known_related_objects.items():
        if any(found is instance for found in objects.values()):
            return _of_reverse(owner, field)
    for condition in _conditions(queryset):
        target = getattr(getattr(condition, "lhs", None), "target", None)
        if target is not None and target.model is not queryset.model:
            relation = _of_many_to_many(owner, target.model, target.name)
            if relation is not None:
                return relation
    for field in owner._meta.related_objects:
        if field.related_model is queryset.model and not field.many_to_many:
            for condition in _conditions(queryset):
                if getattr(getattr(condition, "lhs", None), "target", None) is field.field:
                    return _of_reverse(owner, field.field)
    return None


def of_generic_queryset(queryset: Any) -> Relation | None:
    """The generic relation that a queryset was made for.

    Such a queryset does not know its instance: it asks for a content type and an object's key.
    """
    keys = {
        target.name: condition.rhs
        for condition in _conditions(queryset)
        if (target := getattr(getattr(condition, "lhs", None), "target", None)) is not None
    }
    for field in queryset.model._meta.private_fields:
        content_type, key = getattr(field, "ct_field", None), getattr(field, "fk_field", None)
        if content_type in keys and key in keys:
            owner = _class_of(keys[content_type])
            relation = _of_generic(owner, queryset.model) if owner is not None else None
            if relation is not None:
                return relation
    return None


def _class_of(content_type: Any) -> type | None:
    """From Django's own cache: no query of ours."""
    from django.contrib.contenttypes.models import ContentType

    key = getattr(content_type, "pk", content_type)
    for cached in ContentType.objects._cache.values():  # type: ignore[attr-defined]
        found = cached.get(key)
        if found is not None:
            return apps.get_model(found.app_label, found.model)
    return None


def _conditions(queryset: Any) -> list[Any]:
    return list(queryset.query.where.children)


def _of_reverse(owner: type, field: Any) -> Relation | None:
    remote = getattr(field, "remote_field", None)
    accessor = remote.get_accessor_name() if remote is not None else None
    if accessor is None:
        return None
    target = field.target_field
    return Relation(
        owner,
        accessor,
        "reverse_foreign_key",
        lookup=field.related_query_name(),
        query_name=field.name,
        target_field="pk" if target.primary_key else target.name,
        base_conditions=1,
    )


def _of_many_to_many(owner: type, through: type, source: str) -> Relation | None:
    if not issubclass(owner, Model):
        return None
    for field in owner._meta.many_to_many:
        if field.remote_field.through is through and field.m2m_field_name() == source:
            return Relation(
                owner,
                field.name,
                "many_to_many",
                lookup=field.name,
                query_name=_way_back(field),
                base_conditions=1,
            )
    for related in owner._meta.related_objects:
        if not isinstance(related, ManyToManyRel) or related.through is not through:
            continue
        forward: Any = related.field
        accessor = related.get_accessor_name()
        if accessor is not None and forward.m2m_reverse_field_name() == source:
            return Relation(
                owner,
                accessor,
                "many_to_many",
                lookup=forward.related_query_name(),
                query_name=forward.name,
                base_conditions=1,
            )
    return None


def _of_generic(owner: type, model: type) -> Relation | None:
    # Its models cannot be imported where it is not installed.
    if not issubclass(owner, Model) or not apps.is_installed("django.contrib.contenttypes"):
        return None
    from django.contrib.contenttypes.fields import GenericRelation

    for field in owner._meta.private_fields:
        if isinstance(field, GenericRelation) and field.related_model is model:
            return Relation(owner, field.name, "generic_relation", field.name, base_conditions=2)
    return None


def _way_back(field: Any) -> str:
    if field.remote_field.symmetrical:
        return str(field.name)
    name = str(field.related_query_name())
    return "" if name.endswith("+") else name
