"""Finding things: what was typed so far in a table, and the fitting ones in a long list."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.views import View

from examples.measuring import Measured
from examples.pages import answer, payload
from examples.registry import S0, Example, Family, Signal, Sizes, Variant
from shop.models import Company

NUMBERS = Sizes(default=100_000, cap=5_000_000)
SUGGESTIONS = 10
CACHE_SIZE = 1_024

Suggestions = tuple[tuple[str, str], ...]


def typed_prefix(request: HttpRequest) -> str:
    """What was typed so far, `?q=`: at most four letters, "A" when there is nothing usable."""
    prefix = request.GET.get("q", "").strip().upper()[:4]
    return prefix if prefix.isascii() and prefix.isalpha() else "A"


def find_companies(prefix: str) -> Suggestions:
    companies = Company.objects.filter(symbol__startswith=prefix).order_by("symbol")
    return tuple(companies.values_list("symbol", "name")[:SUGGESTIONS])


@lru_cache(maxsize=CACHE_SIZE)
def remembered_companies(prefix: str) -> Suggestions:
    return find_companies(prefix)


def _suggest(request: HttpRequest, suggestions: Suggestions, note: str) -> HttpResponse:
    return answer(request, payload(("Symbol", "Company"), suggestions), note=note)


def autocomplete_slow(request: HttpRequest) -> HttpResponse:
    return _suggest(request, find_companies(typed_prefix(request)), "No cache.")


def autocomplete_fast(request: HttpRequest) -> HttpResponse:
    suggestions = remembered_companies(typed_prefix(request))
    return _suggest(request, suggestions, str(remembered_companies.cache_info()))


class AutocompleteTrap(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        suggestions = self.remembered_companies(typed_prefix(request))
        return _suggest(request, suggestions, str(self.remembered_companies.cache_info()))

    # `self` is part of the key, and every request has a view of its own: that is the trap.
    @lru_cache(maxsize=CACHE_SIZE)  # noqa: B019
    def remembered_companies(self, prefix: str) -> Suggestions:
        return find_companies(prefix)


def forget() -> None:
    remembered_companies.cache_clear()
    AutocompleteTrap.remembered_companies.cache_clear()


def multiples_by_loop(numbers: range) -> int:
    found = []
    for number in numbers:
        if number % 42 == 0:
            found.append(number)
    return len(found)


def multiples_by_filter(numbers: range) -> int:
    return len(list(filter(lambda number: number % 42 == 0, numbers)))


def multiples_by_two_lists(numbers: range) -> int:
    fits = [number % 42 == 0 for number in numbers]
    return len([number for number, fit in zip(numbers, fits, strict=True) if fit])


def multiples_by_comprehension(numbers: range) -> int:
    return len([number for number in numbers if number % 42 == 0])


def intuition_filter(request: HttpRequest) -> HttpResponse:
    return _counted(request, multiples_by_filter)


def intuition_two_lists(request: HttpRequest) -> HttpResponse:
    return _counted(request, multiples_by_two_lists)


def intuition_loop(request: HttpRequest) -> HttpResponse:
    return _counted(request, multiples_by_loop)


def intuition_comprehension(request: HttpRequest) -> HttpResponse:
    return _counted(request, multiples_by_comprehension)


def _counted(request: HttpRequest, count: Callable[[range], int]) -> HttpResponse:
    n = NUMBERS.asked(request)
    return answer(request, payload(("Numbers", "Multiples of 42"), [(n, count(range(1, n + 1)))]))


FAMILY = Family("search", "Searching", "As somebody types, and through a long list.")

LAMBDA = "multiples_by_filter.<locals>.<lambda>"


def calls_of_lambda(found: Measured) -> float:
    return found.value(f"calls of {LAMBDA}")


EXAMPLES = (
    Example(
        slug="autocomplete",
        number=3,
        title="The same question at every keystroke",
        family=FAMILY,
        source=(S0,),
        claim="100 people typing, 3,298 symbols: “nearly 10x” with a cache.",
        variants=(
            Variant(
                "slow",
                autocomplete_slow,
                "a query for each keystroke",
                "slow",
                code=(autocomplete_slow, find_companies),
            ),
            Variant(
                "trap",
                AutocompleteTrap.as_view(),
                "lru_cache on a method",
                "trap",
                code=(AutocompleteTrap,),
                finding="method_cache",
            ),
            Variant(
                "fast",
                autocomplete_fast,
                "lru_cache on a function",
                "fast",
                code=(autocomplete_fast, remembered_companies),
            ),
        ),
        sizes=None,
        reset=forget,
        signals=(
            Signal("slow", "queries when asked again", 1),
            Signal("trap", "queries when asked again", 1),
            Signal("fast", "queries when asked again", 0),
        ),
        explanation=(
            "Many people type the same few letters. A cache keyed by the letters answers the "
            "second of them without a query. Put on a method of a class-based view, the same cache "
            "never hits: the view itself is part of the key, Django makes a new one for each "
            "request, and the cache keeps them all alive. Open a variant twice and read the line "
            "under the table."
        ),
    ),
    Example(
        slug="intuition",
        number=4,
        title="Four ways through a list",
        family=FAMILY,
        source=(S0,),
        claim="5,000,000 numbers: a `for` loop beats both `filter` and a comprehension.",
        variants=(
            Variant(
                "filter",
                intuition_filter,
                "filter() with a lambda",
                "slow",
                code=(multiples_by_filter,),
            ),
            Variant(
                "two-lists",
                intuition_two_lists,
                "two comprehensions, as published",
                "trap",
                code=(multiples_by_two_lists,),
            ),
            Variant("loop", intuition_loop, "a for loop", "fast", code=(multiples_by_loop,)),
            Variant(
                "comprehension",
                intuition_comprehension,
                "one comprehension",
                "fast",
                code=(multiples_by_comprehension,),
            ),
        ),
        sizes=NUMBERS,
        signals=(
            Signal(
                "filter",
                "calls of the lambda",
                100_000,
                "one for each number",
                read=calls_of_lambda,
            ),
            Signal("two-lists", "calls of the lambda", 0, read=calls_of_lambda),
            Signal("loop", "calls of the lambda", 0, read=calls_of_lambda),
            Signal("comprehension", "calls of the lambda", 0, read=calls_of_lambda),
        ),
        explanation=(
            "The test is cheap, so what counts is what surrounds it. `filter` calls a Python "
            "function for each number, 100,000 calls in the report. The published comprehension "
            "goes through the numbers twice and builds a list of as many truth values in between. "
            "The loop and one comprehension do the same work, and take about the same time. "
            "Neither is wrong enough for a finding: at this size all of them take milliseconds."
        ),
        trap="`filter(None, numbers)`, or with a built-in function, calls no Python code at all.",
        verdict="partly",
        verdict_reason=(
            "The loop beats `filter`, whose lambda is called 100,000 times, and the two "
            "comprehensions that were published; one honest comprehension takes about as long as "
            "the loop. Measured with 100,000 numbers, not with the 5,000,000 of the claim."
        ),
        shows=("calls", "lines"),
    ),
)
