"""Work that is kept in Django's cache, and work that only looks as if it were kept."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S2, Example, Family, Signal, Variant
from shop.models import Company

FIVE_MINUTES = 300


def sector_figures() -> list[tuple[str, int, int]]:
    sectors = Company.objects.values("sector").order_by("sector")
    figures = sectors.annotate(companies=Count("pk"), staff=Sum("employees"))
    return list(figures.values_list("sector", "companies", "staff"))


def get_or_set_slow(request: HttpRequest) -> HttpResponse:
    return _sectors(request, sector_figures())


def get_or_set_trap(request: HttpRequest) -> HttpResponse:
    figures = cache.get_or_set("sectors:called", sector_figures(), FIVE_MINUTES)
    return _sectors(request, figures)


def get_or_set_fast(request: HttpRequest) -> HttpResponse:
    figures = cache.get_or_set("sectors", sector_figures, FIVE_MINUTES)
    return _sectors(request, figures)


def _sectors(request: HttpRequest, figures: Any) -> HttpResponse:
    return answer(request, payload(("Sector", "Companies", "Employees"), figures))


FAMILY = Family("caching", "Caching", "Work that is kept, and work that only seems to be.")

EXAMPLES = (
    Example(
        slug="get-or-set",
        number=23,
        title="The same figures, worked out for everyone",
        family=FAMILY,
        source=(S2,),
        claim="`cache.get_or_set()` works a value out once, and everyone else gets it for nothing.",
        variants=(
            Variant(
                "slow",
                get_or_set_slow,
                "worked out in each request",
                "slow",
                code=(get_or_set_slow, sector_figures),
            ),
            Variant("trap", get_or_set_trap, "sector_figures(), with brackets", "trap"),
            Variant("fast", get_or_set_fast, "get_or_set() of the function", "fast"),
        ),
        sizes=None,
        signals=(
            Signal("slow", "queries when asked again", 1),
            Signal("trap", "queries when asked again", 1, "worked out, and thrown away"),
            Signal("trap", "cache hits when asked again", 1),
            Signal("fast", "queries when asked again", 0),
            Signal("fast", "cache hits when asked again", 1),
            Signal("fast", "cache misses", 1, "the first visit fills it"),
        ),
        explanation=(
            "Every visitor sees the same figures by sector, and the database adds them up each "
            "time. `get_or_set()` asks the cache first and calls the function only when nothing is "
            "there. Given `sector_figures()` with brackets, the answer is worked out before the "
            "cache is asked: it hits each time, and saves nothing."
        ),
        trap=(
            "What the cache holds may be five minutes old, and while it is empty several visitors "
            "may work it out at once. Where the figure takes a millisecond, a cache on another "
            "machine may cost more than it saves."
        ),
        shows=("cache", "queries"),
    ),
)
