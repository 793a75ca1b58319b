from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.cache import caches
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django import DjangoDbBlocker

from django_hotpath.explain import service
from examples.families import EXAMPLES
from shop import seeding


@pytest.fixture(scope="module")
def seeded(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo's data for the tests of one module; rolled back, so that no other module sees it."""
    with django_db_blocker.unblock(), transaction.atomic():
        seeding.rebuild()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def shop(seeded: None, db: None) -> None:
    """A filled shop, every change a test makes to it undone."""


@pytest.fixture(autouse=True)
def empty_caches() -> None:
    """No test finds what another one left in a cache of an example, or in Django's."""
    for cache in caches.all(initialized_only=True):
        cache.clear()
    for example in EXAMPLES:
        if example.reset is not None:
            example.reset()


@pytest.fixture
def explain_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plans by the test's own connection: no other one sees the rows of its transaction."""

    @contextmanager
    def own(alias: str) -> Iterator[BaseDatabaseWrapper]:
        connection = connections[alias]
        with transaction.atomic(using=alias):
            yield connection
        if connection.vendor == "sqlite":
            # It would stop whatever runs on this connection ten seconds from now.
            connection.connection.set_progress_handler(None, 0)

    monkeypatch.setattr(service, "separate", own)
