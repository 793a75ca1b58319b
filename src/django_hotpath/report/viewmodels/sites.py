"""Call sites and frames as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django_hotpath.analysis.paths import short_path
from django_hotpath.capture import CallSite


@dataclass(frozen=True, kw_only=True)
class Site:
    """A line of code, and the line of the template that was being rendered."""

    place: str
    full: str
    function: str
    template: str
    file: str = ""
    line: int = 0


def site(source: Mapping[str, Any] | CallSite | None) -> Site | None:
    if not source:
        return None
    if isinstance(source, CallSite):
        file, line, function = source.file, source.line, source.function
        template, template_line = source.template, source.template_line
    else:
        file, line = str(source.get("file", "")), source.get("line") or 0
        function = str(source.get("function") or "")
        template, template_line = source.get("template"), source.get("template_line")
    return Site(
        place=f"{short_path(file)}:{line}",
        full=f"{file}:{line}",
        function=function,
        template=f"{template}:{template_line}" if template and template_line else template or "",
        file=file,
        line=line,
    )


def site_key(source: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells call sites apart; without its last entry, the function, what tells lines apart."""
    get = source.get
    return get("file"), get("line"), get("template"), get("template_line"), get("function")


def frame(source: Mapping[str, Any]) -> Site:
    """A frame of ``instruments.queries.frames``; a template node's line is the template's."""
    file, line = str(source.get("file", "")), source.get("line") or 0
    template = source.get("template")
    return Site(
        place=f"{template}:{line}" if template else f"{short_path(file)}:{line}",
        full=f"{file}:{line}",
        function=str(source.get("function") or ""),
        template="template" if template else "",
        file=file,
        line=line,
    )
