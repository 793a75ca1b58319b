"""The instruments by name, each with its engines, best first."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.module_loading import import_string

from django_hotpath.instruments.base import Instrument

_HERE = "django_hotpath.instruments"

_BUILTIN = {
    "calls": {"cprofile": f"{_HERE}.engines.cprofile.CProfileCalls"},
    "allocations": {"tracemalloc": f"{_HERE}.engines.tracemalloc.TracemallocAllocations"},
    "queries": {"hotpath": f"{_HERE}.queries.Queries"},
    "cache": {"hotpath": f"{_HERE}.cache.Cache"},
    "templates": {"hotpath": f"{_HERE}.templates.Templates"},
    "gc": {"hotpath": f"{_HERE}.gc.GarbageCollector"},
    "memory": {"hotpath": f"{_HERE}.memory.Memory"},
}

_engines: dict[str, dict[str, str]] = {name: dict(found) for name, found in _BUILTIN.items()}


@dataclass(frozen=True)
class Spec:
    """An instrument that was asked for, by an engine or the best available one, on a target."""

    name: str
    engine: str | None = None
    target: str | None = None


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
    """Engine name -> instrument name, for engines that a request may name alone."""
    return {
        engine: name
        for name, by_engine in _engines.items()
        for engine in by_engine
        if engine != "hotpath"
    }


def choose(spec: Spec) -> tuple[type[Instrument] | None, str | None]:
    """The class to run for this spec, or None and the reason why there is none.

    Raises ``KeyError`` for an unknown instrument.
    """
    reasons = []
    for cls in engines(spec.name):
        if spec.engine is not None and cls.engine != spec.engine:
            continue
        reason = cls.available()
        if reason is None:
            return cls, None
        reasons.append(f"{spec.name} ({cls.engine}) {reason}")
    return None, "; ".join(reasons) or f"{spec.name} has no engine {spec.engine!r}"
