"""What a model's own save and delete do that bulk methods do not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, models
from django.db.models.signals import m2m_changed, post_delete
from django.test.utils import isolate_apps

from django_hotpath.instruments.model_writes import describe, numbers
from shop.models import Book
from tests.library.models import Branch, Census, Draft, Essay, Member, Poet, Topic, Volume
from tests.recording import recording

# Of a connection that another test left open the bounds are asked too.
pytestmark = pytest.mark.django_db


def receiver(**kwargs: object) -> None:
    """Of signals."""


def test_a_plain_model_has_nothing_of_its_own() -> None:
    found = describe(Census)
    assert set(found) <= {"pk", "types", "bounds"}
    assert found["pk"] == "id"
    assert found["types"]["farms"] == "PositiveIntegerField"


def test_receivers_are_those_of_now() -> None:
    assert describe(Branch)["signals"] == ["post_save"]
    post_delete.connect(receiver, sender=Census)
    try:
        assert describe(Census)["signals"] == ["post_delete"]
    finally:
        post_delete.disconnect(receiver, sender=Census)
    assert "signals" not in describe(Census)


@pytest.mark.parametrize("model", [Essay, Topic, Essay.topics.through])
def test_receivers_of_m2m_changed_are_seen_from_every_side(model: type[models.Model]) -> None:
    m2m_changed.connect(receiver, sender=Essay.topics.through)
    try:
        assert describe(model)["signals"] == ["m2m_changed"]
    finally:
        m2m_changed.disconnect(receiver, sender=Essay.topics.through)


def test_overridden_methods_are_named() -> None:
    assert describe(Member)["overrides"] == ["save"]
    assert describe(Draft)["overrides"] == ["objects.get_queryset"]
    assert describe(User)["overrides"] == ["save"]
    assert "overrides" not in describe(Essay)


@isolate_apps("tests.library")
def test_methods_of_managers_and_querysets_are_named() -> None:
    class SoftQuerySet(models.QuerySet):
        def delete(self) -> tuple[int, dict[str, int]]:
            return self.update(gone=True), {}

    class Loud(models.Manager):
        def create(self, **kwargs: object) -> models.Model:
            return super().create(**kwargs)

    class Soft(models.Model):
        gone = models.BooleanField(default=False)
        objects = SoftQuerySet.as_manager()

        class Meta:
            app_label = "library"

        def __str__(self) -> str:
            return "soft"

    class Noisy(models.Model):
        objects = Loud()

        class Meta:
            app_label = "library"

        def __str__(self) -> str:
            return "noisy"

    assert describe(Soft)["overrides"] == ["objects.delete"]
    assert describe(Noisy)["overrides"] == ["objects.create"]


def test_parents_are_those_with_tables_of_their_own() -> None:
    assert describe(Volume)["parents"] == ["library.Item"]
    assert "parents" not in describe(Poet)


@isolate_apps("tests.library")
def test_fields_that_save_sets_are_named() -> None:
    class Slug(models.CharField):
        def pre_save(self, model_instance: models.Model, add: bool) -> str:
            return "slug"

    class Post(models.Model):
        made = models.DateTimeField(auto_now_add=True)
        changed = models.DateTimeField(auto_now=True)
        slug = Slug(max_length=9)
        file = models.FileField()

        class Meta:
            app_label = "library"

        def __str__(self) -> str:
            return "post"

    found = describe(Post)
    assert found["auto_now"] == ["changed"]
    assert found["pre_save"] == ["slug"]


def test_what_is_deleted_along_is_known() -> None:
    assert describe(Group)["cascades"]
    assert describe(Essay)["cascades"]
    assert "cascades" not in describe(Book)


@pytest.mark.django_db
def test_bounds_are_those_of_the_open_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        monkeypatch.setattr(type(connection.features), "max_query_params", 999)
        found = describe(Census)["bounds"]["default"]
        assert (found["parameters"], found["rows"]) == (999, 999 // 13)
    assert describe(Census)["bounds"]["default"]["gives_keys"] is True


@pytest.mark.django_db(databases=["default", "other"])
def test_it_asks_no_database() -> None:
    with recording("queries") as run:
        for model in (Branch, Essay, Volume, Member, Permission):
            describe(model)
    assert run["queries"]["count"] == 0


def test_numbers_are_columns_that_can_be_added_up() -> None:
    assert numbers(Book) == {"pages": "PositiveSmallIntegerField", "price": "DecimalField"}
