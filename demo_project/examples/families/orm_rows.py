"""How much a query brings back: columns, copies, whole rows for a few of their values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S0, S1, S2, S4, Example, Family, Signal, Sizes, Variant
from shop.models import Company, Member, Product, Visit

if TYPE_CHECKING:
    from examples.measuring import Measured

PRODUCTS = Sizes(default=100, cap=100)
COMPANIES = Sizes(default=3_298, cap=3_298)
MEMBERS = Sizes(default=100, cap=200)
BUSIEST = Sizes(default=20, cap=100)
# PostgreSQL groups by the key alone, in memory, and does not call that a temporary table.
PUTS_ASIDE = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")


def products_slow(request: HttpRequest) -> HttpResponse:
    products = Product.objects.select_related("category").order_by("pk")
    return _product_list(request, products[: PRODUCTS.asked(request)])


def products_fast(request: HttpRequest) -> HttpResponse:
    products = Product.objects.prefetch_related("category").order_by("pk")
    return _product_list(request, products[: PRODUCTS.asked(request)])


def _product_list(request: HttpRequest, products: Iterable[Product]) -> HttpResponse:
    rows = [
        (product.name, product.category.name, product.category.description[:40])
        for product in products
    ]
    return answer(request, payload(("Product", "Category", "About it"), rows))


def busiest_slow(request: HttpRequest) -> HttpResponse:
    visited = Company.objects.filter(visits__page="home").annotate(number=Count("visits"))
    companies = visited.order_by("-number", "pk")[: BUSIEST.asked(request)]
    rows = [(company.symbol, company.name, company.number) for company in companies]
    return answer(request, payload(("Symbol", "Company", "Visits"), rows))


def busiest_fast(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.filter(page="home").values_list("company")
    numbers = visits.annotate(number=Count("pk")).order_by("-number", "company")
    busiest = dict(numbers[: BUSIEST.asked(request)])
    companies = Company.objects.in_bulk(busiest)
    rows = [(companies[pk].symbol, companies[pk].name, number) for pk, number in busiest.items()]
    return answer(request, payload(("Symbol", "Company", "Visits"), rows))


def values_slow(request: HttpRequest) -> HttpResponse:
    companies = Company.objects.order_by("pk")[: COMPANIES.asked(request)]
    rows = [(company.id, company.symbol) for company in companies]
    return answer(request, payload(("Id", "Symbol"), rows))


def values_fast(request: HttpRequest) -> HttpResponse:
    companies = Company.objects.order_by("pk").values("id", "symbol")[: COMPANIES.asked(request)]
    rows = [(company["id"], company["symbol"]) for company in companies]
    return answer(request, payload(("Id", "Symbol"), rows))


def values_tuples(request: HttpRequest) -> HttpResponse:
    companies = Company.objects.order_by("pk").values_list("id", "symbol")
    return answer(request, payload(("Id", "Symbol"), companies[: COMPANIES.asked(request)]))


def members_slow(request: HttpRequest) -> HttpResponse:
    members = Member.objects.order_by("pk")[: MEMBERS.asked(request)]
    rows = [(member.name, member.email, member.city) for member in members]
    return answer(request, payload(("Name", "E-mail", "City"), rows))


def members_only(request: HttpRequest) -> HttpResponse:
    members = Member.objects.only("name", "email", "city").order_by("pk")
    rows = [
        (member.name, member.email, member.city) for member in members[: MEMBERS.asked(request)]
    ]
    return answer(request, payload(("Name", "E-mail", "City"), rows))


def members_defer(request: HttpRequest) -> HttpResponse:
    members = Member.objects.defer("bio", "image").order_by("pk")
    rows = [
        (member.name, member.email, member.city) for member in members[: MEMBERS.asked(request)]
    ]
    return answer(request, payload(("Name", "E-mail", "City"), rows))


def members_trap(request: HttpRequest) -> HttpResponse:
    members = Member.objects.only("name", "email").order_by("pk")
    rows = [
        (member.name, member.email, member.city) for member in members[: MEMBERS.asked(request)]
    ]
    return answer(request, payload(("Name", "E-mail", "City"), rows))


def temporary_tables(found: Measured) -> int:
    """Steps of the plan that put rows aside, other than to sort them."""
    return sum(step.startswith("temporary ") for step in found.value("plan").splitlines())


FAMILY = Family("rows", "Rows and columns", "How much a query brings back, and what is read of it.")

EXAMPLES = (
    Example(
        slug="values",
        number=9,
        title="Whole rows for two columns",
        family=FAMILY,
        source=(S0, S4),
        claim="`values()` is “much faster” than whole rows.",
        variants=(
            Variant("slow", values_slow, "3,298 whole companies", "slow", finding="unused_columns"),
            Variant("fast", values_fast, '.values("id", "symbol")', "fast"),
            Variant("tuples", values_tuples, '.values_list("id", "symbol")', "fast"),
        ),
        sizes=COMPANIES,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "columns", 9),
            Signal("slow", "model instances", 3_298),
            Signal("fast", "queries", 1),
            Signal("fast", "columns", 2),
            Signal("fast", "model instances", 0),
            Signal("tuples", "queries", 1),
            Signal("tuples", "columns", 2),
            Signal("tuples", "model instances", 0),
        ),
        explanation=(
            "All variants send one query. The slow one reads seven more columns, a long "
            "description among them, and builds a model instance for each row, all to show an id "
            "and a symbol. Look at the calls in the report, not at the number of queries; "
            "`?profile=usage` says how many bytes came for nothing."
        ),
        trap=(
            "Rows of `values()` are dicts: they have no methods and no relations. Where the code "
            "behind needs instances, `only()` fetches as little."
        ),
        shows=("usage", "calls", "queries"),
        profile="usage",
    ),
    Example(
        slug="only-defer",
        number=10,
        title="Thirty columns for three",
        family=FAMILY,
        source=(S4,),
        claim="Fetch three columns with `only()`, or leave out the long ones with `defer()`.",
        variants=(
            Variant("slow", members_slow, "all 30 columns", "slow", finding="unused_columns"),
            Variant("fast", members_only, 'only("name", "email", "city")', "fast"),
            Variant(
                "defer",
                members_defer,
                'defer("bio", "image")',
                "fast",
                finding="unused_columns",
            ),
            Variant(
                "trap",
                members_trap,
                'only("name", "email"), and the city is read',
                "trap",
                finding="n_plus_one",
            ),
        ),
        sizes=MEMBERS,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "columns", 30),
            Signal("fast", "queries", 1),
            Signal("fast", "columns", 4, "the key always comes along"),
            Signal("defer", "queries", 1),
            Signal("defer", "columns", 28, "the two that make nearly all of the bytes are gone"),
            Signal("trap", "queries", 101, "a deferred field, fetched for each row"),
            Signal("trap", "columns", 3),
        ),
        explanation=(
            "A table that grew for years: thirty columns, a biography and a picture among them. "
            "The page shows three. `only()` fetches those and the key; `defer()` leaves out the "
            "two long ones, which are most of the bytes, and the report still names the columns "
            "that nobody reads."
        ),
        trap=(
            "A field that was left out is fetched when it is read, with one query for that row. "
            "In a loop this is a new N+1, worse than what it should cure: the trap has "
            "101 queries, because somebody added a column to the page and not to `only()`."
        ),
        shows=("usage", "queries", "calls"),
        profile="usage",
    ),
    Example(
        slug="join-duplicates",
        number=7,
        title="The same five rows, a hundred times",
        family=FAMILY,
        source=(S1,),
        claim="100 products in 5 categories: `select_related()` builds each category 20 times.",
        variants=(
            Variant(
                "slow",
                products_slow,
                'select_related("category")',
                "slow",
                code=(products_slow, _product_list),
                finding="join_duplicates",
            ),
            Variant(
                "fast",
                products_fast,
                'prefetch_related("category")',
                "fast",
                code=(products_fast, _product_list),
            ),
        ),
        sizes=PRODUCTS,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "model instances of Category", 100, "five categories, 20 times each"),
            Signal("fast", "queries", 2, "one more"),
            Signal("fast", "model instances of Category", 5),
        ),
        explanation=(
            "A join repeats the columns of the category in every row, and Django makes an object "
            "of each copy. `prefetch_related()` asks a second time and gets five rows, which the "
            "products share. Memory and time for building objects go down, and the number of "
            "queries goes up by one."
        ),
        trap=(
            "With a hundred short rows a second trip to the database may cost more than the "
            "copies: on a server far away the join wins. It pays where the joined row is wide, or "
            "where there are thousands."
        ),
        verdict="partly",
        verdict_reason=(
            "100 objects become 5, as claimed, for one query more. At this size no difference in "
            "time can be seen."
        ),
        shows=("usage", "queries", "calls"),
        profile="usage",
    ),
    Example(
        slug="temp-table",
        number=8,
        title="One JOIN that fills a temporary table",
        family=FAMILY,
        source=(S1, S2),
        claim="One JOIN of 500 ms becomes several SELECTs of under 30 ms.",
        variants=(
            Variant(
                "slow",
                busiest_slow,
                'visited companies, and Count("visits")',
                "slow",
                finding="temporary_table" if PUTS_ASIDE else None,
            ),
            Variant("fast", busiest_fast, "count first, then fetch twenty companies", "fast"),
        ),
        sizes=BUSIEST,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "temporary tables", int(PUTS_ASIDE), read=temporary_tables),
            Signal("fast", "queries", 2),
            Signal("fast", "temporary tables", 0, read=temporary_tables),
        ),
        explanation=(
            "To find the twenty companies whose home page is visited most, the slow variant joins "
            "each of 7,000 visits to its company and groups by every column, descriptions "
            "included: the database puts all of that into a temporary table, sorts it and throws "
            "away all but twenty rows. The fast one counts keys in the order of an index, where "
            "equal ones stand together and nothing is put aside, and then fetches twenty "
            "companies by key."
        ),
        trap=(
            "PostgreSQL knows that the key decides the other columns and groups by it alone, so "
            "the difference is smaller there. And two statements may see two states of the data; "
            "where that matters, they belong into one transaction."
        ),
        verdict="partly",
        verdict_reason=(
            "The temporary table goes away, and with it most of the time. From 500 ms to under "
            "30 ms is not measured: that takes larger tables than a demo should fill."
        ),
        shows=("queries",),
    ),
)
