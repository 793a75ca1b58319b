"""From a running stack to the line of the user's code or template.

Looking at a frame costs a dict lookup by ``id(code)``; everything that needs text happens once
for each code object, or after the work is done.
"""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import django
from django.conf import settings as django_settings
from django.core.handlers.base import BaseHandler
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.template.base import Node

from django_hotpath import asyncstack, ormroles
from django_hotpath.conf import settings
from django_hotpath.instruments.named_frames import kind_of_file
from django_hotpath.stacks import ANY_DEPTH, pass_over

# What a frame is to us.
# ORM_OWN is what makes querysets of its own accord: a prefetch, a descriptor.
SKIP, PROJECT, TEMPLATE, LIBRARY, BOUNDARY, HANDOVER, ORM, ORM_OWN, HANDLER = range(9)
_NOTHING = 1 << SKIP
_ORM = 1 << ORM | 1 << ORM_OWN

# Packages that measure: their time is shown as "profiling tools", never as the user's.
TOOLS = frozenset(
    {
        "django_hotpath",
        "coverage",
        "debug_toolbar",
        "line_profiler",
        "memory_profiler",
        "pyinstrument",
        "silk",
        "vmprof",
    }
)

_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_DJANGO = os.path.dirname(os.path.abspath(django.__file__)) + os.sep
_STDLIB = tuple(
    {
        os.path.abspath(path) + os.sep
        for path in (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    }
)
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")

# Codes are kept so that an id is never given to another code object while it is a key here.
_kinds: dict[int, int] = {}
_kept: list[CodeType] = []
_MAX_CODES = 50_000

_boundaries: set[CodeType] = set()

# Whoever calls the view: middleware around it is on every stack of the request, and tells nothing.
_HANDLERS = frozenset(
    [
        BaseHandler._get_response.__code__,  # type: ignore[attr-defined]
        BaseHandler._get_response_async.__code__,  # type: ignore[attr-defined]
    ]
)


# Code, line, and the offset of the instruction, which tells two calls on one line apart.
Frame = tuple[CodeType, int, int]


class Walk(NamedTuple):
    """A stack as the hot path keeps it, innermost first.

    ``frames``: the project's frames; ``template``: (template, line) of the innermost template
    node of the project; ``fallback``: the innermost frame outside Django's database layer;
    ``direct``: whether the project's own code called that layer; ``in_template``: whether the
    template's node lies inside all frames of the project.
    """

    frames: tuple[Frame, ...]
    template: tuple[Any, int] | None
    fallback: Frame | None
    direct: bool = False
    in_template: bool = False


class Where(NamedTuple):
    """A source file: its path as captures show it, its kind and its top-level package."""

    file: str
    kind: str
    package: str


def boundary(code: CodeType) -> None:
    """Frames of this code, and those outside them, belong to nobody's call site."""
    _boundaries.add(code)


def is_boundary(code: CodeType) -> bool:
    kind = _kinds.get(id(code))
    if kind is None:
        kind = _classify(code)
    return kind == BOUNDARY


def kinds() -> dict[int, int]:
    """What is known of code objects by their id; for loops that cannot afford a call for each."""
    return _kinds


def kind_of(code: CodeType) -> int:
    kind = _kinds.get(id(code))
    return _classify(code) if kind is None else kind


def walk(frame: FrameType | None, orm: list[FrameType] | None = None) -> Walk:
    """The stack from ``frame`` outward.

    ``orm`` takes the frames of Django's ORM that lie before any other code's, innermost first.
    """
    kinds = _kinds
    passed = _NOTHING if orm is not None else _NOTHING | _ORM
    direct = in_template = False
    frames: list[Frame] = []
    template: tuple[Any, int] | None = None
    fallback: Frame | None = None
    while (frame := pass_over(frame, kinds, passed, ANY_DEPTH)) is not None:
        code = frame.f_code
        kind = kinds.get(id(code))
        if kind is None:
            # Told and looked at again.
            _classify(code)
            continue
        if kind in (ORM, ORM_OWN):
            if orm is not None:
                orm.append(frame)
            frame = frame.f_back
            continue
        if kind == PROJECT:
            direct = direct or (fallback is None and template is None)
            frames.append((code, frame.f_lineno, frame.f_lasti))
        elif kind == LIBRARY:
            if fallback is None:
                fallback = (code, frame.f_lineno, frame.f_lasti)
            passed |= 1 << LIBRARY
        elif kind == TEMPLATE:
            if template is None:
                template = _template_line(frame)
                in_template = template is not None and not frames
            if template is not None:
                passed |= 1 << TEMPLATE
        else:
            if kind == HANDOVER and not frames:
                frames, fallback = _awaiting(frame, fallback)
            break
        # Frames of the ORM that lie further out are about something else.
        orm = None
        passed |= _ORM
        frame = frame.f_back
    return Walk(tuple(frames), template, fallback, direct, in_template)


def _awaiting(handover: FrameType, fallback: Frame | None) -> tuple[list[Frame], Frame | None]:
    """What ``walk`` looks for, in the coroutine that waits for this thread."""
    frames = []
    for frame in asyncstack.waiting_frames(handover):
        code = frame.f_code
        kind = kind_of(code)
        if kind == PROJECT:
            frames.append((code, frame.f_lineno, frame.f_lasti))
        elif kind == LIBRARY and fallback is None:
            fallback = (code, frame.f_lineno, frame.f_lasti)
    return frames, fallback


def _template_line(frame: FrameType) -> tuple[Any, int] | None:
    node = frame.f_locals.get("self")
    token = getattr(node, "token", None)
    origin = getattr(node, "origin", None)
    if token is None or origin is None or not _is_theirs(str(getattr(origin, "name", ""))):
        return None
    return origin, token.lineno or 0


@functools.lru_cache(maxsize=4096)
def _is_theirs(template: str) -> bool:
    """Whether a template is the project's: the admin's, say, is nobody's line to change."""
    return not os.path.isabs(template) or locate(template).kind == "project"


def _classify(code: CodeType) -> int:
    if len(_kept) >= _MAX_CODES:
        _forget()
    kind = _kind_of(code)
    _kept.append(code)
    _kinds[id(code)] = kind
    return kind


def _kind_of(code: CodeType) -> int:
    if code in _boundaries:
        return BOUNDARY
    if code is asyncstack.HANDOVER:
        return HANDOVER
    if code in _HANDLERS:
        return HANDLER
    if code is Node.render_annotated.__code__:
        return TEMPLATE
    where = locate(code.co_filename)
    if where.kind == "project":
        return PROJECT
    if where.kind == "library":
        # asgiref only carries work from one thread to another.
        return SKIP if where.package == "asgiref" else LIBRARY
    if where.kind == "django":
        role = ormroles.role(code)
        if role is not None:
            return ORM_OWN if role[0] in (ormroles.PREFETCH, ormroles.DESCRIPTOR) else ORM
        path = os.path.abspath(code.co_filename)
        database = path.startswith(os.path.join(_DJANGO, "db") + os.sep)
        return SKIP if database or ormroles.is_of_content_types(path) else LIBRARY
    return SKIP


@functools.cache
def project_roots() -> tuple[str, ...]:
    """The folders that hold the user's own code, with a trailing separator.

    ``HOTPATH["PROJECT_ROOTS"]``, or ``BASE_DIR``, or the folder above the settings package.
    """
    roots = [str(root) for root in settings.PROJECT_ROOTS] or [str(base_dir())]
    # Under their own name and under the one that links lead to: sys.path may hold either.
    found = [path(root) for root in roots for path in (os.path.abspath, os.path.realpath)]
    return tuple(dict.fromkeys(root.rstrip(os.sep) + os.sep for root in found))


def base_dir() -> Path:
    """Where ``manage.py`` lies, as well as can be told."""
    configured = getattr(django_settings, "BASE_DIR", None)
    if configured:
        return Path(configured)
    module_name = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    module = sys.modules.get(module_name)
    source = getattr(module, "__file__", None)
    if source:
        return Path(source).resolve().parents[module_name.count(".")]
    return Path.cwd()


@functools.lru_cache(maxsize=20_000)
def locate(filename: str) -> Where:
    """Which file a code object comes from: "project", "django", "library", "stdlib" or "hotpath".

    A named frame has no file; its kind is what it stands for (``instruments/named_frames.py``).
    The path is relative to the project where it lies in it, with forward slashes.
    """
    if filename.startswith("<"):
        named = kind_of_file(filename)
        if named is not None:
            return Where("", named, "")
        kind = "stdlib" if filename.startswith("<frozen") else "library"
        return Where(filename, kind, filename)
    try:
        path = os.path.abspath(filename)
    except OSError:
        # The working directory is gone, and the name is relative to it.
        return Where(filename, "library", os.path.basename(filename).removesuffix(".py"))
    if path.startswith(_HERE):
        return Where(path, "hotpath", "django_hotpath")
    if path.startswith(_DJANGO):
        return Where(path, "django", "django")
    root = next((root for root in project_roots() if path.startswith(root)), None)
    inside = path[len(root) - 1 :] if root is not None else path
    for marker in _INSTALLED:
        _before, found, after = inside.rpartition(marker)
        if found:
            package = after.split(os.sep)[0].removesuffix(".py")
            kind = "hotpath" if package in TOOLS else "library"
            return Where(path, kind, package)
    if path.startswith(_STDLIB):
        relative = next(path[len(root) :] for root in _STDLIB if path.startswith(root))
        return Where(path, "stdlib", relative.split(os.sep)[0].removesuffix(".py"))
    if root is not None:
        relative = path[len(root) :].replace(os.sep, "/")
        return Where(relative, "project", relative.split("/")[0].removesuffix(".py"))
    return Where(path, "library", os.path.basename(path).removesuffix(".py"))


def template_path(origin: Any) -> str:
    """A template's file as captures show it; its name where it has no file."""
    name = str(getattr(origin, "name", "") or "")
    if name and os.path.isabs(name):
        return locate(name).file
    return str(getattr(origin, "template_name", None) or name or "<unknown source>")


def call_site(found: Walk) -> dict[str, Any] | None:
    """The call site of a walk, in the shape of ``docs/reference/capture.md``."""
    innermost = found.frames[0] if found.frames else found.fallback
    if innermost is None:
        return None
    code, line, _offset = innermost
    site: dict[str, Any] = {
        "file": locate(code.co_filename).file,
        "line": line,
        "function": code.co_qualname,
    }
    if found.template is not None and found.in_template:
        origin, template_line = found.template
        site["template"] = template_path(origin)
        site["template_line"] = template_line
    return site


def _forget() -> None:
    _kinds.clear()
    _kept.clear()


@receiver(setting_changed)
def _reset(*, setting: str, **kwargs: Any) -> None:
    if setting in {"HOTPATH", "BASE_DIR"}:
        project_roots.cache_clear()
        locate.cache_clear()
        _is_theirs.cache_clear()
        _forget()
