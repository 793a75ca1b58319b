"""How often a page asks the database."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from examples.pages import answer, payload, wants_json
from examples.registry import S0, S1, S2, S4, Example, Family, Signal, Sizes, Variant
from shop.models import Book, Box, Order

ORDERS = BOXES = Sizes(default=100, cap=100)
BOOKS = Sizes(default=100, cap=200)
SHIPPED = Order.Status.SHIPPED


def orders_slow(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")[: ORDERS.asked(request)]
    rows = [(order.number, order.customer.name, order.status) for order in orders]
    return answer(request, payload(("Order", "Customer", "Status"), rows))


def orders_fast(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.select_related("customer").order_by("pk")[: ORDERS.asked(request)]
    rows = [(order.number, order.customer.name, order.status) for order in orders]
    return answer(request, payload(("Order", "Customer", "Status"), rows))


def orders_prefetch(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.prefetch_related("customer").order_by("pk")[: ORDERS.asked(request)]
    rows = [(order.number, order.customer.name, order.status) for order in orders]
    return answer(request, payload(("Order", "Customer", "Status"), rows))


def boxes_slow(request: HttpRequest) -> HttpResponse:
    rows = []
    for box in Box.objects.order_by("pk")[: BOXES.asked(request)]:
        names = sorted(content.name for content in box.contents.all())
        rows.append((box.label, ", ".join(names)))
    return answer(request, payload(("Box", "Contents"), rows))


def boxes_fast(request: HttpRequest) -> HttpResponse:
    rows = []
    for box in Box.objects.prefetch_related("contents").order_by("pk")[: BOXES.asked(request)]:
        names = sorted(content.name for content in box.contents.all())
        rows.append((box.label, ", ".join(names)))
    return answer(request, payload(("Box", "Contents"), rows))


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


def duplicates_slow(request: HttpRequest) -> HttpResponse:
    rows = [
        ("Orders", Order.objects.count()),
        ("Shipped", Order.objects.filter(status=SHIPPED).count()),
        ("Open", Order.objects.count() - Order.objects.filter(status=SHIPPED).count()),
    ]
    return answer(request, payload(("What", "How many"), rows))


def duplicates_fast(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.count()
    shipped = Order.objects.filter(status=SHIPPED).count()
    rows = [("Orders", orders), ("Shipped", shipped), ("Open", orders - shipped)]
    return answer(request, payload(("What", "How many"), rows))


FAMILY = Family("database", "Queries", "How often a page asks the database.")

EXAMPLES = (
    Example(
        slug="orders",
        number=5,
        title="A query for every row",
        family=FAMILY,
        source=(S0, S1, S2, S4),
        claim="100 orders take 101 queries; one or two are enough.",
        variants=(
            Variant(
                "slow", orders_slow, "order.customer, read in a loop", "slow", finding="n_plus_one"
            ),
            Variant("fast", orders_fast, 'select_related("customer")', "fast"),
            Variant("prefetch", orders_prefetch, 'prefetch_related("customer")', "fast"),
        ),
        sizes=ORDERS,
        signals=(
            Signal("slow", "queries", 101, "one, and one more for each order"),
            Signal("fast", "queries", 1, "with a join"),
            Signal("prefetch", "queries", 2, "the second fetches all customers at once"),
        ),
        explanation=(
            "The view loads a hundred orders with one query. It then asks every order for its "
            "customer, and Django fetches each of them when it is asked: one query more a row. "
            "Told beforehand, it joins the customers into the first query, or fetches all of them "
            "with a second one. The report names the line, and the change to make there."
        ),
        trap=(
            "Where the relation is not read in the end, loading it beforehand is work for nothing; "
            "`?profile=usage` says so."
        ),
        shows=("queries", "calls"),
    ),
    Example(
        slug="boxes",
        number=5,
        title="Boxes and what is in them",
        family=FAMILY,
        source=(S0,),
        claim="A loop over boxes and their contents asks once for each box.",
        variants=(
            Variant(
                "slow",
                boxes_slow,
                "box.contents.all(), read in a loop",
                "slow",
                finding="n_plus_one",
            ),
            Variant("fast", boxes_fast, 'prefetch_related("contents")', "fast"),
        ),
        sizes=BOXES,
        signals=(
            Signal("slow", "queries", 101),
            Signal("fast", "queries", 2, "boxes, then the contents of all of them"),
            Signal("slow", "model instances", 600),
            Signal("fast", "model instances", 600, "nothing is fetched twice"),
        ),
        explanation=(
            "A box has many contents, so no join can bring them without repeating the box for "
            "each: `prefetch_related()` asks for the contents of all boxes in a second query and "
            "hands them out in Python. Both variants build the same 600 objects; what is spared is "
            "the way to the database and back, ninety-nine times."
        ),
        trap=(
            "`box.contents.filter(…)` in the loop asks again, prefetched or not: filter with "
            "`Prefetch(queryset=…)`, or in Python. And many boxes make a long list of keys."
        ),
        shows=("queries", "calls"),
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
                code=(books_slow, _book_list, "examples/books.html"),
                finding="n_plus_one",
            ),
            Variant(
                "fast",
                books_fast,
                'select_related("author")',
                "fast",
                code=(books_fast, _book_list, "examples/books.html"),
            ),
        ),
        sizes=BOOKS,
        signals=(
            Signal("slow", "queries", 101, "201 for 200 books: they grow with the data"),
            Signal("fast", "queries", 1, "for 200 books too"),
        ),
        explanation=(
            "Nothing in the view looks wrong: the author is first read while the template is "
            "rendered. The report points to the line of the template that asks; the change "
            "belongs to the queryset in the view. With three books on your machine it is four "
            "queries, which nobody notices. With 200 it is 201: open the page at two sizes and "
            "compare them, and what grows with the data stands out."
        ),
        shows=("queries", "templates"),
    ),
    Example(
        slug="duplicate-queries",
        number=11,
        title="The same question twice",
        family=FAMILY,
        source=(S0, S1),
        claim="The same query is repeated where its answer could be reused.",
        variants=(
            Variant(
                "slow",
                duplicates_slow,
                "two counts, asked again for the difference",
                "slow",
                finding="duplicate_query",
            ),
            Variant("fast", duplicates_fast, "asked once, kept in a variable", "fast"),
        ),
        sizes=None,
        signals=(
            Signal("slow", "queries", 4),
            Signal("slow", "duplicate queries", 2),
            Signal("fast", "queries", 2),
            Signal("fast", "duplicate queries", 0),
        ),
        explanation=(
            "Each expression is harmless alone; together they ask the database twice for what it "
            "has just said. The report puts equal statements together, with their number, their "
            "average time, and both lines that ask. In a real project the second one is often in a "
            "template tag or a context processor, far from the first."
        ),
        trap=(
            "An answer may have changed in between. Where something was written since, the "
            "report does not call the second query a duplicate."
        ),
        shows=("queries",),
    ),
)
