"""What a page asks of the database, and what it does with the answer."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from examples.pages import answer, payload, wants_json
from examples.registry import S0, S1, S2, S4, Example, Family, Signal, Sizes, Variant
from shop.models import Book, Company, Order

ORDERS = Sizes(default=100, cap=100)
BOOKS = Sizes(default=100, cap=200)
COMPANIES = Sizes(default=3_298, cap=3_298)


def orders_slow(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")[: ORDERS.asked(request)]
    rows = [(order.number, order.customer.name, order.status) for order in orders]
    return answer(request, payload(("Order", "Customer", "Status"), rows))


def orders_fast(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.select_related("customer").order_by("pk")[: ORDERS.asked(request)]
    rows = [(order.number, order.customer.name, order.status) for order in orders]
    return answer(request, payload(("Order", "Customer", "Status"), rows))


def books_slow(request: HttpRequest) -> HttpResponse:
    return _book_list(request, Book.objects.order_by("pk")[: BOOKS.asked(request)])


def books_fast(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").order_by("pk")
    return _book_list(request, books[: BOOKS.asked(request)])


def _book_list(request: HttpRequest, books: QuerySet[Book]) -> HttpResponse:
    if wants_json(request):
        rows = [(book.title, book.author.name) for book in books]
        return answer(request, payload(("Title", "Author"), rows))
    return render(request, "examples/books.html", {"books": books})


def values_slow(request: HttpRequest) -> HttpResponse:
    companies = Company.objects.order_by("pk")[: COMPANIES.asked(request)]
    rows = [(company.id, company.symbol) for company in companies]
    return answer(request, payload(("Id", "Symbol"), rows))


def values_fast(request: HttpRequest) -> HttpResponse:
    companies = Company.objects.order_by("pk").values("id", "symbol")[: COMPANIES.asked(request)]
    rows = [(company["id"], company["symbol"]) for company in companies]
    return answer(request, payload(("Id", "Symbol"), rows))


FAMILY = Family("database", "The database", "How often a page asks, and how much it brings back.")

EXAMPLES = (
    Example(
        slug="orders",
        number=5,
        title="A query for every row",
        family=FAMILY,
        source=(S0, S1, S2, S4),
        claim="100 orders take 101 queries; one is enough.",
        variants=(
            Variant(
                "slow", orders_slow, "order.customer, read in a loop", "slow", finding="n_plus_one"
            ),
            Variant("fast", orders_fast, 'select_related("customer")', "fast"),
        ),
        sizes=ORDERS,
        signals=(Signal("slow", "queries", 101), Signal("fast", "queries", 1)),
        explanation=(
            "The view loads a hundred orders with one query. It then asks every order for its "
            "customer, and Django fetches each of them when it is asked: one query more a row. "
            "Told beforehand, it joins the customers into the first query. The report names the "
            "line."
        ),
    ),
    Example(
        slug="books",
        number=6,
        title="A query for every row, made by a template",
        family=FAMILY,
        source=(S1,),
        claim="A relation touched in a template hides while the data are small.",
        variants=(
            Variant(
                "slow",
                books_slow,
                "{{ book.author.name }}, not loaded",
                "slow",
                code=(books_slow, "examples/books.html"),
                finding="n_plus_one",
            ),
            Variant(
                "fast",
                books_fast,
                'select_related("author")',
                "fast",
                code=(books_fast, "examples/books.html"),
            ),
        ),
        sizes=BOOKS,
        signals=(Signal("slow", "queries", 101), Signal("fast", "queries", 1)),
        explanation=(
            "Nothing in the view looks wrong: the author is first read while the template is "
            "rendered. The report points to the line of the template that asks; the change "
            "belongs to the queryset in the view. With 200 books the page takes 201 "
            "queries: the number grows with the data."
        ),
    ),
    Example(
        slug="values",
        number=9,
        title="Whole rows for two columns",
        family=FAMILY,
        source=(S0, S4),
        claim="values() is “much faster” than whole rows.",
        variants=(
            Variant("slow", values_slow, "3,298 whole companies", "slow", finding="unused_columns"),
            Variant("fast", values_fast, '.values("id", "symbol")', "fast"),
        ),
        sizes=COMPANIES,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "model instances", 3_298),
            Signal("fast", "queries", 1),
            Signal("fast", "model instances", 0),
        ),
        explanation=(
            "Both variants send one query. The slow one reads seven more columns, a long "
            "description among them, and builds a model instance for each row, all to show an id "
            "and a symbol. Look at the calls in the report, not at the queries."
        ),
    ),
)
