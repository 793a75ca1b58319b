from __future__ import annotations

import sys
from typing import Any

import pytest

from django_hotpath import disturbances, environment
from django_hotpath.disturbances import disturbances as named
from tests.recording import recording


def about(word: str, *instruments: str) -> list[str]:
    return [text for text in named(instruments) if word in text]


@pytest.fixture
def _runserver(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
    environment.server.cache_clear()
    yield
    environment.server.cache_clear()


def test_the_first_request_is_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disturbances, "_requests_seen", 1)
    assert about("first request", "calls")


def test_the_second_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disturbances, "_requests_seen", 2)
    assert not about("first request", "calls")


@pytest.mark.usefixtures("_runserver")
def test_the_reloader_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUN_MAIN", "true")
    assert about("auto-reloading", "calls")
    monkeypatch.delenv("RUN_MAIN")
    assert not about("auto-reloading", "calls")


@pytest.mark.usefixtures("_runserver")
def test_threads_are_named_for_instruments_of_the_whole_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert about("threaded", "memory")
    assert not about("threaded", "queries")
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver", "--nothreading"])
    assert not about("threaded", "memory")


@pytest.mark.usefixtures("_runserver")
def test_threads_disturb_cprofile_where_it_sees_them() -> None:
    assert bool(about("threaded", "calls", "cprofile")) is (sys.version_info >= (3, 12))
    assert not about("threaded", "calls", "native")


@pytest.mark.parametrize("instrument", ["memory", "allocations"])
def test_djangos_query_log_is_named_where_memory_is_measured(
    settings: Any, instrument: str
) -> None:
    settings.DEBUG = True
    assert about("9,000 statements", instrument)
    assert not about("9,000 statements", "queries")
    settings.DEBUG = False
    assert not about("9,000 statements", instrument)


def test_a_tracer_is_named() -> None:
    before = sys.gettrace()
    sys.settrace(lambda *args: None)
    try:
        found = about("another tool")
    finally:
        sys.settrace(before)
    assert "trace function" in found[0]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with 3.12")
def test_a_monitoring_tool_is_named() -> None:
    sys.monitoring.use_tool_id(4, "spy")
    try:
        found = about("another tool")
    finally:
        sys.monitoring.free_tool_id(4)
    assert "'spy'" in found[0]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with 3.12")
def test_another_capture_is_not_another_tool() -> None:
    with recording("calls"):
        assert not about("another tool")
