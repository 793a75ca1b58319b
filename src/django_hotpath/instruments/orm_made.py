"""Where each queryset was made: the expression of the project that the last step came from.

Django has no hook for it, so while a capture needs it, the constructors of querysets are replaced
by ones that look who called. A table by ``id`` is enough: whatever is at that address now went
through the constructor last.
"""

from __future__ import annotations

import functools
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
from django_hotpath.stacks import init, pass_over

# Between the constructor and the line that asked lie only a few functions of Django's.
_MAX_DEPTH = 16
_BETWEEN = 1 << SKIP | 1 << ORM

# A code object and an offset, or the class whose attribute the queryset is.
Made = tuple[CodeType, int] | type

_CLONES = frozenset(
    [
        id(QuerySet._clone.__code__),  # type: ignore[attr-defined]
        id(RawQuerySet._clone.__code__),  # type: ignore[attr-defined]
    ]
)
_INIT = "__init__"

# Whether a project's function belongs to a manager or a queryset: who calls it made the queryset.
_chain_steps: dict[int, bool] = {}
_kept: list[CodeType] = []


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
        if queryset._hints and _source(frame) not in self:
            # Made with an instance in mind: Django reads one row for a descriptor.
            self.pop(id(queryset), None)
            return
        found = self._look(frame)
        if found is not None:
            self[id(queryset)] = (found, id(_query(queryset)))
        else:
            self.pop(id(queryset), None)

    def _look(self, first: FrameType | None) -> Made | None:
        frame = first
        step: Made | None = None
        library_class: type | None = None
        kinds = callsite.kinds()
        while (frame := pass_over(frame, kinds, _BETWEEN, _MAX_DEPTH)) is not None:
            code = frame.f_code
            kind = kinds.get(id(code))
            if kind is None:
                # Told and looked at again.
                callsite.kind_of(code)
                continue
            if kind == PROJECT:
                if not _is_chain_step(frame):
                    return (code, frame.f_lasti)
                step = (code, frame.f_lasti)
            elif kind == LIBRARY:
                if code.co_name != "get_queryset":
                    break
                library_class = library_class or type(frame.f_locals.get("self"))
            else:
                # The edge of what is measured, or a template: what it makes is not in Python. Or
                # a prefetch or a descriptor: that is no expression of the project.
                break
            frame = frame.f_back
        if step is not None:
            return step
        inherited = self.get(_source(first))
        return inherited[0] if inherited is not None else library_class


def _source(frame: FrameType | None) -> int:
    """The queryset that one is a clone of, by its ``id``; 0 where it is none."""
    if frame is None or id(frame.f_code) not in _CLONES:
        return 0
    return id(frame.f_locals.get("self"))


def _query(queryset: Any) -> Any:
    # A queryset's own property would take a filter that waits into the query; and asking for the
    # object's dict would make one.
    try:
        return queryset._query
    except AttributeError:
        return getattr(queryset, "query", None)


def _is_chain_step(frame: FrameType) -> bool:
    code = frame.f_code
    known = _chain_steps.get(id(code))
    if known is None:
        # Kept, so that the id stays that of this code.
        _kept.append(code)
        known = _chain_steps[id(code)] = _looks_like_step(frame)
    return known


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
    return functools.wraps(original)(
        init(
            *(original, current, _note, callsite.kinds()),
            *(_BETWEEN, _MAX_DEPTH, PROJECT, _chain_steps),
        )
    )


def _note(orm: Any, queryset: Any, frame: FrameType) -> None:
    try:
        orm.made.note(queryset, frame)
    except Exception as error:
        orm.failed(error)


def _targets() -> list[tuple[type, str, Wrap]]:
    return [(QuerySet, _INIT, _wrap_queryset), (RawQuerySet, _INIT, _wrap_init)]


# A panel that is always on would replace and put back in every request.
patch = SharedPatch(_targets, stays_after=20)


def made_at(queryset: Any) -> Made | None:
    """Where a queryset was made, while a ``queries`` instrument runs in this context."""
    active = current.get()
    orm = getattr(active.get("queries"), "orm", None) if active is not None else None
    return orm.made.of(queryset) if orm is not None else None
