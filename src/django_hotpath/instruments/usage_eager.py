"""What a queryset was told to load ahead, and which prefetch it is itself the query of."""

from __future__ import annotations

from types import FrameType
from typing import Any, NamedTuple

from django.db.models import query
from django.db.models.constants import LOOKUP_SEP

from django_hotpath.instruments.usage_models import is_visible_relation
from django_hotpath.instruments.usage_rows import Eager, Rows, Shape

_LEVEL = query.prefetch_one_level.__code__
_PREFETCH = query.prefetch_related_objects.__code__
_MAX_DEPTH = 16


class Parent(NamedTuple):
    """The rows that are prefetched for, under which name."""

    shape: Shape
    eager: Eager


def prefetched_for(rows: Rows, frame: FrameType | None) -> Parent | None:
    """Where this query is one of ``prefetch_related``: reads it off Django's own frames."""
    level = _outward(frame, _LEVEL)
    if level is None:
        return None
    seen = level.f_locals
    instances, lookup, depth = seen["instances"], seen["lookup"], seen["level"]
    first = rows.find(instances[0])
    if first is None:
        return None
    around = _outward(level.f_back, _PREFETCH)
    if around is None or _is_by_peers(around):
        return None
    name = lookup.prefetch_through.split(LOOKUP_SEP)[depth]
    top = next(iter(around.f_locals["model_instances"]), None)
    owner = rows.find(top)
    eager = first.shape.eager.get(name)
    if eager is None or eager.how != "prefetch_related":
        path = lookup.get_current_prefetch_to(depth)
        eager = Eager("prefetch_related", path, owner.shape.fetch if owner else None)
        first.shape.eager[name] = eager
    to_attr, is_list = lookup.get_current_to_attr(depth)
    eager.to_attr = to_attr if is_list else ""
    eager.visible = not is_list and is_visible_relation(first.shape.model, name)
    eager.rows += len(instances)
    return Parent(first.shape, eager)


def _outward(frame: FrameType | None, code: Any) -> FrameType | None:
    for _ in range(_MAX_DEPTH):
        if frame is None or frame.f_code is code:
            return frame
        frame = frame.f_back
    return None


def _is_by_peers(frame: FrameType) -> bool:
    """Nobody asked ahead: a relation was read, and Django fetched it for all rows at once."""
    return frame.f_back is not None and frame.f_back.f_code.co_name == "fetch_many"
