"""What the examples about the database show beyond their signals."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from tests.require import require

from django_hotpath.capture import Finding
from examples.families import BY_URL_NAME
from examples.figures import explained
from examples.measuring import Measured, measure
from shop.models import Content, Visit

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]


def measured(name: str, **params: str) -> Measured:
    example, variant = BY_URL_NAME[name]
    return measure(example, variant, **params)


def finding(found: Measured, kind: str, profile: str = "1") -> Finding:
    return next(one for one in found.capture(profile).findings if one.kind == kind)


def code_of(found: Measured, kind: str, profile: str = "1") -> str:
    fix = finding(found, kind, profile).fix
    assert fix is not None
    assert fix.code is not None
    return fix.code


def steps(name: str) -> list[str]:
    """The kinds of step in the plans: each database has words of its own for them."""
    return [line.partition(" ")[0] for line in measured(name).value("plan").splitlines()]


class TestLoops:
    @pytest.mark.parametrize(("n", "queries"), [("100", 101), ("200", 201)])
    def test_a_template_that_asks_grows_with_the_data(self, n: str, queries: int) -> None:
        assert measured("books-slow", n=n).value("queries") == queries

    @pytest.mark.parametrize("n", ["100", "200"])
    def test_what_was_loaded_does_not(self, n: str) -> None:
        assert measured("books-fast", n=n).value("queries") == 1

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("orders-slow", 'select_related("customer")'),
            ("boxes-slow", 'prefetch_related("contents")'),
            ("books-slow", 'select_related("author")'),
        ],
    )
    def test_the_advice_is_the_fast_variant(self, name: str, change: str) -> None:
        assert change in code_of(measured(name), "n_plus_one")

    def test_a_repeated_question_is_named_with_both_lines(self) -> None:
        capture = measured("duplicate-queries-slow").capture()
        found = [one for one in capture.findings if one.kind == "duplicate_query"]
        assert len(found) == 2
        assert all(one.title.startswith("The same query 2 times, from 2 places") for one in found)


class TestRows:
    def test_most_bytes_are_of_columns_that_nobody_reads(self) -> None:
        found = finding(measured("only-defer-slow"), "unused_columns", "queries,usage")
        assert found.severity == "low"
        assert "image" in found.title + found.detail + str(found.fix)

    def test_a_deferred_field_in_a_loop_is_worse_than_all_columns(self) -> None:
        trap, slow = measured("only-defer-trap"), measured("only-defer-slow")
        assert trap.value("columns") < slow.value("columns")
        assert trap.value("queries") > 100 * slow.value("queries")
        fix = finding(trap, "n_plus_one").fix
        assert fix is not None
        assert 'Add "city" to only()' in fix.summary

    def test_the_advice_for_copies_is_a_prefetch(self) -> None:
        code = code_of(measured("join-duplicates-slow"), "join_duplicates", "queries,usage")
        assert 'prefetch_related("category")' in code

    @pytest.mark.usefixtures("explain_here")
    def test_groups_are_put_aside_only_by_the_join(self) -> None:
        # PostgreSQL groups in memory, and does not call that a temporary table.
        assert ("temporary" in steps("temp-table-slow")) is (connection.vendor == "sqlite")
        assert "temporary" not in steps("temp-table-fast")


class TestCounting:
    def test_the_advice_for_figures_of_a_list_is_one_aggregate(self) -> None:
        code = code_of(measured("aggregate-slow"), "sum_for_aggregate")
        assert 'aggregate(total=Sum("seconds"), number=Count("pk"))' in code

    def test_the_advice_for_a_count_is_exists(self) -> None:
        assert ".exists()" in code_of(measured("exists-slow"), "count_for_exists")

    @pytest.mark.parametrize("variant", ["slow", "fast"])
    def test_of_no_visits_all_figures_are_zero(self, variant: str, client: Client) -> None:
        Visit.objects.all().delete()
        answer = client.get(f"/aggregate/{variant}/?format=json").json()
        assert answer["rows"] == [[0, 0, 0]]


class TestWrites:
    @pytest.mark.parametrize(
        "path",
        [
            *(f"/bulk-create/{variant}/" for variant in ("slow", "fast")),
            *(f"/bulk-update/{variant}/" for variant in ("slow", "bulk", "fast")),
        ],
    )
    def test_what_is_written_is_taken_back(self, path: str, client: Client) -> None:
        def rows() -> list[Any]:
            return [list(model.objects.order_by("pk").values()) for model in (Content, Visit)]

        before = rows()
        first = client.get(path, {"format": "json", "n": 50}).json()
        again = client.get(path, {"format": "json", "n": 50}).json()
        assert first == again
        assert first["rows"][0][0] == 50
        assert rows() == before

    def test_the_advice_for_a_loop_that_counts_on_is_an_update(self) -> None:
        assert 'update(seconds=F("seconds") + 60)' in code_of(
            measured("bulk-update-slow"), "write_loop"
        )

    def test_the_advice_for_a_loop_that_creates_is_bulk_create(self) -> None:
        assert "bulk_create(" in code_of(measured("bulk-create-slow"), "write_loop")


@pytest.mark.usefixtures("explain_here")
class TestIndexes:
    @pytest.mark.parametrize("variant", ["slow", "single", "composite"])
    def test_rows_that_come_in_no_order_are_sorted(self, variant: str) -> None:
        assert "sort" in steps(f"indexes-{variant}")

    @pytest.mark.parametrize("variant", ["fast", "covering", "partial"])
    def test_an_index_with_the_date_last_gives_the_order(self, variant: str) -> None:
        assert "sort" not in steps(f"indexes-{variant}")

    def test_the_table_is_not_touched_by_one_of_them(self) -> None:
        words = {"sqlite": "USING COVERING INDEX", "postgresql": "Index Only Scan"}
        covering = words[connection.vendor]
        assert covering in measured("indexes-covering").value("plan")
        assert covering not in measured("indexes-fast").value("plan")

    def test_the_index_that_is_advised_is_that_of_the_fast_variant(self) -> None:
        found = explained(measured("indexes-slow")).findings
        (fix,) = [one.fix for one in found if one.kind == "full_scan"]
        assert fix is not None
        assert fix.code is not None
        assert 'fields=["customer", "status", "-created_at"]' in fix.code


class TestConnections:
    def test_a_pool_connects_once_and_where_there_is_none_the_page_says_so(
        self, client: Client
    ) -> None:
        said = "pools connections to PostgreSQL only"
        if connection.vendor == "postgresql":
            require(find_spec("psycopg_pool") is not None, "needs psycopg_pool")
            said = "Connections that the pool opened: 1."
        assert said in client.get("/connections/pool/").text

    @pytest.mark.parametrize("n", ["1", "50"])
    def test_connects_are_as_many_as_requests_only_where_none_is_kept(self, n: str) -> None:
        slow, fast = measured("connections-slow", n=n), measured("connections-fast", n=n)
        assert slow.value("calls of get_new_connection") == int(n)
        assert fast.value("calls of get_new_connection") == 1

    def test_the_page_leaves_its_own_connection_alone(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            client.get("/connections/slow/")
        assert connection.is_usable()
