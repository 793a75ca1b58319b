"""Attributes each query of the ORM: by which method, from which relation, from whose rows.

All that is dear is done once for each place in the code; a query in a loop costs a few lookups.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any

from django_hotpath.callsite import Walk
from django_hotpath.instruments.orm_entry import describe
from django_hotpath.instruments.orm_made import MadeTable
from django_hotpath.instruments.orm_owners import Owner, Owners
from django_hotpath.instruments.orm_relation import (
    Relation,
    of_descriptor,
    of_generic_queryset,
    of_manager,
    of_queryset,
)
from django_hotpath.ormroles import (
    DESCRIPTOR,
    ITERABLE,
    MANAGER,
    MODEL,
    PREFETCH,
    PREFETCH_ROOT,
    QUERYSET,
    ROLES,
)

_WRITES = frozenset(["create", "update", "delete", "bulk_create", "bulk_update"])


# The number of the entry; the index of the query whose rows it was read from, and the lookups from
# these to the instance.
Seen = tuple[int, int | None, str]


class Found:
    """What the frames of one query told."""

    __slots__ = (
        "descriptor",
        "instance",
        "manager",
        "method",
        "model",
        "parent",
        "prefetch_to",
        "queryset",
    )

    def __init__(self) -> None:
        self.method = ""
        self.queryset: Any = None
        self.descriptor: Any = None
        self.manager: Any = None
        self.instance: Any = None
        self.model: Any = None
        # The instances that a prefetch is for, and up to where its lookups go.
        self.parent: Any = None
        self.prefetch_to: str | None = None


class Orm:
    """The attribution of one capture's queries."""

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self.made = MadeTable()
        self.owners = Owners()
        self.failed = on_error
        self.entries: list[dict[str, Any]] = []
        self._numbers: dict[Any, int] = {}
        self._seen: dict[Seen, Seen] = {}
        # Kept, so that an id in a key stays the id of the same object.
        self._kept: list[Any] = []
        self._relations: dict[Any, tuple[Any, Relation | None]] = {}
        self._generic: dict[Relation, Relation] = {}

    def attribute(self, index: int, frames: list[FrameType], walk: Walk) -> Seen | None:
        """``frames`` are those of the ORM, innermost first, before any other code's."""
        self.owners.settle()
        self.made.hinted = None
        if not frames:
            return None
        found = _read(frames, walk)
        queryset = found.queryset
        relation = owner = None
        if found.prefetch_to is not None:
            owner = self._owner_of_parent(found)
        elif found.instance is not None or queryset is not None:
            relation, instance = self._relation(found)
            if instance is not None:
                owner = self.owners.find(instance)
            elif relation is not None:
                owner = self.owners.find_by_class(relation.owner)
        if queryset is not None and found.method not in _WRITES:
            if found.method == "iterator":
                self.owners.expect_iterator(index, queryset.model)
            elif hasattr(queryset, "_result_cache"):
                self.owners.expect(index, queryset)
        entry = self._entry(found, relation, walk)
        seen: Seen = (entry, None, "") if owner is None else (entry, *owner)
        # In a loop it is the same each time.
        return self._seen.setdefault(seen, seen)

    def stop(self) -> None:
        self.owners.release()
        self.made.clear()
        self.made.hinted = None

    def _owner_of_parent(self, found: Found) -> Owner | None:
        for instance in found.parent or ():
            owner = self.owners.find(instance)
            if owner is not None:
                return owner
        return None

    def _relation(self, found: Found) -> tuple[Relation | None, Any]:
        if found.descriptor is not None:
            key: Any = (id(found.descriptor), type(found.instance))
            return self._cached(key, found.descriptor, _by_descriptor, found), found.instance
        if found.manager is not None:
            key = (id(type(found.manager)), found.method)
            instance = found.manager.instance
            return self._cached(key, type(found.manager), _by_manager, found), instance
        queryset = found.queryset
        instance = queryset._hints.get("instance") if queryset._hints else None
        if instance is None:
            generic = of_generic_queryset(queryset) if _may_be_generic(queryset) else None
            # One object for each, since entries are told apart by it.
            return (None if generic is None else self._generic.setdefault(generic, generic)), None
        key = (type(instance), queryset.model, *_conditions(queryset))
        return self._cached(key, None, _by_queryset, found), instance

    def _cached(
        self, key: Any, keep: Any, find: Callable[[Found], Relation | None], found: Found
    ) -> Relation | None:
        known = self._relations.get(key)
        if known is None:
            known = self._relations[key] = (keep, find(found))
        return known[1]

    def _entry(self, found: Found, relation: Relation | None, walk: Walk) -> int:
        queryset = found.queryset
        made = self.made.of(queryset) if queryset is not None else None
        read = walk.frames[0] if walk.frames else None
        template = walk.template
        model = queryset.model if queryset is not None else found.model
        # A code object takes long to hash, an origin of a template cannot be hashed at all.
        key = (
            found.method,
            id(model),
            id(relation),
            id(made[0]) if type(made) is tuple else id(made),
            made[1] if type(made) is tuple else 0,
            id(read[0]) if read is not None else 0,
            read[2] if read is not None else 0,
            id(template[0]) if template is not None else 0,
            template[1] if template is not None else 0,
            found.prefetch_to,
        )
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self.entries)
            self._kept += (model, relation, made, read, template)
            self.entries.append(describe(found, model, relation, made, read))
        return number


def _read(frames: list[FrameType], walk: Walk) -> Found:
    found = Found()
    iterable: FrameType | None = None
    for frame in frames:
        kind, method = ROLES[id(frame.f_code)]
        if kind == QUERYSET:
            # The innermost one is asked; of the others the name is enough.
            if found.queryset is None:
                found.queryset = frame.f_locals.get("self")
            found.method = method
            continue
        if kind == ITERABLE:
            iterable = frame
            continue
        values = frame.f_locals
        if kind == PREFETCH_ROOT:
            # Who prefetches is the business of the query that it is done for.
            found.parent = values.get("model_instances")
            found.method = method
            break
        if kind == DESCRIPTOR:
            found.descriptor, found.instance = values.get("self"), values.get("instance")
        elif kind == MANAGER:
            found.manager = values.get("self")
        elif kind == MODEL:
            found.model = type(values.get("self"))
        elif kind == PREFETCH:
            lookup, level = values.get("lookup"), values.get("level")
            found.prefetch_to = lookup.get_current_prefetch_to(level) if lookup else ""
        found.method = method
    if iterable is not None and found.queryset is None and found.descriptor is None:
        # aiterator() takes its rows in pieces, without a method of the queryset on the stack.
        found.queryset = getattr(iterable.f_locals.get("self"), "queryset", None)
        found.method = found.method or "iterator"
    if found.method == "len" and not walk.direct:
        # A template or a library asks for the length before it loops.
        found.method = "iterate"
    return found


def _conditions(queryset: Any) -> tuple[Any, ...]:
    """What tells the relations of an instance apart: the columns that the query asks for."""
    return tuple(
        [
            id(getattr(getattr(condition, "lhs", None), "target", None))
            for condition in queryset.query.where.children[:4]
        ]
    )


def _by_descriptor(found: Found) -> Relation | None:
    return of_descriptor(found.descriptor, found.instance)


def _by_manager(found: Found) -> Relation | None:
    return of_manager(found.manager)[0]


def _by_queryset(found: Found) -> Relation | None:
    return of_queryset(found.queryset, found.queryset._hints["instance"])


def _may_be_generic(queryset: Any) -> bool:
    return any(hasattr(field, "fk_field") for field in queryset.model._meta.private_fields)
