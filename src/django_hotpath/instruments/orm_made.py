"""Where each queryset was made: the expression of the project that the last step came from.

Django has no hook for it, so while a capture needs it, the constructors of querysets are replaced
by ones that look who called. A table by ``id`` is enough: whatever is at that address now went
through the constructor last.
"""

from __future__ import annotations

import sys
from types import CodeType, FrameType
from typing import Any

from django.db.models import Manager, QuerySet
from django.db.models.manager import BaseManager
from django.db.models.query import RawQuerySet

from django_hotpath import callsite
from django_hotpath.callsite import LIBRARY, ORM, PROJECT, SKIP
from django_hotpath.instruments.base import current
from django_hotpath.instruments.patching import SharedPatch, Stay, Wrap
from django_hotpath.ormroles import DESCRIPTOR, PREFETCH, ROLES

# Between the constructor and the line that asked lie only a few functions of Django's.
_MAX_DEPTH = 16

# A code object and an offset, or the class whose attribute the queryset is.
Made = tuple[CodeType, int] | type

_CLONES = frozenset(
    [
        id(QuerySet._clone.__code__),  # type: ignore[attr-defined]
        id(RawQuerySet._clone.__code__),  # type: ignore[attr-defined]
    ]
)
# What these make is not an expression of the project, or one of a single object.
_INNER = frozenset([PREFETCH, DESCRIPTOR])
_INIT = "__init__"

# Whether a project's function belongs to a manager or a queryset: who calls it made the queryset.
_chain_steps: dict[int, tuple[CodeType, bool]] = {}


class MadeTable(dict[int, tuple[Made, int]]):
    """``id(queryset)`` to where it was made, and the ``id`` of the query that it had then.

    ``hinted``: the hints of the queryset that a descriptor makes just now. Its clones share them.
    """

    __slots__ = ("hinted",)

    def __init__(self) -> None:
        super().__init__()
        self.hinted: Any = None

    def of(self, queryset: Any) -> Made | None:
        """None also where the application gave the queryset another query since."""
        found = self.get(id(queryset))
        if found is None or found[1] != id(_query(queryset)):
            return None
        return found[0]

    def note(self, queryset: Any, frame: FrameType | None) -> None:
        """``frame`` is the one that called the constructor."""
        source = None
        if frame is not None and id(frame.f_code) in _CLONES:
            source = id(frame.f_locals.get("self"))
        if queryset._hints and source not in self:
            # Made with an instance in mind: Django reads one row for a descriptor.
            self.pop(id(queryset), None)
            return
        found = self._look(frame, source)
        if found is not None:
            self[id(queryset)] = (found, id(_query(queryset)))
        else:
            self.pop(id(queryset), None)

    def _look(self, frame: FrameType | None, source: int | None) -> Made | None:
        step: Made | None = None
        library_class: type | None = None
        kinds = callsite.kinds()
        for _ in range(_MAX_DEPTH):
            if frame is None:
                break
            code = frame.f_code
            kind = kinds.get(id(code))
            if kind is None:
                kind = callsite.kind_of(code)
            if kind == ORM:
                if ROLES[id(code)][0] in _INNER:
                    break
            elif kind == PROJECT:
                if not _is_chain_step(frame):
                    return (code, frame.f_lasti)
                step = (code, frame.f_lasti)
            elif kind == LIBRARY:
                if code.co_name != "get_queryset":
                    break
                library_class = library_class or type(frame.f_locals.get("self"))
            elif kind != SKIP:
                # The edge of what is measured, or a template: what it makes is not in Python.
                break
            frame = frame.f_back
        if step is not None:
            return step
        inherited = self.get(source) if source is not None else None
        return inherited[0] if inherited is not None else library_class


def _query(queryset: Any) -> Any:
    # A queryset's own property would take a filter that waits into the query.
    return queryset.__dict__.get("_query", queryset.__dict__.get("query"))


def _is_chain_step(frame: FrameType) -> bool:
    code = frame.f_code
    known = _chain_steps.get(id(code))
    if known is None:
        known = _chain_steps[id(code)] = (code, _looks_like_step(frame))
    return known[1]


def _looks_like_step(frame: FrameType) -> bool:
    code = frame.f_code
    if not code.co_argcount:
        return False
    first = frame.f_locals.get(code.co_varnames[0])
    return isinstance(first, (QuerySet, BaseManager, Manager))


def _wrap_init(original: Any, stay: Stay) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        active = current.get()
        if active is None:
            return
        orm = getattr(active.get("queries"), "orm", None)
        if orm is not None:
            try:
                orm.made.note(self, sys._getframe(1))
            except Exception as error:
                orm.failed(error)

    return __init__


def _wrap_queryset(original: Any, stay: Stay) -> Any:
    # With its parameters by name: this runs several times for each query of the ORM.
    def __init__(
        self: Any, model: Any = None, query: Any = None, using: Any = None, hints: Any = None
    ) -> None:
        original(self, model, query, using, hints)
        active = current.get()
        if active is None:
            return
        orm = getattr(active.get("queries"), "orm", None)
        if orm is None:
            return
        made = orm.made
        if hints and (query is None or hints is made.hinted):
            # Made with an instance in mind: Django reads one row for a descriptor.
            made.hinted = hints
            made.pop(id(self), None)
            return
        try:
            made.note(self, sys._getframe(1))
        except Exception as error:
            orm.failed(error)

    return __init__


def _targets() -> list[tuple[type, str, Wrap]]:
    return [(QuerySet, _INIT, _wrap_queryset), (RawQuerySet, _INIT, _wrap_init)]


patch = SharedPatch(_targets)


def made_at(queryset: Any) -> Made | None:
    """Where a queryset was made, while a ``queries`` instrument runs in this context."""
    active = current.get()
    orm = getattr(active.get("queries"), "orm", None) if active is not None else None
    return orm.made.of(queryset) if orm is not None else None
