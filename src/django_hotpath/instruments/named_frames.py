"""Frames that carry the name of what runs in them: a statement, a key, a template, an address.

Whoever looks at frames (the tracers, cProfile, the samplers) sees code objects and nothing of what
they are called with. So the operation is called through a function whose code object is made for
it: every engine shows it where it ran, with what it called below.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

# The layers of analysis/layers.py that are no file's.
KINDS = frozenset({"sql", "cache", "template", "http", "middleware"})

MAX_TEXT = 300
# Names of a capture and kind: each is a code object, and a row of the function table.
MAX_NAMES = 2_000
_MAX_KEPT = 4_000

_PREFIX = "<hotpath:"

# Calls its first argument with the others; a coroutine function's has to be awaited.
Runner = Callable[..., Any]


def kind_of_file(filename: str) -> str | None:
    """What a frame of this file stands for: one of ``KINDS``; None for one of any other file."""
    if not filename.startswith(_PREFIX):
        return None
    kind = filename[len(_PREFIX) : -1]
    return kind if kind in KINDS else None


def named(kind: str, text: str) -> Runner:
    """``run(function, *args, **kwargs)`` calls the function in a frame of this kind and name.

    The name is cut to 300 characters; what cannot be encoded in it is escaped.
    """
    return _made(kind, _clean(text), False)


def anamed(kind: str, text: str) -> Runner:
    """``named`` for a coroutine function: ``await run(function, *args, **kwargs)``."""
    return _made(kind, _clean(text), True)


class Names:
    """The named frames of one kind in a capture: the first 2,000, then one for all the others."""

    __slots__ = ("_known", "_make", "kind", "others")

    def __init__(self, kind: str, others: str, *, is_async: bool = False) -> None:
        self.kind, self.others = kind, others
        self._make = anamed if is_async else named
        self._known: dict[Hashable, Runner] = {}

    def get(self, key: Hashable, text: Callable[[Any], str]) -> Runner:
        """The runner for a key, named by ``text(key)`` where it is new."""
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MAX_NAMES:
                return self._make(self.kind, self.others)
            found = self._known[key] = self._make(self.kind, text(key))
        return found


def _run(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    # Django's error page and other readers of tracebacks leave such a frame out.
    __traceback_hide__ = True
    return function(*args, **kwargs)


async def _arun(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    __traceback_hide__ = True
    return await function(*args, **kwargs)


# Shared by captures: the same page has the same names again.
@lru_cache(maxsize=_MAX_KEPT)
def _made(kind: str, text: str, is_async: bool) -> Runner:
    code: CodeType = (_arun if is_async else _run).__code__
    # The short name is what tracebacks show; one first line makes both sorts one function.
    code = code.replace(
        co_filename=f"{_PREFIX}{kind}>",
        co_name=f"hotpath_{kind}",
        co_qualname=text,
        co_firstlineno=1,
    )
    return FunctionType(code, globals(), code.co_name)


def _clean(text: str) -> str:
    text = text[:MAX_TEXT].encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\0", "\\x00") or "(no name)"
