"""``cache_misses``: found, gone after the fix, and silent where it would be wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings

import django_hotpath as hotpath
from django_hotpath.capture import Capture, Finding
from tests.analysis.found import kinds, only
from tests.factories import SITE, capture

NAMELESS = "figures:<shop.periods.Period object at 0x7f1c2d3e4f50>"


def with_cache(*operations: dict[str, Any]) -> Capture:
    """Operations that begin 10 ms apart and take one."""
    rows = [
        {
            "index": index,
            "alias": "default",
            "backend": "django.core.cache.backends.locmem.LocMemCache",
            "key_count": 1,
            "hits": 0,
            "misses": 0,
            "start_ms": 10.0 * index,
            "duration_ms": 1.0,
            "call_site": dict(SITE),
            **operation,
        }
        for index, operation in enumerate(operations)
    ]
    recorded = {
        "count": len(rows),
        "total_ms": float(len(rows)),
        "hits": sum(row["hits"] for row in rows),
        "misses": sum(row["misses"] for row in rows),
        "truncated": 0,
        "operations": rows,
    }
    return capture(wall_ms=100.0, instruments={"cache": recorded})


def miss(key: str = "a", name: str = "get", **values: Any) -> dict[str, Any]:
    return {"operation": name, "keys": [key], "misses": 1, **values}


def hit(key: str = "a") -> dict[str, Any]:
    return {"operation": "get", "keys": [key], "hits": 1}


def written(*keys: str, name: str = "set", **values: Any) -> dict[str, Any]:
    return {"operation": name, "keys": list(keys or ("a",)), **values}


class TestKeysThatNeverHit:
    def test_found(self) -> None:
        finding = only(with_cache(miss(NAMELESS), written(NAMELESS)))
        assert (finding.kind, finding.count) == ("cache_misses", 1)
        assert finding.title == "A look-up can never hit, at shop/views.py:12"
        assert NAMELESS in finding.detail

    def test_gone_after_the_fix(self) -> None:
        assert kinds(with_cache(miss("figures:2026-11"), written("figures:2026-11"))) == []

    def test_the_cost_is_that_of_making_it_anew(self) -> None:
        # Asked from 0 to 1 ms, written from 10 ms on.
        assert only(with_cache(miss(NAMELESS), written(NAMELESS))).cost_ms == 10.0

    def test_one_line_is_one_finding(self) -> None:
        keys = [NAMELESS.replace("4f50", f"{number:04x}") for number in range(12)]
        finding = only(with_cache(*(miss(key) for key in keys)))
        assert (finding.count, finding.severity) == (12, "medium")

    @pytest.mark.parametrize("space", ["_", "-", "+", "%20"])
    def test_found_in_a_key_without_blanks(self, space: str) -> None:
        assert kinds(with_cache(miss(NAMELESS.replace(" ", space)))) == ["cache_misses"]

    def test_silent_where_it_was_found(self) -> None:
        assert kinds(with_cache(hit(NAMELESS))) == []

    def test_silent_on_numbers_that_are_no_addresses(self) -> None:
        assert kinds(with_cache(miss("colour at 0xffcc00"))) == []


class TestEntriesThatAreNotKept:
    def test_found(self) -> None:
        finding = only(with_cache(miss(), written(), miss(), written()))
        assert (finding.kind, finding.count) == ("cache_misses", 1)
        assert "missed what had just been written" in finding.title

    def test_found_by_get_or_set_alone(self) -> None:
        finding = only(with_cache(miss(name="get_or_set"), miss(name="get_or_set")))
        assert finding.cost_ms == 2.0

    def test_gone_after_the_fix(self) -> None:
        assert kinds(with_cache(miss(), written(), hit(), hit())) == []

    def test_silent_on_a_cold_cache(self) -> None:
        assert kinds(with_cache(*(miss(f"key{number}") for number in range(50)))) == []

    def test_silent_after_a_delete(self) -> None:
        assert kinds(with_cache(written(), written(name="delete"), miss())) == []

    def test_silent_after_a_clear(self) -> None:
        cleared = {"operation": "clear", "keys": []}
        assert kinds(with_cache(written(), cleared, miss())) == []

    def test_silent_on_another_cache(self) -> None:
        assert kinds(with_cache(written(alias="pages"), miss())) == []

    def test_silent_on_another_version(self) -> None:
        assert kinds(with_cache(written(version=2), miss())) == []

    def test_silent_where_the_write_failed(self) -> None:
        assert kinds(with_cache(written(error="ConnectionError"), miss())) == []

    @pytest.mark.parametrize("key", ["session:***", "k" * 199 + "…"])
    def test_silent_on_keys_that_are_not_known_whole(self, key: str) -> None:
        assert kinds(with_cache(written(key), miss(key))) == []

    def test_silent_where_some_of_several_were_there(self) -> None:
        several = {"operation": "get_many", "keys": ["a", "b"], "hits": 1, "misses": 1}
        assert kinds(with_cache(written("a"), several)) == []


class TestRealCaches:
    def found(self) -> tuple[Finding, ...]:
        with hotpath.profile(instruments=["cache"], save=False) as run:
            for _ in range(3):
                cache.get_or_set("answer", lambda: 42)
        assert run.capture is not None
        return run.capture.findings

    def test_a_cache_that_keeps_nothing(self) -> None:
        dummy = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
        with override_settings(CACHES=dummy):
            assert [(found.kind, found.count) for found in self.found()] == [("cache_misses", 2)]

    def test_one_that_keeps_it(self) -> None:
        cache.clear()
        assert self.found() == ()

    def test_versions_are_told_apart(self) -> None:
        with hotpath.profile(instruments=["cache"], save=False) as run:
            cache.set("versioned", 1, None, 7)
            cache.get("versioned", version=8)
            cache.set("versioned", 1, version=1)
        assert run.capture is not None
        assert run.capture.findings == ()
        operations = run.capture.instruments["cache"]["operations"]
        assert [found.get("version") for found in operations] == [7, 8, None]
