"""What disturbed the figures of a panel: other panels that were on, and what the recorder saw."""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from django_hotpath.capture import Capture

_SLOWED = _(
    "Allocations was on too: its tracing makes Python code take several times as long, and that is "
    "in these times."
)
_CALLS = _(
    "Calls was on too: each call of a Python function takes a little longer, so code that makes "
    "many of them looks slower than it is."
)

# By what a panel shows: what else was measured, and what that does to it.
_BESIDE: Mapping[str, Mapping[str, Promise]] = {
    "samples": {
        "allocations": _SLOWED,
        "line_memory": _(
            "Line memory was on too: reading the memory at each line is in these times."
        ),
        "lines": _("Lines was on too: the lines of the view are slower for it, in samples too."),
        "calls": _CALLS,
    },
    "lines": {
        "allocations": _SLOWED,
        "line_memory": _(
            "Line memory was on too: reading the memory at each line is in these times."
        ),
        "calls": _CALLS,
    },
    "line_memory": {
        "allocations": _(
            "Allocations was on too: what it notes of each block is memory of the process as well."
        ),
    },
}
_INSTRUMENTS = frozenset({"calls", "samples", "lines", "line_memory", "allocations", "objects"})


def companions(capture: Capture, shows: str) -> list[Promise]:
    """What other panels did to the figures of the instrument ``shows``; to be told at once."""
    beside = _BESIDE.get(shows, {})
    return [text for name, text in beside.items() if name in capture.instruments]


def disturbances(capture: Capture, shows: str) -> list[str]:
    """The recorder's warnings, without those that are only about other instruments."""
    kept = []
    for text in capture.environment.warnings:
        named = _INSTRUMENTS & set(re.findall(r"\w+", text))
        if shows in named or not named:
            kept.append(text)
    return kept


def notes(capture: Capture, shows: str) -> dict[str, list[Promise] | list[str]]:
    """Values for ``panels/_notes.html``."""
    return {
        "companions": companions(capture, shows),
        "disturbances": disturbances(capture, shows),
    }
