"""Whether code reads instances by their dict, which no descriptor sees.

A guess from the names in the code: of the project's functions on the stack, and of what they name.
"""

from __future__ import annotations

from types import CodeType, FrameType, FunctionType
from typing import Any

from django_hotpath.callsite import PROJECT, is_boundary, kind_of

_NAMES = frozenset(["__dict__", "vars"])
_MAX_KNOWN = 10_000

# The code is kept, so that its id is no other's.
_known: dict[int, tuple[CodeType, bool]] = {}


def reads_dicts(frame: FrameType | None) -> bool:
    while frame is not None:
        code = frame.f_code
        if kind_of(code) == PROJECT and _does(code, frame.f_globals):
            return True
        if is_boundary(code):
            return False
        frame = frame.f_back
    return False


def _does(code: CodeType, names: dict[str, Any]) -> bool:
    known = _known.get(id(code))
    if known is None:
        if len(_known) >= _MAX_KNOWN:
            _known.clear()
        known = _known[id(code)] = (code, _names_it(code) or _calls_it(code, names))
    return known[1]


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
