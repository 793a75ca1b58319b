from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from django_hotpath import deferred, disturbances, stores, summaries
from tests import databases

HERE = Path(__file__).parent

# The same with every Django: the matrix runs these with one of them for each Python.
ANY_DJANGO = (
    "benchmarks/",
    "contracts/test_instruments.py",
    "instruments/test_calltree",
    "instruments/test_objects",
    "instruments/test_samples",
    "report/test_memory_sections.py",
    "test_calibration.py",
    "test_conflicts.py",
    "test_foreign_tools.py",
    "test_packaging.py",
    "test_receipt.py",
    "test_redact.py",
)

# The same with every Python as well: one of the matrix's and that of make test run them.
ANY_PYTHON = (
    "analysis/",
    "api/",
    "benchmarks/",
    "browser/",
    "contracts/test_answers.py",
    "contracts/test_exporters.py",
    "demo/",
    "explain/",
    "exporters/",
    "panels/",
    "report/",
    "stores/",
    "test_redact.py",
    "verify/",
)

# They run on PostgreSQL and MariaDB too.
DATABASE = (
    "analysis/test_over_fetching.py",
    "explain/",
    "findings/",
    "instruments/test_queries.py",
    "instruments/test_usage",
    "verify/",
)

# They run on PostgreSQL too, as what a module marks so by itself: the demo has no MariaDB.
POSTGRESQL = ("demo/test_demo_database.py",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        path = item.path.relative_to(HERE).as_posix()
        if path.startswith(ANY_DJANGO):
            item.add_marker(pytest.mark.any_django)
        if path.startswith(ANY_PYTHON):
            item.add_marker(pytest.mark.any_python)
        if path.startswith(DATABASE):
            item.add_marker(pytest.mark.database)
        if path.startswith(POSTGRESQL):
            item.add_marker(pytest.mark.postgresql)


def pytest_runtest_setup(item: pytest.Item) -> None:
    databases.check(item)


@pytest.fixture(scope="module", autouse=True)
def _objects_of_this_module_only() -> None:
    # Ten thousand tests and what ran so far are many objects: what looks at all of a process, as
    # Pympler and the garbage collector do, would take seconds for each test.
    gc.collect()
    gc.freeze()


@pytest.fixture
def no_frozen_objects() -> None:
    """For what finds living functions among the objects that the garbage collector knows."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def _fresh_store() -> Iterator[None]:
    _forget()
    yield
    _forget()


def _forget() -> None:
    summaries._end()
    summaries._forget()
    deferred._forget()
    stores.get_store.cache_clear()


@pytest.fixture(autouse=True)
def _no_history_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test leaves in the queue is not written after it; the pages still write it."""
    monkeypatch.setattr(summaries, "_wake", lambda queue: None)


@pytest.fixture(autouse=True)
def _warm_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is the first request of its process, unless it says so."""
    monkeypatch.setattr(disturbances, "_requests_seen", 2)
