from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from shop import seeding
from shop.models import Category, Company, Order

pytestmark = pytest.mark.django_db


def seed(**options: Any) -> str:
    out = StringIO()
    call_command("seed", stdout=out, **options)
    return out.getvalue()


def everything() -> dict[str, list[dict[str, Any]]]:
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in seeding.MODELS
    }


def test_sizes_are_those_of_the_claims() -> None:
    counts = seeding.rebuild()
    assert counts["Order"] == 100
    assert counts["Company"] == 3_298
    assert counts["Product"] == 100
    assert counts["Author"] == 50
    assert counts["Book"] == 200


def test_each_category_has_twenty_products() -> None:
    seed()
    assert [category.products.count() for category in Category.objects.all()] == [20] * 5


def test_two_builds_are_equal() -> None:
    seed()
    first = everything()
    seed(force=True)
    assert everything() == first


def test_a_second_seed_changes_nothing() -> None:
    seed()
    Company.objects.filter(pk=1).update(name="Renamed")
    seed()
    assert Company.objects.get(pk=1).name == "Renamed"


def test_force_rebuilds() -> None:
    seed()
    Order.objects.all().delete()
    seed(force=True)
    assert Order.objects.count() == 100


def test_a_key_given_after_the_seed_is_free() -> None:
    seed()
    assert Category.objects.create(name="New").pk == 6


def test_a_database_without_tables_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_table() -> bool:
        raise OperationalError("no such table")

    monkeypatch.setattr(seeding, "has_data", no_table)
    with pytest.raises(CommandError, match="migrate"):
        seed()
