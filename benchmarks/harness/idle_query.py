"""What the execute wrapper adds to a statement that nobody records."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import Any

from django.db import connection
from library.middleware import pass_on

from harness.clock import now
from harness.idle_subjects import (
    HOTPATH_COUNTING,
    HOTPATH_WRAPPER,
    NO_WRAPPER,
    PASS_ON,
    WRAPPER_CONTROL,
)

CALLS = 200


def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds a ``SELECT 1`` through Django's cursor, round by round."""
    subjects = _subjects()
    found: dict[str, list[float]] = {label: [] for label in subjects}
    order = list(subjects)
    own = connection.execute_wrappers
    for _ in range(rounds):
        order.append(order.pop(0))
        for label in order:
            wrappers, around = subjects[label]
            connection.execute_wrappers = wrappers
            try:
                with around():
                    found[label].append(_batch() / CALLS)
            finally:
                connection.execute_wrappers = own
    return found


def _batch() -> float:
    with connection.cursor() as cursor:
        execute = cursor.execute
        for _ in range(5):
            execute("SELECT 1")
        gc.disable()
        began = now()
        for _ in range(CALLS):
            execute("SELECT 1")
        seconds = now() - began
        gc.enable()
    return seconds


def _subjects() -> dict[str, tuple[list[Any], Callable[[], AbstractContextManager[None]]]]:
    found: dict[str, tuple[list[Any], Callable[[], AbstractContextManager[None]]]] = {
        NO_WRAPPER: ([], contextlib.nullcontext),
        WRAPPER_CONTROL: ([], contextlib.nullcontext),
        PASS_ON: ([pass_on], contextlib.nullcontext),
    }
    if find_spec("django_hotpath") is not None:
        from django_hotpath.instruments.queries import execute_wrapper

        found[HOTPATH_WRAPPER] = ([execute_wrapper], contextlib.nullcontext)
        found[HOTPATH_COUNTING] = ([execute_wrapper], _counting)
    return found


@contextlib.contextmanager
def _counting() -> Iterator[None]:
    from django_hotpath import slowlog

    token = slowlog.queries.set([0])
    try:
        yield
    finally:
        slowlog.queries.reset(token)
