"""What measuring costs on this machine: how much slower engines make code, and events recorded.

Measured at the first use of each engine, after its capture and in the background, then kept (see
``stored``). Until then the figures are those of our benchmarks, and said to be.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.dispatch import receiver

from django_hotpath.calibration import background, events, measure, stored, typical
from django_hotpath.calibration.background import capture_began, capture_ended
from django_hotpath.conf import settings
from django_hotpath.disturbances import tracers
from django_hotpath.environment import server
from django_hotpath.instruments.base import Instrument
from django_hotpath.instruments.targeted import Targeted

__all__ = ["Slower", "capture_began", "capture_ended", "event_ns", "slower", "want"]


class Slower(NamedTuple):
    """From and to how many times slower code gets; ``measured``: here, not in our benchmarks."""

    low: float
    high: float
    measured: bool


def slower(cls: type[Instrument], target: str | None = None) -> Slower | None:
    """None for an instrument that does not slow code between the events that it records."""
    guess = typical.slower(cls, target)
    if guess is None:
        return None
    found = _known().get(_slower_key(cls, target))
    if isinstance(found, tuple):
        return Slower(*found, measured=True)
    return Slower(*guess, measured=False)


def event_ns(name: str) -> int:
    """What an event costs that the instrument's clock does not see, in nanoseconds."""
    known = events.UNSEEN.get(name)
    if known is None:
        return 0
    found = _known().get(_event_key(name))
    return found if isinstance(found, int) else known.typical_ns


def want(used: Iterable[tuple[type[Instrument], str | None]], *, allowed: bool) -> None:
    """These were used: what is not known of them is measured when there is time.

    ``allowed``: the capture was asked for by somebody who may. With DEBUG on everybody may.
    """
    if not (settings.CALIBRATE and (allowed or django_settings.DEBUG)):
        return
    # In a test run there is never a quiet moment; beside another tracer every ratio is wrong.
    if server() == "test" or tracers():
        return
    background.want([task for cls, target in used for task in _tasks(cls, target)])


def _tasks(cls: type[Instrument], target: str | None) -> Iterable[background.Task]:
    known = _known()
    key = _slower_key(cls, target)
    if key not in known and typical.slower(cls, target) is not None and _is_safe(cls):
        run = functools.partial(_measure_slower, key, cls, _option(cls, target))
        yield background.Task(key, run)
    key = _event_key(cls.name)
    if cls.name in events.UNSEEN and key not in known:
        yield background.Task(key, functools.partial(_measure_event, key, cls.name))


def _is_safe(cls: type[Instrument]) -> bool:
    """vmprof can crash the process: that is a risk to take for a capture, not for this."""
    return cls.engine != "vmprof"


def _measure_slower(
    key: str, cls: type[Instrument], target: str | None, before_run: Callable[[], object]
) -> None:
    _keep(key, measure.slowdown(cls, target, before_run=before_run))


def _measure_event(key: str, name: str, before_run: Callable[[], object]) -> None:
    _keep(key, events.measure(name, before_run=before_run))


def _keep(key: str, figure: stored.Figure) -> None:
    _known()[key] = figure
    stored.save({key: figure})


@functools.cache
def _known() -> dict[str, stored.Figure]:
    return stored.load()


def _option(cls: type[Instrument], target: str | None) -> str | None:
    """The target where it says how to measure, and not what code."""
    return None if issubclass(cls, Targeted) else target


def _slower_key(cls: type[Instrument], target: str | None) -> str:
    return stored.key(cls.name, cls.engine, _option(cls, target))


def _event_key(name: str) -> str:
    return stored.key(name, "event")


@receiver(setting_changed)
def _forget(*, setting: str, **kwargs: object) -> None:
    """Another store, perhaps, and another file."""
    if setting in {"HOTPATH", "BASE_DIR"}:
        _known.cache_clear()
