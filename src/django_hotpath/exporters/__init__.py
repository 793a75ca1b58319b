"""A capture in other tools' formats, one file a format.

A format's module has ``CONTENT_TYPE``, ``SUFFIX``, ``LABEL``, ``HINT`` (what reads it), maybe
``SHOWN`` (a browser shows it, rather than saving it), and ``export(capture) -> bytes``, which
raises ``ExportError`` where the capture cannot be written without saying something false;
``refusal(capture)`` says the same beforehand, quickly. Modules with an underscore are what several
formats share.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from django_hotpath.capture import Capture


class ExportError(ValueError):
    """This capture cannot be written in this format; the text says why."""


@dataclass(frozen=True)
class Format:
    """One way to write a capture; ``refusal`` gives the reason where it cannot be had so."""

    name: str
    label: str
    hint: str
    content_type: str
    suffix: str
    shown: bool
    refusal: Callable[[Capture], str | None]
    export: Callable[[Capture], bytes]

    def file_name(self, capture: Capture) -> str:
        """ASCII letters, digits, dots and dashes only: safe in a header and on a disk."""
        words = re.sub(r"[^a-z0-9]+", "-", capture.label.lower()).strip("-")
        ending = re.sub(r"[^0-9A-Z]", "", capture.id)[:26]
        return f"{words[:60].rstrip('-') or 'capture'}-{ending}.{self.suffix}"


# In the order in which they are offered.
_MODULES = (
    *("report", "markdown", "text", "json"),
    *("speedscope", "firefox", "chrome", "pprof", "callgrind", "collapsed", "pstats", "csv"),
)


def names() -> tuple[str, ...]:
    return _MODULES


def get(name: str) -> Format:
    """Raises ``KeyError`` for an unknown format."""
    if name not in _MODULES:
        raise KeyError(name)
    module = import_module(f"django_hotpath.exporters.{name}")
    return Format(
        name=name,
        label=module.LABEL,
        hint=module.HINT,
        content_type=module.CONTENT_TYPE,
        suffix=module.SUFFIX,
        shown=getattr(module, "SHOWN", False),
        refusal=getattr(module, "refusal", _never),
        export=module.export,
    )


def _never(capture: Capture) -> None:
    return None
