"""The signals that one example alone has."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.template.base import VariableNode
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

import examples
from examples.families import lookup
from examples.families.search import AutocompleteTrap, remembered_companies
from shop.models import Company

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]

BOOKS_TEMPLATE = Path(examples.__file__).parent / "templates/examples/books.html"


class TestOrders:
    def test_queries_grow_with_the_orders(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(51):
            client.get("/orders/slow/?n=50")

    def test_size_is_capped(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(101):
            client.get("/orders/slow/?n=1000")


class TestBooks:
    def test_queries_grow_with_the_books(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(201):
            client.get("/books/slow/?n=200")

    def test_authors_are_fetched_by_a_line_of_the_template(self, client: Client) -> None:
        lines: Counter[int | None] = Counter()

        def note_template_line(execute: Any, *args: Any) -> Any:
            lines[rendered_line()] += 1
            return execute(*args)

        with connection.execute_wrapper(note_template_line):
            client.get("/books/slow/")
        source = BOOKS_TEMPLATE.read_text().splitlines()
        expected = next(i for i, line in enumerate(source, 1) if "book.author.name" in line)
        assert lines[expected] == 100


def rendered_line() -> int | None:
    """Line of the template variable that is being rendered, if any."""
    frame = sys._getframe(1)
    while frame := frame.f_back:
        node = frame.f_locals.get("self")
        if frame.f_code.co_name == "render_annotated" and isinstance(node, VariableNode):
            return node.token.lineno
    return None


class TestValues:
    @pytest.mark.parametrize(("variant", "instances"), [("slow", 3_298), ("fast", 0)])
    def test_model_instances(self, variant: str, instances: int, client: Client) -> None:
        made = 0

        def count(**kwargs: Any) -> None:
            nonlocal made
            made += 1

        post_init.connect(count, sender=Company)
        try:
            client.get(f"/values/{variant}/")
        finally:
            post_init.disconnect(count, sender=Company)
        assert made == instances

    @pytest.mark.parametrize(("variant", "columns"), [("slow", 9), ("fast", 2)])
    def test_columns(self, variant: str, columns: int, client: Client) -> None:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/values/{variant}/")
        selected = queries[0]["sql"].partition(" FROM ")[0]
        assert selected.count('"shop_company".') == columns

    def test_the_page_shows_a_hundred_rows(self, client: Client) -> None:
        assert client.get("/values/fast/").text.count("<tr>") == 1 + 100


class TestDictLookup:
    @pytest.mark.parametrize(("variant", "calls"), [("slow", 1_000), ("fast", 0)])
    def test_calls(
        self, variant: str, calls: int, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        called = []
        monkeypatch.setattr(lookup, "balance_of", lambda *args: called.append(args))
        client.get(f"/dict-lookup/{variant}/")
        assert len(called) == calls

    def test_the_newest_entry_counts(self) -> None:
        assert lookup.balance_of(1, [(1, 10), (2, 20), (1, 30)]) == 30

    def test_the_ledger_is_the_same_every_time(self) -> None:
        assert lookup.make_ledger() == lookup.LEDGER


class TestAutocomplete:
    @pytest.mark.parametrize(("variant", "queries"), [("slow", 1), ("trap", 1), ("fast", 0)])
    def test_queries_when_asked_again(
        self,
        variant: str,
        queries: int,
        client: Client,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        client.get(f"/autocomplete/{variant}/?q=AB")
        with django_assert_num_queries(queries):
            client.get(f"/autocomplete/{variant}/?q=AB")

    def test_a_cache_on_a_function_hits(self, client: Client) -> None:
        for _ in range(5):
            client.get("/autocomplete/fast/?q=AB")
        assert remembered_companies.cache_info()[:2] == (4, 1)

    def test_a_cache_on_a_method_never_hits(self, client: Client) -> None:
        for _ in range(5):
            client.get("/autocomplete/trap/?q=AB")
        assert AutocompleteTrap.remembered_companies.cache_info()[:2] == (0, 5)

    def test_a_cache_on_a_method_keeps_every_view_alive(self, client: Client) -> None:
        for _ in range(5):
            client.get("/autocomplete/trap/?q=AB")
        gc.collect()
        assert sum(type(thing) is AutocompleteTrap for thing in gc.get_objects()) == 5

    def test_caches_are_bounded(self) -> None:
        assert remembered_companies.cache_info().maxsize == 1_024
        assert AutocompleteTrap.remembered_companies.cache_info().maxsize == 1_024

    @pytest.mark.parametrize("typed", ["ab", " AB ", "AB"])
    def test_case_and_blanks_do_not_matter(self, typed: str, client: Client) -> None:
        rows = client.get("/autocomplete/fast/", {"q": typed, "format": "json"}).json()["rows"]
        assert rows
        assert all(symbol.startswith("AB") for symbol, _ in rows)

    @pytest.mark.parametrize("typed", ["", "%", "A_", "Ä", "1"])
    def test_what_is_not_letters_is_the_default(self, typed: str, client: Client) -> None:
        rows = client.get("/autocomplete/slow/", {"q": typed, "format": "json"}).json()["rows"]
        assert all(symbol.startswith("A") for symbol, _ in rows)


def test_an_empty_shop_says_how_to_fill_it(client: Client) -> None:
    Company.objects.all().delete()
    assert "manage.py seed" in client.get("/values/fast/").text
