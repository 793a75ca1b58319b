"""``objects`` by Pympler: every object of the process counted and sized, and what instances hold.

Pympler's own list of all objects (``muppy.get_objects``) asks each of them for its ``__class__``,
which evaluates lazy ones: the ``request.user`` of somebody else's request, say. So the objects are
listed here, by ``type()``, and ``asizeof`` gets only instances that hold nothing but plain data.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain, compress, filterfalse
from operator import contains, not_
from types import FrameType, ModuleType
from typing import Any

from django_hotpath.instruments.base import Session
from django_hotpath.instruments.object_sizes import is_plain, size_by_type
from django_hotpath.instruments.object_types import (
    Census,
    count_types,
    followed_objects,
    no_collection,
    type_name,
)
from django_hotpath.instruments.objects import Objects

SIZED = 100

# gc.get_referents() hands out freed objects of asyncio there, and the next collection never ends:
# python/cpython#122695. It hung on 3.12.1; 3.12.6 has the mending.
_HANGS = (3, 12, 0) <= sys.version_info < (3, 12, 6)


class PymplerObjects(Objects):
    engine = "pympler"
    measures = (
        "What objects counts, and every other object of the process with its size, text and "
        "numbers included; for model instances that stayed, the size with all that they hold."
    )
    cost = "0.2 to 1 second before and as much after, while other threads hardly run"
    requires = "pympler"
    extra = "objects"

    def __init__(self, session: Session, target: str | None = None) -> None:
        super().__init__(session, target)
        self.everything = True

    @classmethod
    def available(cls) -> str | None:
        missing = super().available()
        if missing is None and _HANGS:
            return (
                "can hang Python 3.12.0 to 3.12.5 for good after an async view: freed objects of "
                "asyncio get into the garbage collector (seen on 3.12.1, not on 3.11.7 and "
                "3.13.0). Update to 3.12.6 or later, or take objects without it"
            )
        return missing


def deep_size(instances: list[Any]) -> tuple[int, int] | None:
    """Bytes apiece with all that they hold, and of how many: the first hundred that are plain.

    What they share is counted once.
    """
    from pympler import asizeof

    # Its own, because the one of the module is shared by all threads.
    sizer: Any = asizeof.Asizer
    sample = [instance for instance in instances[:SIZED] if is_plain(instance)]
    if not sample:
        return None
    return round(sizer().asizeof(*sample) / len(sample)), len(sample)


def count_everything() -> Census:
    """What the garbage collector follows, and the text and numbers that this refers to."""
    census = count_types()
    sizes: dict[str, int] = {}
    held, leaves, tuples = every_object()
    sizes["tuple"] = tuples
    size_by_type(held, sizes)
    del held
    once = dict(zip(map(id, leaves), leaves, strict=True))
    for name, number in Counter(map(type_name, map(type, once.values()))).items():
        census.counts[name] = census.counts.get(name, 0) + number
    size_by_type(list(once.values()), sizes)
    return Census(census.counts, sizes)


def every_object() -> tuple[list[Any], list[Any], int]:
    """The objects that the collector follows, what they refer to that it does not, bytes of tuples.

    Tuples are not among the first: another thread may have one in the making, and it fails there
    when somebody else holds it while it gets its length. Neither are frames, which may be running.
    """
    objects: list[Any] = []
    held: list[Any] = []
    leaves: list[Any] = []
    sizes: list[int] = []
    # A module may hand out what must not be touched.
    referents = chain.from_iterable(map(gc.get_referents, _without(objects, FrameType, ModuleType)))
    loose = filterfalse(gc.is_tracked, referents)
    others = _without(objects, tuple, FrameType)
    of_tuples = map(sys.getsizeof, compress(objects, _are(objects, tuple)))
    followed = followed_objects()
    with no_collection():
        # No call from here on: after each, another thread may run.
        objects += followed
        held += others
        leaves += loose
        sizes += of_tuples
        del objects[:]
    ours = {id(objects), id(held), id(leaves), id(sizes)}
    theirs = [found for found in held if id(found) not in ours]
    # It holds itself, and with itself everything, until somebody collects it.
    held.clear()
    return theirs, leaves, sum(sizes)


def _are(objects: list[Any], *types: type) -> Iterator[bool]:
    # By id: a metaclass may make its classes unhashable.
    return map(partial(contains, frozenset(map(id, types))), map(id, map(type, objects)))


def _without(objects: list[Any], *types: type) -> Iterator[Any]:
    return compress(objects, map(not_, _are(objects, *types)))
