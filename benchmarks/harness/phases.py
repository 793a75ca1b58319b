"""Where hotpath's own time goes around a view: its steps, timed from outside."""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib import import_module
from typing import Any

from harness.clock import now

# Phase: (module, owner in it or "", name). They run one after the other, never nested.
STEPS = {
    "starting": ("django_hotpath.profiled_request", "ProfiledRequest", "start"),
    "stopping": ("django_hotpath.profiled_request", "ProfiledRequest", "stop"),
    "building": ("django_hotpath.recorder", "Recorder", "capture"),
    "storing": ("django_hotpath.deferred", "", "save"),
    "rendering": ("django_hotpath.profiled_request", "", "report_page"),
}


# Before the name of a step: it ran once the last byte had left.
LATER = "later "


class Phases:
    """Seconds a phase in the last request. A step that was renamed is an ``AttributeError``."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STEPS, 0.0)
        for phase, (module, owner, name) in STEPS.items():
            found = import_module(module)
            self._wrap(phase, getattr(found, owner) if owner else found, name)

    def take(self) -> dict[str, float]:
        taken, self.seconds = self.seconds, dict.fromkeys(STEPS, 0.0)
        return taken

    def _wrap(self, phase: str, owner: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(original)
        def timed(*args: Any, **kwargs: Any) -> Any:
            began = now()
            try:
                return original(*args, **kwargs)
            finally:
                self.seconds[phase] += now() - began

        setattr(owner, name, timed)
