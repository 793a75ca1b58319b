"""Caches whose methods somebody has replaced on the object, as the toolbar's panel does."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.base import BaseCache

import django_hotpath as hotpath

METHODS = ("get", "set", "get_or_set", "get_many", "delete")


@pytest.fixture
def replaced() -> Iterator[BaseCache]:
    """The default cache of this thread, replaced before any capture; a new one afterwards."""
    cache = caches["default"]
    cache.clear()
    for name in METHODS:
        setattr(cache, name, around(getattr(cache, name)))
    yield cache
    del caches["default"]


def around(original: Any) -> Any:
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return original(*args, **kwargs)

    return wrapper


def recorded(cache: BaseCache) -> tuple[list[Any], dict[str, Any]]:
    with hotpath.profile(instruments=["cache"], save=False) as run:
        answers = [
            cache.get("a", 7),
            cache.set("a", 1),
            cache.get("a"),
            cache.get_or_set("b", lambda: 2),
            cache.get_or_set("b", lambda: 3),
            cache.get_many(["a", "c"]),
        ]
    assert run.capture is not None
    assert run.capture.environment.warnings == ()
    return answers, run.capture.instruments["cache"]


def test_each_operation_is_recorded_once(replaced: BaseCache) -> None:
    answers, found = recorded(replaced)
    assert answers == [7, None, 1, 2, 2, {"a": 1}]
    assert [one["operation"] for one in found["operations"]] == [
        "get",
        "set",
        "get",
        "get_or_set",
        "get_or_set",
        "get_many",
    ]
    assert (found["hits"], found["misses"]) == (3, 3)


def test_theirs_are_back_afterwards(replaced: BaseCache) -> None:
    before = dict(vars(replaced))
    recorded(replaced)
    assert {name: vars(replaced)[name] for name in METHODS} == {
        name: before[name] for name in METHODS
    }


def test_replaced_during_a_capture_they_are_recorded_once_in_the_next() -> None:
    cache = caches["default"]
    cache.clear()
    try:
        with hotpath.profile(instruments=["cache"], save=False):
            cache.get = around(cache.get)  # type: ignore[method-assign]
        with hotpath.profile(instruments=["cache"], save=False) as run:
            cache.get("a")
    finally:
        del caches["default"]
    assert run.capture is not None
    assert run.capture.instruments["cache"]["count"] == 1


def test_captures_within_captures_count_it_once_each(replaced: BaseCache) -> None:
    with hotpath.profile("outer", instruments=["cache"], save=False) as outer:
        with hotpath.profile("inner", instruments=["cache"], save=False) as inner:
            replaced.get("a")
        replaced.get("a")
    assert outer.capture is not None
    assert inner.capture is not None
    assert inner.capture.instruments["cache"]["count"] == 1
    assert outer.capture.instruments["cache"]["count"] == 2
