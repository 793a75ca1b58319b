"""Earlier captures of the same route, for what only several can tell."""

from __future__ import annotations

import logging

from django_hotpath import deferred, stores
from django_hotpath.analysis.growth import MAX_RUNS
from django_hotpath.capture import Capture
from django_hotpath.stores.base import CaptureFilter, StoreError

logger = logging.getLogger("hotpath")

_LOOKED_THROUGH = 200
# Instruments of which several captures tell more than one.
_COMPARED = frozenset({"allocations", "usage"})


def earlier_runs(capture: Capture) -> list[Capture]:
    """The stored captures of this method and route that can be compared with it, newest first:
    those that traced allocations or followed rows, as it did itself.

    Twice as many as are compared, since some may not do; none where the store cannot be read.
    """
    request = capture.request
    comparable = _COMPARED & capture.instruments.keys()
    if request is None or not comparable:
        return []
    try:
        deferred.settle_all()
        store = stores.get_store()
        where = CaptureFilter(method=request.method)
        wanted = [
            found.id
            for found in store.list(where, limit=_LOOKED_THROUGH).items
            if found.id < capture.id
            and not comparable.isdisjoint(found.instruments)
            and (found.route == request.route if request.route else found.path == request.path)
        ]
        return [store.get(capture_id) for capture_id in wanted[: 2 * MAX_RUNS]]
    except StoreError as error:
        # The report is shown all the same.
        logger.warning("earlier captures cannot be read: %s", error)
        return []
