"""Whether code reads instances by their dict, which no descriptor sees.

A guess from the names in the code: of the project's functions that are nearest to the query, and
of those that they call by name. Rows rarely get further.
"""

from __future__ import annotations

from types import CodeType, FrameType, FunctionType
from typing import Any

from django_hotpath.callsite import PROJECT, is_boundary, kind_of

_NAMES = frozenset(["__dict__", "vars"])
_MAX_KNOWN = 10_000
_NEAREST, _WITH_HELPERS = 3, 2

# The code is kept, so that its id is no other's.
_known: dict[int, tuple[CodeType, bool, bool]] = {}


def reads_dicts(frame: FrameType | None) -> bool:
    """``frame`` is the one that runs the query, or within it."""
    seen = 0
    while frame is not None and seen < _NEAREST and not is_boundary(frame.f_code):
        if kind_of(frame.f_code) == PROJECT:
            own, helpers = _does(frame.f_code, frame.f_globals)
            if own or (helpers and seen < _WITH_HELPERS):
                return True
            seen += 1
        frame = frame.f_back
    return False


def _does(code: CodeType, names: dict[str, Any]) -> tuple[bool, bool]:
    """Whether it does itself, and whether a function that it names does."""
    known = _known.get(id(code))
    if known is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        known = _known[id(code)] = (code, _names_it(code), _calls_it(code, names))
    return known[1], known[2]


def _names_it(code: CodeType) -> bool:
    if not _NAMES.isdisjoint(code.co_names):
        return True
    return any(_names_it(inner) for inner in code.co_consts if isinstance(inner, CodeType))


def _calls_it(code: CodeType, names: dict[str, Any]) -> bool:
    """One step further: most helpers are functions that are called by their name."""
    called = (names.get(name) for name in _all_names(code))
    return any(isinstance(found, FunctionType) and _names_it(found.__code__) for found in called)


def _all_names(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= _all_names(inner)
    return found
