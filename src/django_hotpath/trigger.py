"""Which requests are captured, and with which instruments.

``?profile=`` (or the header ``Hotpath-Profile``) takes ``1``, a preset, a comma list of
instruments or engines, an instrument with a target, or ``help``; ``?profile_as=`` a format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from django.http import HttpRequest

from django_hotpath.conf import nearest, settings
from django_hotpath.instruments import registry
from django_hotpath.instruments.registry import Spec

HEADER = "HTTP_HOTPATH_PROFILE"
_MAX_LENGTH = 500


class TriggerError(ValueError):
    """The request asks for something that cannot be had; ``problems`` say what and why."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Ask:
    """What a request asks for, as text.

    ``profile`` is None when only an asset is asked for.
    """

    profile: str | None
    output: str | None
    asset: str | None


def parameters() -> tuple[str, str, str]:
    """The query parameters that are ours."""
    name = settings.PARAMETER
    return name, f"{name}_as", f"{name}_asset"


def read(request: HttpRequest) -> Ask | None:
    """What the request asks for; None when nothing, whatever else it says."""
    name, output, asset = parameters()
    given: dict[str, str] = {}
    query_string = request.META.get("QUERY_STRING", "")
    if name in query_string:
        for key, value in parse_qsl(query_string, keep_blank_values=True):
            if key in (name, output, asset):
                given.setdefault(key, value)
    profile = given.get(name, request.META.get(HEADER))
    if profile is None and asset not in given:
        return None
    return Ask(profile=profile, output=given.get(output), asset=given.get(asset))


def strip(request: HttpRequest) -> None:
    """Takes what is ours out of the request, before anything else reads it."""
    meta = request.META
    meta.pop(HEADER, None)
    query_string = strip_query_string(meta.get("QUERY_STRING", ""))
    meta["QUERY_STRING"] = query_string
    for name in ("REQUEST_URI", "RAW_URI"):
        # As some servers hand over the request line.
        if isinstance(meta.get(name), str):
            path, mark, rest = meta[name].partition("?")
            rest = strip_query_string(rest)
            meta[name] = f"{path}{mark}{rest}" if rest else path
    scope = getattr(request, "scope", None)
    if scope is not None:
        request.scope = _stripped_scope(scope, query_string)  # type: ignore[attr-defined]
    for cached in ("GET", "headers"):
        request.__dict__.pop(cached, None)


def _stripped_scope(scope: Mapping[str, Any], query_string: str) -> dict[str, Any]:
    given = scope.get("query_string", b"")
    return {
        **scope,
        # Bytes from a server, text from Django's test client.
        "query_string": query_string
        if isinstance(given, str)
        else query_string.encode("latin-1", "replace"),
        "headers": [
            (name, value)
            for name, value in scope.get("headers", ())
            if name.lower() != b"hotpath-profile"
        ],
    }


def strip_query_string(text: str) -> str:
    """The text without our parameters, everything else to the letter."""
    ours = parameters()
    return "&".join(
        part for part in text.split("&") if unquote_plus(part.partition("=")[0]) not in ours
    )


def parse(text: str) -> tuple[Spec, ...]:
    """The instruments that ``?profile=<text>`` asks for, none twice.

    A word that stands alone is a preset before it is an instrument (``memory``); in a list it is
    the other way round. Raises ``TriggerError`` for unknown names, targets that cannot be measured
    and engines that are missing.
    """
    if len(text) > _MAX_LENGTH:
        raise TriggerError([f"the text is longer than {_MAX_LENGTH} characters"])
    preset = settings.PRESETS.get(text.strip())
    return select(text.split(",")) if preset is None else select(preset, optional=preset[1:])


def select(words: Sequence[str], optional: Sequence[str] = ()) -> tuple[Spec, ...]:
    """The instruments that a list of names asks for, none twice; raises as ``parse`` does.

    ``optional`` names may be of instruments that cannot run here.
    """
    problems: list[str] = []
    specs: dict[str, Spec] = {}
    for word in words:
        try:
            for spec in _expand(word.strip(), optional=word in optional):
                known = specs.get(spec.name, spec)
                if known.engine and spec.engine and known.engine != spec.engine:
                    problems.append(f"{spec.name} is asked for twice, by different engines")
                specs[spec.name] = _both(known, spec)
        except TriggerError as error:
            problems += error.problems
    for spec in specs.values():
        problems += _unusable(spec)
    if problems:
        raise TriggerError(problems)
    return tuple(specs.values())


def _both(known: Spec, spec: Spec) -> Spec:
    targets = dict.fromkeys(target for target in (known.target, spec.target) if target)
    return Spec(
        known.name,
        known.engine or spec.engine,
        "+".join(targets) or None,
        optional=known.optional and spec.optional,
    )


def _expand(word: str, *, optional: bool = False) -> list[Spec]:
    name, colon, target = word.partition(":")
    if colon:
        if not target:
            raise TriggerError([f"{word!r} has a colon but no target"])
        spec = _resolve(name)
        return [Spec(spec.name, spec.engine, target)]
    if name in {"", "1"}:
        return [_resolve(known) for known in settings.INSTRUMENTS]
    if name in settings.PRESETS and name not in registry.names():
        first, *others = settings.PRESETS[name] or [name]
        return [_resolve(first), *(replace(_resolve(other), optional=True) for other in others)]
    return [replace(_resolve(name), optional=optional)]


def _resolve(name: str) -> Spec:
    if name in registry.names():
        return Spec(name)
    engines = registry.engine_names()
    if name in engines:
        return Spec(engines[name], name)
    known = [*registry.names(), *engines, *settings.PRESETS]
    near = nearest(name, known)
    hint = f", did you mean {near}?" if near else ""
    raise TriggerError([f"there is no instrument, engine or preset {name!r}{hint}"])


def _unusable(spec: Spec) -> list[str]:
    cls, reason = registry.choose(spec)
    if cls is None and spec.optional:
        return []
    if cls is None:
        return [reason or f"{spec.name} is not available"]
    if spec.target is None:
        return []
    if not cls.takes_target:
        return [f"{spec.name} takes no target: write {spec.name}"]
    problem = cls.check_target(spec.target)
    return [problem] if problem else []
