"""Cache-aside: ask the cache, else work it out and leave it there for the next one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from django.core.cache import cache
from django.db.models import Avg, Count, Sum
from django.http import HttpRequest, HttpResponse

from examples.families.caching import FAMILY
from examples.pages import answer, payload
from examples.registry import S2, S4, Example, Signal, Variant
from examples.services import cache_words
from shop.models import Company

MISSING = object()


def cached(
    prefix: str, ttl: int = 300, key_func: Callable[..., Any] = str
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keeps what a function answers for `ttl` seconds, under the prefix and what `key_func` makes
    of its arguments."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def remembered(*args: Any) -> Any:
            key = f"{prefix}:{quote(str(key_func(*args)))}"
            value = cache.get(key, MISSING)
            if value is MISSING:
                value = function(*args)
                cache.set(key, value, ttl)
            return value

        return remembered

    return decorate


class Region:
    """The companies of a city."""

    def __init__(self, city: str) -> None:
        self.city = city


def region_figures(region: Region) -> list[tuple[str, Any]]:
    companies = Company.objects.filter(city=region.city)
    staff = companies.aggregate(Count("pk"), Sum("employees"), Avg("founded"))
    return [
        ("Companies", staff["pk__count"]),
        ("Employees", staff["employees__sum"]),
        ("Founded, on average", round(staff["founded__avg"] or 0)),
    ]


@cached("nameless")
def nameless_figures(region: Region) -> list[tuple[str, Any]]:
    return region_figures(region)


@cached("region", ttl=600, key_func=lambda region: region.city)
def cached_figures(region: Region) -> list[tuple[str, Any]]:
    return region_figures(region)


# Kept for a while: else a new region may be given the address of one that is gone, and with it,
# in the trap, the figures of another city.
recent: deque[Region] = deque(maxlen=100)


def chosen_region(request: HttpRequest) -> Region:
    recent.append(Region(request.GET.get("city", "Lyon")[:40]))
    return recent[-1]


def cache_aside_slow(request: HttpRequest) -> HttpResponse:
    return _figures(request, region_figures(chosen_region(request)))


def cache_aside_trap(request: HttpRequest) -> HttpResponse:
    return _figures(request, nameless_figures(chosen_region(request)))


def cache_aside_fast(request: HttpRequest) -> HttpResponse:
    return _figures(request, cached_figures(chosen_region(request)))


def _figures(request: HttpRequest, figures: Any) -> HttpResponse:
    return answer(request, payload(("Figure", "Value"), figures), note=cache_words())


EXAMPLES = (
    Example(
        slug="cache-aside",
        number=25,
        title="A decorator that asks the cache first",
        family=FAMILY,
        source=(S2, S4),
        claim=(
            "A cache-aside decorator over Redis (prefix, ttl, `key_func`): 300 seconds by default, "
            "600 for a profile, 60 for a dashboard."
        ),
        variants=(
            Variant(
                "slow",
                cache_aside_slow,
                "asks the database each time",
                "slow",
                code=(cache_aside_slow, region_figures),
            ),
            Variant(
                "trap",
                cache_aside_trap,
                "cached by an object without a text of its own",
                "trap",
                code=(cache_aside_trap, nameless_figures, Region),
                finding="cache_misses",
            ),
            Variant(
                "fast",
                cache_aside_fast,
                "cached by what tells the regions apart",
                "fast",
                code=(cache_aside_fast, cached_figures, cached),
            ),
        ),
        sizes=None,
        signals=(
            Signal("slow", "queries when asked again", 1),
            Signal("trap", "queries when asked again", 1),
            Signal("trap", "cache misses when asked again", 1),
            Signal("trap", "cache sets when asked again", 1, "an entry more with each request"),
            Signal("fast", "queries when asked again", 0),
            Signal("fast", "cache hits when asked again", 1),
        ),
        explanation=(
            "The decorator asks the cache by a key made of its prefix and the arguments, and calls "
            "the function only when nothing is there. The key decides everything: `str()` of an "
            "object without a `__str__` is its address in memory, another one in each request: the "
            "cache never hits, and fills up, until an address comes again and it answers with "
            "another region's figures. The report names the line. By default the cache is "
            "this process's memory; with `HOTPATH_DEMO_REDIS` it is Redis."
        ),
        trap=(
            "A local-memory cache is one for each process: four workers miss four times, and hold "
            "four copies. A value may be as old as its ttl; short ones suit what must be fresh, "
            "long ones what is dear to work out."
        ),
        shows=("cache", "queries"),
    ),
)
