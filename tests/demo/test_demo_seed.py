from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from shop import seeding
from shop.models import Box, Category, Company, Content, Member, Order

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
    assert counts["Visit"] == 12_000


@pytest.mark.parametrize(("copy", "origin"), seeding.COPIES.items())
def test_tables_that_differ_in_their_indexes_have_the_same_rows(copy: Any, origin: Any) -> None:
    seed()
    assert list(copy.objects.order_by("pk").values()) == list(
        origin.objects.order_by("pk").values()
    )


def test_thirty_columns() -> None:
    assert len(Member._meta.concrete_fields) == 30


def test_every_table_that_was_filled_is_told() -> None:
    told = seed()
    assert all(f" {model.__name__}\n" in told for model in seeding.MODELS)


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


def test_a_table_that_is_empty_is_filled_and_no_other_one_is_touched() -> None:
    seed()
    before = everything()
    Box.objects.all().delete()
    Company.objects.filter(pk=1).update(name="Renamed")
    told = seed()
    assert "100 Box" in told
    assert "500 Content" in told
    assert "Company" not in told
    after = everything()
    assert after["Box"] == before["Box"]
    assert after["Content"] == before["Content"]
    assert after["Company"][0]["name"] == "Renamed"


def test_rows_without_what_they_belong_to_say_what_to_do() -> None:
    seed()
    Content.objects.all().delete()
    Box.objects.filter(pk=1).delete()
    with pytest.raises(CommandError, match="--force"):
        seed()


def test_force_rebuilds() -> None:
    seed()
    Order.objects.all().delete()
    seed(force=True)
    assert Order.objects.count() == 100


@pytest.mark.postgresql
def test_a_key_given_after_the_seed_is_free() -> None:
    seed()
    assert Category.objects.create(name="New").pk == 6


def test_a_database_without_tables_says_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_table() -> list[Any]:
        raise OperationalError("no such table")

    monkeypatch.setattr(seeding, "empty_models", no_table)
    with pytest.raises(CommandError, match="migrate"):
        seed()
