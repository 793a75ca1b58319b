"""Whole pages that are kept, and one that must not be."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.utils.crypto import get_random_string
from django.views.decorators.cache import cache_page
from django.views.decorators.vary import vary_on_headers

from examples.families.caching import FAMILY, FIVE_MINUTES
from examples.pages import answer, payload
from examples.registry import S2, Example, Signal, Variant
from shop.models import Company

Directory = list[tuple[str, str, str]]


def read_directory() -> Directory:
    companies = Company.objects.order_by("symbol")
    return list(companies.values_list("symbol", "name", "city"))


def cache_page_slow(request: HttpRequest) -> HttpResponse:
    return _directory(request, read_directory())


@cache_page(FIVE_MINUTES)
def cache_page_trap(request: HttpRequest) -> HttpResponse:
    visitor = request.session.setdefault("visitor", get_random_string(6))
    note = f"Visitor {visitor}, form token {get_token(request)[:6]}…"
    return _directory(request, read_directory(), note)


@cache_page(FIVE_MINUTES)
@vary_on_headers("HX-Request")
def cache_page_fast(request: HttpRequest) -> HttpResponse:
    return _directory(request, read_directory())


def _directory(request: HttpRequest, directory: Directory, note: str = "") -> HttpResponse:
    return answer(request, payload(("Symbol", "Company", "City"), directory), note=note)


EXAMPLES = (
    Example(
        slug="cache-page",
        number=24,
        title="A page that is the same for everyone",
        family=FAMILY,
        source=(S2,),
        claim="`cache_page` and `vary_on_headers`: the view does not even run.",
        variants=(
            Variant("slow", cache_page_slow, "made for each visitor", "slow"),
            Variant("trap", cache_page_trap, "cached with what is one visitor's own", "trap"),
            Variant("fast", cache_page_fast, "cache_page, and a header that it varies on", "fast"),
        ),
        sizes=None,
        signals=(
            Signal("slow", "queries when asked again", 1),
            Signal("slow", "calls of read_directory when asked again", 1),
            Signal("fast", "queries when asked again", 0),
            Signal("fast", "calls of read_directory when asked again", 0),
            Signal("fast", "cache hits when asked again", 2, "its headers, and the page"),
            Signal("trap", "calls of read_directory when asked again", 0),
        ),
        explanation=(
            "The directory of 3,298 companies is the same for everyone. With `cache_page` the "
            "second request is answered before the view is called: look for it in the flame "
            "graph, it is not there. Open the trap in two browsers: the second visitor is shown "
            "the first one's name and form token."
        ),
        trap=(
            "Never cache a page that shows session data or holds a CSRF token. The session and "
            "CSRF middleware add `Vary: Cookie` only after `cache_page` has kept the page. "
            "`vary_on_cookie` is not enough either: all first visits come without a cookie, and "
            "share a page. Mark such a view `@cache_control(private=True)`, which `cache_page` "
            'heeds, and cache what is below it. And `vary_on_headers("Accept-Language")` does '
            "nothing without `LocaleMiddleware`: with `USE_I18N` the key holds the language that "
            "is active, not the one that was asked for."
        ),
        shows=("cache", "calls", "queries"),
    ),
)
