"""A capture in other tools' formats, one file a format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from django_hotpath.capture import Capture


class ExportError(ValueError):
    """This capture cannot be written in this format; the text says why."""


@dataclass(frozen=True)
class Format:
    name: str
    content_type: str
    suffix: str
    export: Callable[[Capture], bytes]


_MODULES = ("json", "text", "pstats")


def names() -> tuple[str, ...]:
    return _MODULES


def get(name: str) -> Format:
    """Raises ``KeyError`` for an unknown format."""
    if name not in _MODULES:
        raise KeyError(name)
    module = import_module(f"django_hotpath.exporters.{name}")
    return Format(
        name=name,
        content_type=module.CONTENT_TYPE,
        suffix=module.SUFFIX,
        export=module.export,
    )
