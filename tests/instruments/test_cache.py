from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

from django_hotpath.instruments import cache as instrument
from tests.recording import Run, recording


@pytest.fixture(autouse=True)
def _empty() -> None:
    cache.clear()


def operations(run: Run) -> list[tuple[str, int, int]]:
    return [
        (found["operation"], found["hits"], found["misses"]) for found in run["cache"]["operations"]
    ]


def test_hits_and_misses() -> None:
    with recording("cache") as run:
        cache.get("a")
        cache.set("a", 1)
        assert cache.get("a") == 1
    assert operations(run) == [("get", 0, 1), ("set", 0, 0), ("get", 1, 0)]
    assert (run["cache"]["hits"], run["cache"]["misses"], run["cache"]["count"]) == (1, 1, 3)


def test_a_cached_none_is_a_hit() -> None:
    cache.set("a", None)
    with recording("cache") as run:
        assert cache.get("a", "default") is None
    assert operations(run) == [("get", 1, 0)]


@pytest.mark.parametrize("call", [lambda: cache.get("a", 7), lambda: cache.get("a", default=7)])
def test_the_default_comes_back_on_a_miss(call: Any) -> None:
    with recording("cache") as run:
        assert call() == 7
    assert operations(run) == [("get", 0, 1)]


def test_get_or_set_is_one_operation() -> None:
    with recording("cache") as run:
        assert cache.get_or_set("a", lambda: 1) == 1
        assert cache.get_or_set("a", lambda: 2) == 1
    assert operations(run) == [("get_or_set", 0, 1), ("get_or_set", 1, 0)]


def test_many_keys_are_counted_in_keys() -> None:
    cache.set_many({"a": 1, "b": 2})
    with recording("cache") as run:
        assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
        cache.delete_many(key for key in ("a", "b"))
    assert operations(run) == [("get_many", 2, 1), ("delete_many", 0, 0)]
    assert run["cache"]["operations"][0]["keys"] == ["a", "b", "c"]


def test_membership_is_a_read() -> None:
    with recording("cache") as run:
        assert "a" not in cache
    assert operations(run) == [("has_key", 0, 1)]


def test_an_error_reaches_the_caller() -> None:
    with recording("cache") as run, pytest.raises(ValueError, match="not found"):
        cache.incr("nothing")
    assert run["cache"]["operations"][0]["error"].startswith("ValueError")


def test_the_line_and_alias_are_named() -> None:
    with recording("cache") as run:
        cache.get("a")
    (found,) = run["cache"]["operations"]
    assert found["call_site"]["file"] == "tests/instruments/test_cache.py"
    assert found["alias"] == "default"
    assert found["backend"].endswith("LocMemCache")


def test_secret_keys_are_masked() -> None:
    with recording("cache") as run:
        cache.get("user:token:abcdef")
    assert run["cache"]["operations"][0]["keys"] == ["user:token***"]


def test_the_classes_are_as_before_afterwards() -> None:
    before = dict(LocMemCache.__dict__)
    with recording("cache"):
        assert LocMemCache.__dict__["get"] is not before["get"]
    assert dict(LocMemCache.__dict__) == before


def test_two_captures_at_once_undo_once() -> None:
    before = dict(LocMemCache.__dict__)
    with recording("cache"):
        with recording("cache") as inner:
            cache.get("a")
        cache.get("a")
    assert dict(LocMemCache.__dict__) == before
    assert inner["cache"]["count"] == 1


def test_operations_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instrument, "MAX_OPERATIONS", 2)
    with recording("cache") as run:
        for _ in range(5):
            cache.get("a")
    assert (run["cache"]["count"], run["cache"]["truncated"]) == (5, 3)


async def test_async_operations_are_seen() -> None:
    with recording("cache") as run:
        await cache.aget("a")
    assert operations(run) == [("get", 0, 1)]


def test_what_the_callable_of_get_or_set_does_is_its_own() -> None:
    def compute() -> int:
        cache.set("b", 1)
        cache.get("c")
        return 5 if cache.get_or_set("d", 4) == 4 else 0

    with recording("cache") as run:
        assert cache.get_or_set("a", compute) == 5
    assert operations(run) == [
        ("set", 0, 0),
        ("get", 0, 1),
        ("get_or_set", 0, 1),
        ("get_or_set", 0, 1),
    ]
    outermost = run["cache"]["operations"][-1]
    assert outermost["keys"] == ["a"]
    assert run["cache"]["total_ms"] == outermost["duration_ms"]


def test_keys_of_a_generator_are_counted_as_they_are_read() -> None:
    cache.set("a", 1)
    read: list[str] = []

    def keys() -> Iterator[str]:
        for key in ("a", "b"):
            read.append(key)
            cache.get("version")
            yield key

    lazy = keys()
    with recording("cache") as run:
        assert cache.get_many(keys=lazy) == {"a": 1}
    assert read == ["a", "b"]
    assert operations(run) == [("get", 0, 1), ("get", 0, 1), ("get_many", 1, 1)]
    assert run["cache"]["operations"][2]["keys"] == ["a", "b"]


def test_a_generator_that_raises_stops_there() -> None:
    def keys() -> Iterator[str]:
        yield "a"
        raise KeyError("theirs")

    with recording("cache") as run, pytest.raises(KeyError, match="theirs"):
        cache.get_many(keys())
    assert run["cache"]["operations"][0]["keys"] == ["a"]


def test_a_key_asked_for_twice_is_missing_once() -> None:
    cache.set("a", 1)
    with recording("cache") as run:
        cache.get_many(["a", "a", "b", "b"])
    assert operations(run) == [("get_many", 1, 1)]
