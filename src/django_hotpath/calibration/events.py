"""What recording one event costs beyond what the instrument's own clock sees.

A clock that is read at the start and the end of our code cannot see the call that leads there and
back. The rest is small, but there is one for each query; it is measured on stand-ins and counted
by the number of events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.core.cache.backends.base import BaseCache
from django.db.backends.utils import CursorWrapper
from django.dispatch import Signal

from django_hotpath.instruments import cache, objects, queries, templates, usage
from django_hotpath.instruments.base import Active, Instrument, Session, clock, current
from django_hotpath.instruments.gc import GarbageCollector
from django_hotpath.instruments.patching import Stay
from django_hotpath.instruments.usage_patches import note_column
from django_hotpath.instruments.usage_rows import Followed, Shape

_EVENTS = 100
_ROUNDS = 7

Event = Callable[[], object]


class Unseen(NamedTuple):
    """``typical_ns``: until it is measured here; ``pair`` gives an event without and with us."""

    cls: type[Instrument]
    typical_ns: int
    counted_as: str
    pair: Callable[[Any], tuple[Event, Event]]


def count(name: str, result: Mapping[str, Any]) -> int:
    """How many events an instrument's result tells of."""
    known = UNSEEN.get(name)
    number = result.get(known.counted_as) if known is not None else None
    return number if isinstance(number, int) else 0


def measure(
    name: str,
    *,
    before_run: Callable[[], object] = lambda: None,
    clock: Callable[[], int] = clock,
) -> int:
    """Nanoseconds an event. Nothing of the application is touched."""
    known = UNSEEN[name]
    quickest: dict[str, int] = {}
    for _ in range(_ROUNDS):
        before_run()
        instrument = known.cls(Session(started_ns=clock()))
        bare, recorded = known.pair(instrument)
        took = {"bare": _time(bare, None, clock), "recorded": _time(recorded, instrument, clock)}
        took["recorded"] -= instrument.overhead_ns
        for run, found in took.items():
            quickest[run] = min(found, quickest.get(run, found))
    return max((quickest["recorded"] - quickest["bare"]) // _EVENTS, 0)


def _time(event: Event, instrument: Instrument | None, clock: Callable[[], int]) -> int:
    active = Active(None, None)
    if instrument is not None:
        active[instrument.name] = instrument
    token = current.set(active)
    try:
        began = clock()
        for _ in range(_EVENTS):
            event()
        return clock() - began
    finally:
        current.reset(token)


class _Cursor:
    rowcount = -1

    def fetchmany(self, size: int = 1) -> list[object]:
        return []


class _Connection:
    alias, vendor, in_atomic_block = "default", "sqlite", False
    execute_wrappers = (None,)

    def wrap_database_errors(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function


def _statement(instrument: Any) -> tuple[Event, Event]:
    connection: Any = _Connection()
    raw = _Cursor()

    def execute(sql: str, params: object, many: bool, context: dict[str, Any]) -> None:
        return

    def event(run: Callable[..., object]) -> None:
        cursor = CursorWrapper(raw, connection)
        run("SELECT 1", (), False, {"connection": connection, "cursor": cursor})
        cursor.fetchmany(100)
        cursor.fetchmany(100)

    def recorded(*call: Any) -> object:
        return queries.execute_wrapper(execute, *call)

    return lambda: event(execute), lambda: event(recorded)


def _operation(instrument: Any) -> tuple[Event, Event]:
    backend = BaseCache({})

    def get(self: BaseCache, key: str, default: object = None, version: object = None) -> object:
        return default

    wrapped = cache._wrapping("get")(get, Stay())
    return lambda: get(backend, "key"), lambda: wrapped(backend, "key")


class _Template:
    name, origin = "calibration", None


def _rendering(instrument: Any) -> tuple[Event, Event]:
    template = _Template()

    def render(self: object, context: object) -> str:
        return ""

    wrapped = templates._wrapping("django")(render, Stay())
    return lambda: render(template, None), lambda: wrapped(template, None)


def _collection(instrument: GarbageCollector) -> tuple[Event, Event]:
    # The attribute that the collector's own callback is, without a collection.
    callback = instrument._on_collection
    info = {"generation": 0, "collected": 0, "uncollectable": 0}

    def collection() -> None:
        callback("start", info)
        callback("stop", info)

    return lambda: None, collection


class _Model:
    pass


def _instance(instrument: Any) -> tuple[Event, Event]:
    signal = Signal()
    watched = Signal()
    watched.connect(objects._on_init, weak=False)

    def made(by: Signal) -> None:
        by.send(sender=_Model, instance=_Model())

    return lambda: made(signal), lambda: made(watched)


def _reading(instrument: usage.Usage) -> tuple[Event, Event]:
    row = _Model()
    row.__dict__["name"] = "calibration"
    shape = Shape.__new__(Shape)
    shape.bits, shape.read, shape.keys, shape.touched = {"name": 1}, {}, frozenset(), 0
    shape.first = shape.last = -1
    followed = Followed(row)
    followed.number, followed.read, followed.shape, followed.touched = 0, 0, shape, False
    instrument.rows.followed[id(row)] = followed
    watching = (instrument.rows,)

    def read() -> object:
        return row.__dict__["name"]

    def recorded() -> object:
        note_column(watching, row, "name")
        return read()

    return read, recorded


UNSEEN: dict[str, Unseen] = {
    "queries": Unseen(queries.Queries, 2_000, "count", _statement),
    "cache": Unseen(cache.Cache, 1_500, "count", _operation),
    "templates": Unseen(templates.Templates, 1_000, "count", _rendering),
    "gc": Unseen(GarbageCollector, 1_000, "count", _collection),
    "objects": Unseen(objects.Objects, 2_500, "created", _instance),
    "usage": Unseen(usage.Usage, 500, "reads", _reading),
}
