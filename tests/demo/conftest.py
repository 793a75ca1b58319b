from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction
from pytest_django import DjangoDbBlocker

from examples.families import caching
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
    caching.remembered_companies.cache_clear()
    caching.AutocompleteTrap.remembered_companies.cache_clear()
