"""Steps on the stack that are taken for every queryset and every statement.

In C where the extension is built (``_stacks.c``), else in Python with the same answers.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType, ModuleType
from typing import Any

# As far out as any stack goes.
ANY_DEPTH = 1 << 30


def _load() -> ModuleType | None:
    if getattr(sys, "_is_gil_enabled", None) is not None and sys._is_gil_enabled() is False:
        # Importing it would switch the lock on for the whole process.
        return None
    try:
        return importlib.import_module("django_hotpath._stacks")
    except ImportError:
        return None


def pass_over_in_python(
    frame: FrameType | None, kinds: dict[int, int], passed: int, limit: int
) -> FrameType | None:
    """This frame or the nearest one around it that is not to be passed over.

    ``passed`` has a bit for each kind to pass over; code that ``kinds`` does not know is not passed
    over. None where the stack ends, or ``limit`` frames were passed over.
    """
    while frame is not None and limit > 0:
        kind = kinds.get(id(frame.f_code))
        if kind is None or not passed >> kind & 1:
            return frame
        frame = frame.f_back
        limit -= 1
    return None


def init_in_python(
    original: Callable[..., None],
    current: ContextVar[Any],
    note: Callable[[Any, Any, FrameType], None],
    *_quicker: Any,
) -> Callable[..., None]:
    """What takes the place of ``QuerySet.__init__`` while queries are recorded.

    Calls ``note`` with the instrument's ``orm``, the queryset and the frame that made it, but not
    where Django makes it with an instance in mind: it reads one row for a descriptor. Then the
    hints are kept in the table, since its clones share them.

    What comes after ``note`` lets the one in C do by itself what ``note`` would do in most cases:
    the kinds of code, those to pass over, how many frames at most, the kind that is the project's,
    and which of its code is a step of a chain.
    """

    # With its parameters by name: this runs several times for each query of the ORM.
    def __init__(
        self: Any, model: Any = None, query: Any = None, using: Any = None, hints: Any = None
    ) -> None:
        original(self, model, query, using, hints)
        active = current.get()
        if active is None:
            return
        orm = getattr(active.get("queries"), "orm", None)
        if orm is None:
            return
        made = orm.made
        if hints and (query is None or hints is made.hinted):
            made.hinted = hints
            made.pop(id(self), None)
        else:
            note(orm, self, sys._getframe(1))

    return __init__


_native = _load()
pass_over: Callable[[FrameType | None, dict[int, int], int, int], FrameType | None] = (
    pass_over_in_python if _native is None else _native.pass_over
)
init: Callable[..., Callable[..., None]] = init_in_python if _native is None else _native.Init
