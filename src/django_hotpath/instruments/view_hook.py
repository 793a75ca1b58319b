"""Tells the instruments of a request which view is about to run.

Django resolves the URL behind every middleware, and any of them may change the path or the URL
configuration before: only its handler knows the view. The handler passes each view through one
method on its way to be called, which is replaced while somebody listens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.handlers.base import BaseHandler

from django_hotpath.instruments.base import current
from django_hotpath.instruments.patching import SharedPatch, Stay, Wrap

logger = logging.getLogger("hotpath")

View = Callable[..., Any]


def _wrap(original: Callable[..., Any], stay: Stay) -> Callable[..., Any]:
    def make_view_atomic(handler: BaseHandler, view: View) -> Any:
        made = original(handler, view)
        return made if stay.over else _announce(made)

    return make_view_atomic


def _announce(view: View) -> View:
    """What is to be called in the view's place: the view itself, unless an instrument has to be
    around it."""
    active = current.get()
    while active is not None:
        for instrument in list(active.values()):
            try:
                view = instrument.on_view(view)
            except Exception as error:
                logger.exception("%s cannot measure the view", instrument.name)
                instrument.warnings.append(f"{instrument.name}: the view is not measured: {error}")
        active = active.parent
    return view


def _targets() -> list[tuple[type, str, Wrap]]:
    return [(BaseHandler, "make_view_atomic", _wrap)]


view_hook = SharedPatch(_targets)
