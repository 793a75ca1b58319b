"""What the examples of plain Python, memory and threads show, beyond their signals."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from tests.require import require

from examples.families import EXAMPLES, lifetimes, lookup, memory, numeric, search, text, threads
from examples.measuring import Measured, measure
from examples.registry import Example

pytestmark = [pytest.mark.urls("demo.urls"), pytest.mark.usefixtures("shop")]

ANY_SIZE = pytest.mark.parametrize("n", [1, 2, 41, 42, 1_000])
BY_SLUG = {example.slug: example for example in EXAMPLES}


def measured(slug: str, variant: str, **params: str) -> Measured:
    return measure(BY_SLUG[slug], variant, **params)


def own_rows() -> list[Example]:
    families = (search, lookup, text, numeric, memory, lifetimes, threads)
    return [example for family in families for example in family.EXAMPLES]


def test_every_row_of_the_catalogue_is_there() -> None:
    assert {example.number for example in own_rows()} == {
        *(1, 2, 3, 4, 19, 20, 21, 22),
        *(33, 34, 35, 36, 37),
    }


class TestNextBalance:
    @ANY_SIZE
    def test_both_ways_give_the_same(self, n: int) -> None:
        pairs = lookup.balance_pairs(n)
        assert len(pairs) == n
        assert lookup.next_balances_loop(pairs) == lookup.next_balances_comprehension(pairs)

    def test_it_is_the_balance_and_the_difference_to_the_one_before(self) -> None:
        assert lookup.next_balances_loop([(10, 4), (4, 10)]) == [16, 10]

    def test_it_does_not_claim_to_be_faster(self) -> None:
        assert BY_SLUG["next-balance"].verdict == "not reproduced"


class TestIntuition:
    @ANY_SIZE
    def test_four_ways_one_count(self, n: int) -> None:
        numbers = range(1, n + 1)
        ways: tuple[Callable[[range], int], ...] = (
            search.multiples_by_loop,
            search.multiples_by_filter,
            search.multiples_by_two_lists,
            search.multiples_by_comprehension,
        )
        assert {way(numbers) for way in ways} == {n // 42}

    def test_the_calls_of_the_lambda_grow_with_the_numbers(self) -> None:
        found = measured("intuition", "filter", n="2000")
        assert found.value(f"calls of {search.LAMBDA}") == 2_000


class TestMemoise:
    @pytest.mark.parametrize(
        ("weight", "least"),
        [(0, 0), (1, 310), (5, 310), (6, 450), (20, 450), (25, 690), (150, 1_889)],
    )
    def test_postage_is_the_least_possible(self, weight: int, least: int) -> None:
        assert lookup.postage(weight) == least

    def test_hits_and_size(self, client: Client) -> None:
        client.get("/memoise/fast/")
        hits, misses, bound, size = lookup.remembered_postage.cache_info()
        assert (hits, misses, size) == (2_950, 50, 50)
        assert bound == 256

    def test_the_page_says_so(self, client: Client) -> None:
        assert "hits=2950, misses=50" in client.get("/memoise/fast/").text


class TestStringConcat:
    @ANY_SIZE
    def test_three_ways_one_text(self, n: int) -> None:
        joined = text.export_joined(n)
        assert joined.count("\n") == n
        assert text.export_in_attribute(n) == text.export_in_local_name(n) == joined

    def test_the_claim_holds_for_the_attribute_only(self) -> None:
        example = BY_SLUG["string-concat"]
        assert example.verdict == "partly"
        # Before 3.12 tracing switches off what makes the local name quick.
        local = None if sys.version_info >= (3, 12) else "slow_function"
        assert [variant.finding for variant in example.variants] == ["slow_function", local, None]


class TestCallCost:
    def test_three_ways_one_bill(self) -> None:
        cents = numeric.charges(1_000)
        assert numeric.bill_by_calls(cents) == sum(cents)
        assert numeric.bill_by_bound_method(cents) == numeric.bill_by_built_in(cents) == sum(cents)

    @pytest.mark.parametrize("variant", ["slow", "bound"])
    def test_looking_the_method_up_once_spares_no_call(self, variant: str) -> None:
        found = measured("call-cost", variant, n="500")
        assert found.value("calls of Bill.add") == found.value("calls of Bill.plus") == 500

    def test_the_built_in_calls_nothing(self) -> None:
        assert measured("call-cost", "fast", n="500").value("calls of Bill.add") == 0


class TestVectorise:
    @ANY_SIZE
    def test_the_same_to_the_last_digit(self, n: int) -> None:
        require(not BY_SLUG["vectorise"].missing, "needs numpy")
        assert numeric.nearest_by_numpy(*numeric.arrays(n)) == numeric.nearest_by_loop(
            numeric.points(n)
        )

    def test_each_line_of_the_loop_runs_for_each_point(self) -> None:
        if sys.version_info < (3, 12):
            pytest.skip("lines are by line_profiler there")
        found = measured("vectorise", "slow", n="700")
        where = "lines:examples.families.numeric.nearest_by_loop"
        (function,) = found.instrument("lines", where)["functions"]
        hits = {line["source"].strip(): line["hits"] for line in function["lines"]}
        assert hits["total += squared"] == 700


class TestSlots:
    def test_an_object_with_slots_has_no_dict(self) -> None:
        assert not hasattr(memory.SlottedPerson("Ada", "ada@example.com"), "__dict__")
        assert hasattr(memory.Person("Ada", "ada@example.com"), "__dict__")

    def test_a_third_less_at_least(self) -> None:
        slow = memory.bytes_a_person(measured("slots", "slow"))
        fast = memory.bytes_a_person(measured("slots", "fast"))
        assert fast < slow * 2 / 3


class TestGenerators:
    @pytest.mark.parametrize(("variant", "grows"), [("list", True), ("yield", False)])
    def test_what_is_kept_grows_with_the_numbers(self, variant: str, grows: bool) -> None:
        few = measured("generators", variant, n="2000").value("peak bytes")
        many = measured("generators", variant, n="20000").value("peak bytes")
        assert (many > 5 * few) == grows

    def test_a_queryset_keeps_all_rows_for_a_generator_too(self) -> None:
        trap = measured("generators", "queryset", n="5000").value("peak bytes")
        fast = measured("generators", "iterator", n="5000").value("peak bytes")
        assert fast < trap / 4


class TestLeak:
    def kept(self, cached: Any) -> int:
        return cached.cache_info().currsize

    def test_each_request_keeps_one_more(self, client: Client) -> None:
        sizes = []
        for _ in range(6):
            client.get("/leak/slow/?n=5")
            sizes.append(self.kept(lifetimes.listing_asked_at))
        assert sizes == [1, 2, 3, 4, 5, 6]

    def test_none_of_it_is_found_again(self, client: Client) -> None:
        for _ in range(6):
            client.get("/leak/slow/?n=5")
        assert lifetimes.listing_asked_at.cache_info().hits == 0

    def test_a_bound_holds(self, client: Client) -> None:
        for n in (5, 6, 7, 8, 7, 8):
            client.get(f"/leak/fast/?n={n}")
        assert self.kept(lifetimes.listing) == 2
        assert lifetimes.listing.cache_info().hits == 2

    def test_instances_stay_alive(self, client: Client) -> None:
        alive = [measured("leak", "slow", n="50").value("instances left when asked again")]
        alive.append(measured("leak", "fast", n="50").value("instances left when asked again"))
        assert alive == [50, 0]

    def test_the_demo_survives_it(self, client: Client) -> None:
        for _ in range(lifetimes.GROWS_TO):
            client.get("/leak/slow/?n=1")
        assert self.kept(lifetimes.listing_asked_at) == 0

    def test_several_runs_tell_the_line_and_not_the_bounded_one(self) -> None:
        assert measured("leak", "slow").kinds() == {"memory_growth"}
        assert measured("leak", "fast").kinds() == frozenset()


class TestGarbage:
    def test_only_the_collector_frees_what_is_in_a_cycle(self) -> None:
        gc.collect()
        gc.disable()
        try:
            invoice = lifetimes.Invoice(1)
            lifetimes.Item(invoice, cents=5)
            del invoice
            assert gc.collect() >= 2
            invoice = lifetimes.Invoice(2)
            invoice.items.append(lifetimes.FreeItem(cents=5))
            del invoice
            assert gc.collect() == 0
        finally:
            gc.enable()

    def test_collections_grow_with_the_cycles(self) -> None:
        few = measured("gc", "slow", n="10000").value("collections")
        many = measured("gc", "slow", n="100000").value("collections")
        assert many >= 5 * max(few, 1)

    def test_what_was_freed_is_told(self) -> None:
        recorded = measured("gc", "slow").instrument("gc")
        assert recorded["collected"] >= 100_000
        assert recorded["pauses"]


class TestGil:
    def test_the_service_gives_what_computing_gives(self) -> None:
        assert threads.count_primes(1) == threads.ask_for_primes(1) == 5_133

    def test_the_page_tells_wall_from_processor_time(self, client: Client) -> None:
        assert "CPU" in client.get("/gil/fast/?n=1").text

    @pytest.mark.parametrize(
        ("variant", "advice"), [("computing", "cache"), ("waiting", "threads")]
    )
    def test_advice_is_for_what_it_does(self, variant: str, advice: str) -> None:
        findings = measured("gil", variant).capture().findings
        (finding,) = [one for one in findings if one.kind == "slow_function"]
        assert finding.fix is not None
        assert advice in finding.fix.summary

    def test_threads_that_compute_are_told_that_they_take_turns(self) -> None:
        findings = measured("gil", "computing-threads").capture().findings
        assert [one.kind for one in findings] == ["slow_function"]


class TestAutocomplete:
    def test_a_hundred_people_cost_as_many_queries_as_they_type_prefixes(
        self, client: Client, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(4):
            for person in range(100):
                client.get("/autocomplete/fast/", {"q": "ABCD"[person % 4]})
        assert search.remembered_companies.cache_info()[:2] == (96, 4)
