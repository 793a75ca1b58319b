from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from shop.models import Author, Book, Company, Customer, Order
from tests.verify import views

MADE = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
NUMBER = 5


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> Iterator[None]:
    settings.DEBUG = True
    settings.ROOT_URLCONF = "tests.verify.views"
    views.seen.clear()
    views.numbers = itertools.count()
    cache.clear()
    yield
    cache.clear()


def fill() -> None:
    """Five orders of five customers, five authors with a book each."""
    company = Company.objects.create(
        symbol="A",
        name="Acme",
        sector="",
        city="",
        founded=1900,
        employees=1,
        website="",
        description="",
    )
    for number in range(NUMBER):
        customer = Customer.objects.create(name=f"c{number}", email="", company=company)
        Order.objects.create(number=str(number), customer=customer, status="paid", created_at=MADE)
        author = Author.objects.create(name=f"a{number}", email="", born=1900, bio=f"b{number}")
        Book.objects.create(title=f"t{number}", author=author, pages=1, price=1, summary="")


@pytest.fixture
def rows(db: None) -> None:
    fill()


@pytest.fixture
def committed(transactional_db: None) -> None:
    fill()
