"""The fix at work on querysets, without a request."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from django_hotpath.verification import altering
from django_hotpath.verification.applying import applied, ready
from django_hotpath.verification.target import Target
from shop.models import Author, Order
from tests.library.models import Person
from tests.library.rows import fill

pytestmark = pytest.mark.django_db


def target(model: str, *paths: str, kind: str = "prefetch_related") -> Target:
    """Of querysets whose place nobody knows, as they are outside of a capture."""
    return Target(kind=kind, paths=paths, places=frozenset(), models=frozenset({model}))


def test_rows_are_completed_once() -> None:
    fill("default")
    with ready(), applied(target("library.Person", "essays")) as application:
        people = Person.objects.all()
        with CaptureQueriesContext(connection) as queries:
            for _ in range(3):
                assert all("essays" in person._prefetched_objects_cache for person in people)
    assert application is not None
    assert (len(queries), application.applied) == (2, 1)


def test_what_completes_them_is_not_completed_itself() -> None:
    fill("default")
    queries = CaptureQueriesContext(connection)
    with ready(), applied(target("library.Person", "mentor")) as application, queries:
        people = list(Person.objects.all())
    assert any(person.mentor_id for person in people)
    assert application is not None
    assert (len(queries), application.applied) == (2, 1)


def test_other_contexts_pass_through() -> None:
    fill("default")
    with ready(), CaptureQueriesContext(connection) as queries:
        list(Person.objects.all())
        with applied(None):
            list(Person.objects.all())
    assert len(queries) == 2


def test_rows_that_are_no_instances_are_left_alone() -> None:
    fill("default")
    with ready(), applied(target("library.Person", "essays")) as application:
        assert list(Person.objects.values("pk"))
    assert application is not None
    assert application.applied == 0


def test_a_replacement_that_somebody_kept_does_nothing_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill("default")
    with ready():
        kept = QuerySet._fetch_all

        def on_top(self: Any) -> None:
            kept(self)

        monkeypatch.setattr(QuerySet, "_fetch_all", on_top)
    with ready(), applied(target("library.Person", "essays")) as application:
        list(Person.objects.all())
    assert application is not None
    assert application.applied == 1


def test_a_join_is_left_out_of_one_queryset_only() -> None:
    orders = Order.objects.select_related("customer__company")
    other = orders.all()
    altering.apply(target("shop.Order", "customer__company", kind="remove_eager_load"), other)
    assert other.query.select_related == {"customer": {}}
    assert orders.query.select_related == {"customer": {"company": {}}}


def test_without_any_join_left_none_is_asked_for() -> None:
    orders = Order.objects.select_related("customer")
    altering.apply(target("shop.Order", "customer", kind="remove_eager_load"), orders)
    # None of the optional ones either, which an empty tree would not say.
    assert orders.query.select_related is False


def test_a_prefetch_is_left_out_with_what_is_below_it() -> None:
    authors = Author.objects.prefetch_related("books__author", "books")
    altering.apply(target("shop.Author", "books", kind="remove_eager_load"), authors)
    assert authors._prefetch_related_lookups == ()
