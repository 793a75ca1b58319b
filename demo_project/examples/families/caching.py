"""Work that is kept, and work that only looks as if it were kept."""

from __future__ import annotations

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.views import View

from examples.pages import answer, payload
from examples.registry import S0, Example, Family, Signal, Variant
from shop.models import Company

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


FAMILY = Family("caching", "Caching", "Work that is kept, and work that only seems to be.")

EXAMPLES = (
    Example(
        slug="autocomplete",
        title="The same question at every keystroke",
        family=FAMILY,
        source=(S0,),
        claim="100 people typing, 3,298 symbols: “nearly 10x” with a cache.",
        variants=(
            Variant("slow", autocomplete_slow, "a query for each keystroke", "slow"),
            Variant("trap", AutocompleteTrap.as_view(), "lru_cache on a method", "trap"),
            Variant("fast", autocomplete_fast, "lru_cache on a function", "fast"),
        ),
        sizes=None,
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
)
