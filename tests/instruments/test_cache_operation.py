"""What may not disturb the application, and what the figures may not hide."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
import weakref
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from django_hotpath.instruments import cache as instrument
from tests.instruments.test_cache import operations
from tests.recording import Run, recording


@pytest.fixture(autouse=True)
def _empty() -> None:
    cache.clear()


def warnings(run: Run) -> list[str]:
    return [found for found in run.capture.environment.warnings if found.startswith("cache: ")]


class Odd(LocMemCache):
    """Answers with what a backend is free to answer with."""

    answer: Any = None

    def get_many(self, keys: Any, version: Any = None) -> Any:
        return self.answer

    def has_key(self, key: Any, version: Any = None) -> Any:
        return self.answer


class Unkind:
    """A key, a value or an answer that fails whoever looks at it."""

    def __str__(self) -> str:
        raise ValueError("no text")

    __bool__ = __eq__ = __hash__ = __len__ = __iter__ = __str__  # type: ignore[assignment]


@pytest.fixture
def odd(settings: Any) -> Any:
    backend = f"{__name__}.Odd"
    settings.CACHES = {"default": settings.CACHES["default"], "odd": {"BACKEND": backend}}
    return caches["odd"]


def test_an_answer_that_has_no_length_reaches_the_caller(odd: Any) -> None:
    odd.answer = iter([("a", 1)])
    with recording("cache") as run:
        assert [odd.get_many(["a"]) for _ in range(2)] == [odd.answer, odd.answer]
    assert list(odd.answer) == [("a", 1)]
    assert run["cache"]["count"] == 2
    assert warnings(run) == [
        "cache: an operation was not recorded in full: TypeError: get_many gave list_iterator"
    ]


def test_an_answer_is_not_asked_for_its_truth(odd: Any) -> None:
    odd.answer = Unkind()
    with recording("cache") as run:
        assert odd.has_key("a") is odd.answer
    assert operations(run) == [("has_key", 0, 0)]
    assert len(warnings(run)) == 1


def test_a_key_that_fails_is_the_backends_to_fail_on(odd: Any) -> None:
    odd.answer = {}
    key = Unkind()
    with recording("cache") as run:
        with pytest.raises(ValueError, match="no text"):
            odd.get(key)
        assert odd.get_many([key]) == {}
        assert odd.get_many(key) == {}
    assert run["cache"]["operations"][0]["keys"] == [
        "<tests.instruments.test_cache_operation.Unkind>"
    ]
    assert run["cache"]["count"] == 3


def test_an_operation_whose_details_fail_is_done_and_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(instrument, "walk", fail)
    cache.set("a", None)
    with recording("cache") as run:
        assert [cache.get("a", 1), cache.get("b", 2), cache.get_or_set("c", 3)] == [None, 2, 3]
    assert (run["cache"]["count"], run["cache"]["truncated"]) == (3, 3)
    assert warnings(run) == ["cache: an operation was not recorded: RuntimeError: ours"]


@pytest.mark.parametrize("error", [RuntimeError("boom"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_is_the_same_object(error: BaseException) -> None:
    def fail() -> None:
        raise error

    with recording("cache") as run, pytest.raises(type(error)) as caught:
        cache.get_or_set("a", fail)
    assert caught.value is error
    assert operations(run) == [("get_or_set", 0, 1)]


def test_an_alias_that_cannot_be_imported_is_named_each_time(settings: Any) -> None:
    settings.CACHES = {
        "gone": {"BACKEND": "no_such_package.Cache"},
        "default": settings.CACHES["default"],
    }
    for _ in range(2):
        with recording("cache") as run:
            cache.get("a")
        assert operations(run) == [("get", 0, 1)]
        assert run["cache"]["operations"][0]["alias"] == "default"
        (warning,) = warnings(run)
        assert warning.startswith('cache: the alias "gone" is not measured: ModuleNotFoundError')


def test_the_alias_of_another_threads_cache_is_told_by_its_backend() -> None:
    with recording("cache") as run:
        threading.Thread(target=copy_context().run, args=(lambda: cache.get("a"),)).start()
        thread = threading.Thread(target=copy_context().run, args=(lambda: cache.get("a"),))
        thread.start()
        thread.join()
    assert {found["alias"] for found in run["cache"]["operations"]} == {"default"}


def test_keys_that_only_the_backend_may_read_are_left_to_it() -> None:
    class Lazy:
        def __iter__(self) -> Iterator[str]:
            read.append(1)
            return iter(["a", "b"])

    read: list[int] = []
    cache.set("a", 1)
    with recording("cache") as run:
        assert cache.get_many(Lazy()) == {"a": 1}
    assert read == [1]
    assert operations(run) == [("get_many", 1, 0)]
    assert "in full" in warnings(run)[0]


async def test_async_operations_are_recorded_once() -> None:
    with recording("cache") as run:
        await cache.aset("a", 1)
        assert await cache.aget_or_set("a", 2) == 1
        assert await cache.aget_or_set("b", lambda: 2) == 2
        assert await cache.aget_many(key for key in ("a", "b", "c")) == {"a": 1, "b": 2}
        assert await cache.ahas_key("a")
        assert await cache.aincr("a") == 2
    assert operations(run) == [
        ("set", 0, 0),
        ("get_or_set", 1, 0),
        ("get_or_set", 0, 1),
        ("get_many", 2, 1),
        ("has_key", 1, 0),
        ("incr", 0, 0),
    ]
    # Not of the first: it is a synchronous one, in a thread.
    files = {found["call_site"]["file"] for found in run["cache"]["operations"][1:]}
    assert files == {"tests/instruments/test_cache_operation.py"}


async def test_an_async_callable_runs_where_it_would_without_us() -> None:
    with recording("cache"):
        loop = await cache.aget_or_set("a", lambda: str(asyncio.get_running_loop()))
    assert loop == str(asyncio.get_running_loop())


async def test_an_async_exception_is_the_same_object() -> None:
    error = RuntimeError("boom")

    def fail() -> None:
        raise error

    with recording("cache") as run, pytest.raises(RuntimeError) as caught:
        await cache.aget_or_set("a", fail)
    assert caught.value is error
    assert operations(run) == [("get_or_set", 0, 1)]


def test_djangos_comparison_with_its_base_class_holds() -> None:
    with recording("cache"):
        assert LocMemCache.get_many is BaseCache.get_many
        assert inspect.iscoroutinefunction(LocMemCache.aget_many)


def test_a_cache_that_somebody_patched_meanwhile_is_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An APM that wraps the method on the object, and keeps what was there in a capture.
    connection = caches["default"]
    with recording("cache"):
        bound = connection.get
    monkeypatch.setattr(connection, "get", lambda key, *args: bound(key, *args), raising=False)
    with recording("cache") as run:
        assert cache.get("a", 1) == 1
    assert operations(run) == [("get", 0, 1)]


def test_a_class_that_somebody_patched_meanwhile_is_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Put back after the test.
    monkeypatch.setattr(LocMemCache, "get", LocMemCache.__dict__["get"])
    seen: list[Any] = []
    with recording("cache"):
        ours = LocMemCache.get

        def apm(self: LocMemCache, *args: Any, **kwargs: Any) -> Any:
            seen.append(ours(self, *args, **kwargs))
            return seen[-1]

        LocMemCache.get = apm  # type: ignore[method-assign,assignment]
    with recording("cache") as run:
        assert cache.get("a") is None
        assert cache.get_or_set("b", 1) == 1
    assert operations(run) == [("get", 0, 1), ("get_or_set", 0, 1)]
    assert seen[0] is None


def test_an_operation_that_outlives_the_capture_is_left_out() -> None:
    started, ended = threading.Event(), threading.Event()

    def wait() -> int:
        started.set()
        ended.wait(timeout=10)
        return 1

    with recording("cache") as run:
        thread = threading.Thread(
            target=copy_context().run, args=(lambda: cache.get_or_set("a", wait),)
        )
        thread.start()
        started.wait(timeout=10)
        cache.get("b")
    ended.set()
    thread.join()
    assert operations(run) == [("get", 0, 1)]


def test_a_capture_around_another_records_too() -> None:
    cache.set("a", None)
    with recording("cache") as run, recording("cache") as inner:
        assert cache.get("a", 1) is None
        assert cache.get_many(key for key in "ab") == {"a": None}
        assert cache.get_or_set("c", 1) == 1
    assert operations(run) == operations(inner)
    assert operations(run) == [("get", 1, 0), ("get_many", 1, 1), ("get_or_set", 0, 1)]


class Value:
    pass


def test_values_are_not_kept() -> None:
    with recording("cache"):
        value = Value()
        gone = weakref.ref(value)
        cache.set("a", value)
        del value
        gc.collect()
        assert gone() is None
