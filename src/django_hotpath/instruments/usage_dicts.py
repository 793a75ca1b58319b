"""Whether code reads instances by their dict, which no descriptor sees.

A guess from the names in the code: of the project's functions that are nearest to the query, and
of those that they call by name. Rows rarely get further.
"""

from __future__ import annotations

from types import CodeType, FrameType, FunctionType
from typing import Any

from django_hotpath.callsite import Walk

_NAMES = frozenset(["__dict__", "vars"])
_MAX_KNOWN = 10_000
_NEAREST, _WITH_HELPERS = 3, 2

# The code is kept, so that its id is no other's.
_known: dict[int, tuple[CodeType, bool, bool]] = {}


def reads_dicts(found: Walk, frame: FrameType | None) -> bool:
    """``frame`` is the one that the walk began at."""
    for number, (code, _line, _offset) in enumerate(found.frames[:_NEAREST]):
        known = _known.get(id(code))
        if known is None:
            known = _look(code, frame)
        if known[1] or (known[2] and number < _WITH_HELPERS):
            return True
    return False


def _look(code: CodeType, frame: FrameType | None) -> tuple[CodeType, bool, bool]:
    """The code, whether it does itself, and whether a function that it names does."""
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back
    # That of a coroutine which waits for this thread is not on the stack.
    helped = frame is not None and _calls_it(code, frame.f_globals)
    if len(_known) >= _MAX_KNOWN:
        _known.clear()
    found = _known[id(code)] = (code, _names_it(code), helped)
    return found


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
