"""The instruments by name, each with its engines, best first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from django.utils.module_loading import import_string

from django_hotpath.instruments.base import Instrument

_HERE = "django_hotpath.instruments"

_BUILTIN = {
    "calls": {
        "native": f"{_HERE}.engines.native.NativeCalls",
        "cprofile": f"{_HERE}.engines.cprofile.CProfileCalls",
    },
    "samples": {
        "vmprof": f"{_HERE}.engines.vmprof.VmprofSamples",
        "thread": f"{_HERE}.engines.sampler.ThreadSamples",
    },
    "lines": {
        "monitoring": f"{_HERE}.engines.line_monitoring.MonitoringLines",
        "line_profiler": f"{_HERE}.engines.line_profiler.LineProfilerLines",
    },
    "line_memory": {
        "monitoring": f"{_HERE}.engines.line_memory_monitoring.MonitoringLineMemory",
        "memory_profiler": f"{_HERE}.engines.memory_profiler.MemoryProfilerLineMemory",
    },
    "allocations": {"tracemalloc": f"{_HERE}.engines.tracemalloc.TracemallocAllocations"},
    "objects": {
        "hotpath": f"{_HERE}.objects.Objects",
        "pympler": f"{_HERE}.engines.pympler.PymplerObjects",
    },
    "queries": {
        "hotpath": f"{_HERE}.queries.Queries",
        "light": f"{_HERE}.queries_light.LightQueries",
    },
    "usage": {"hotpath": f"{_HERE}.usage.Usage"},
    "cache": {"hotpath": f"{_HERE}.cache.Cache"},
    "templates": {"hotpath": f"{_HERE}.templates.Templates"},
    "http": {"hotpath": f"{_HERE}.http.Http"},
    "middleware": {"hotpath": f"{_HERE}.middleware.Middleware"},
    "gc": {"hotpath": f"{_HERE}.gc.GarbageCollector"},
    "eventloop": {"hotpath": f"{_HERE}.eventloop.EventLoop"},
    "memory": {"hotpath": f"{_HERE}.memory.Memory"},
}

_engines: dict[str, dict[str, str]] = {name: dict(found) for name, found in _BUILTIN.items()}


@dataclass(frozen=True)
class Spec:
    """An instrument that was asked for, by an engine or the best available one, on a target.

    ``optional``: it came with a preset, and is left out, with the reason, where it cannot run.
    """

    name: str
    engine: str | None = None
    target: str | None = None
    optional: bool = field(default=False, compare=False)


def register(path: str) -> None:
    """Adds an instrument, or another engine of a known one, by its class's dotted path.

    Call it from ``AppConfig.ready``. Raises ``ImportError`` or ``TypeError`` at once.
    """
    cls = import_string(path)
    if not (isinstance(cls, type) and issubclass(cls, Instrument)):
        raise TypeError(f"{path} is not an Instrument")
    _engines.setdefault(cls.name, {})[cls.engine] = path


def unregister(path: str) -> None:
    """Takes back a ``register``."""
    for engines in _engines.values():
        for engine, known in list(engines.items()):
            if known == path:
                del engines[engine]
    for name in [name for name, engines in _engines.items() if not engines]:
        del _engines[name]


def names() -> list[str]:
    return list(_engines)


def engines(name: str) -> list[type[Instrument]]:
    """The classes that measure this, best first. Raises ``KeyError``."""
    return [import_string(path) for path in _engines[name].values()]


def engine_names() -> dict[str, str]:
    """Engine name -> instrument name, for engines that a request may name alone.

    One that measures several things does not say which is meant.
    """
    serves = Counter(engine for by_engine in _engines.values() for engine in by_engine)
    return {
        engine: name
        for name, by_engine in _engines.items()
        for engine in by_engine
        if engine != "hotpath" and serves[engine] == 1
    }


def choose(spec: Spec) -> tuple[type[Instrument] | None, str | None]:
    """The class to run for this spec, or None and the reason why there is none.

    Raises ``KeyError`` for an unknown instrument.
    """
    reasons = []
    passed_over: type[Instrument] | None = None
    for cls in engines(spec.name):
        if spec.engine is not None and cls.engine != spec.engine:
            continue
        reason = cls.available()
        if reason is not None:
            reasons.append(f"{spec.name} ({cls.engine}) {reason}")
        elif spec.engine is None and cls.unsuited() is not None:
            passed_over = passed_over or cls
        else:
            return cls, None
    if passed_over is not None:
        return passed_over, None
    return None, "; ".join(reasons) or f"{spec.name} has no engine {spec.engine!r}"
