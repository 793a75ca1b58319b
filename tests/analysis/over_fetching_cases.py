"""Functions in threes: ``_slow`` fetches for nothing, ``_fixed`` does not, ``_silent`` seems to.

``# origin`` stands at the line of the queryset.
"""

from __future__ import annotations

import copy
import pickle
from typing import Any

from django.core import serializers
from django.db.models import Prefetch, QuerySet
from django.forms.models import model_to_dict
from django.template import engines
from django.test import RequestFactory
from django.views.generic import ListView

from shop.models import Author, Book, Category, Company, Customer, Order, Product

BOOKS, AUTHORS = 120, 4


def fill() -> None:
    """120 books by 4 authors, 40 orders by 40 customers of 2 companies, 40 tiny categories."""
    authors = Author.objects.bulk_create(
        Author(name=f"Author {n}", email=f"a{n}@example.com", born=1900 + n, bio="life " * 100)
        for n in range(AUTHORS)
    )
    Book.objects.bulk_create(
        Book(
            title=f"Book {n}",
            author=authors[n % AUTHORS],
            pages=100 + n,
            price=10,
            summary="long " * 50,
        )
        for n in range(BOOKS)
    )
    companies = Company.objects.bulk_create(
        Company(
            symbol=f"C{n}",
            name=f"Company {n}",
            sector="s",
            city="c",
            founded=1900,
            employees=1,
            website="https://example.com",
            description="about " * 80,
        )
        for n in range(2)
    )
    customers = Customer.objects.bulk_create(
        Customer(name=f"Customer {n}", email=f"c{n}@example.com", company=companies[n % 2])
        for n in range(40)
    )
    Order.objects.bulk_create(
        Order(
            number=f"O{n}",
            customer=customers[n],
            status="paid",
            created_at="2026-01-01T00:00:00Z",
        )
        for n in range(40)
    )
    category = Category.objects.create(name="All", description="tiny")
    Product.objects.bulk_create(
        Product(name=f"Product {n}", category=category, price=1, stock=1) for n in range(40)
    )


def _render(text: str, **context: Any) -> str:
    return str(engines["django"].from_string(text).render(context))


def joined_slow() -> Any:
    books = Book.objects.select_related("author").order_by("pk")[:30]  # origin
    return [book.pages for book in books if book.title and book.summary]


def joined_fixed() -> Any:
    books = Book.objects.order_by("pk")[:30]
    return [book.pages for book in books if book.title and book.summary]


def joined_silent() -> Any:
    books = Book.objects.select_related("author").order_by("pk")[:30]
    return [book.author.name if book.pages == 105 else book.summary for book in books]


def prefetched_slow() -> Any:
    authors = Author.objects.prefetch_related("books").order_by("pk")  # origin
    return [(author.name, author.bio) for author in authors]


def prefetched_fixed() -> Any:
    authors = Author.objects.order_by("pk")
    return [(author.name, author.bio) for author in authors]


def prefetched_silent() -> Any:
    authors = Author.objects.prefetch_related("books").order_by("pk")
    return [(author.name, author.bio, author.books.count()) for author in authors]


def forward_slow() -> Any:
    books = Book.objects.prefetch_related("author")[:30]  # origin
    return sorted(book.title + book.summary for book in books)


def forward_fixed() -> Any:
    books = Book.objects.all()[:30]
    return sorted(book.title + book.summary for book in books)


def forward_silent() -> Any:
    books = Book.objects.prefetch_related("author")[:30]
    return sorted(book.title + book.summary + book.author.name for book in books)


def nested_slow() -> Any:
    orders = Order.objects.select_related("customer__company").order_by("pk")  # origin
    return [(order.number, order.customer.name) for order in orders]


def nested_fixed() -> Any:
    orders = Order.objects.select_related("customer").order_by("pk")
    return [(order.number, order.customer.name) for order in orders]


def nested_silent() -> Any:
    orders = Order.objects.select_related("customer__company").order_by("pk")
    return [(order.number, str(order.customer.company)) for order in orders]


def deep_slow() -> Any:
    companies = Company.objects.prefetch_related("customers__orders")  # origin
    return [[customer.name for customer in company.customers.all()] for company in companies]


def deep_fixed() -> Any:
    companies = Company.objects.prefetch_related("customers")
    return [[customer.name for customer in company.customers.all()] for company in companies]


def deep_silent() -> Any:
    companies = Company.objects.prefetch_related("customers__orders")
    return [[len(c.orders.all()) for c in company.customers.all()] for company in companies]


def earlier_line_slow() -> Any:
    books = Book.objects.select_related("author")
    found = books.filter(pages__lt=130)  # origin
    return sorted(book.title + book.summary for book in found)


def earlier_line_fixed() -> Any:
    books = Book.objects.all()
    found = books.filter(pages__lt=130)
    return sorted(book.title + book.summary for book in found)


def earlier_line_silent() -> Any:
    books = Book.objects.select_related("author")
    found = books.filter(pages__lt=130)
    return sorted(book.author.name + book.summary for book in found)


def template_slow() -> Any:
    books = Book.objects.select_related("author").order_by("pk")[:30]  # origin
    return _render("{% for b in books %}{{ b.title }}{{ b.summary }}{% endfor %}", books=books)


def template_fixed() -> Any:
    books = Book.objects.order_by("pk")[:30]
    return _render("{% for b in books %}{{ b.title }}{{ b.summary }}{% endfor %}", books=books)


def template_silent() -> Any:
    books = Book.objects.select_related("author").order_by("pk")[:30]
    return _render("{% for b in books %}{{ b.author }}{{ b.summary }}{% endfor %}", books=books)


class Books(ListView):  # type: ignore[type-arg]
    queryset = Book.objects.select_related("author").order_by("pk")

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> Any:
        return [book.title + book.summary for book in context["object_list"]]


class BooksFixed(Books):
    queryset = Book.objects.order_by("pk")


class BooksSilent(Books):
    queryset = Book.objects.select_related("author").order_by("pk")

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> Any:
        return [book.author.name + book.summary for book in context["object_list"]]


def view_slow() -> Any:
    return Books.as_view()(RequestFactory().get("/"))


def view_fixed() -> Any:
    return BooksFixed.as_view()(RequestFactory().get("/"))


def view_silent() -> Any:
    return BooksSilent.as_view()(RequestFactory().get("/"))


def to_attr_silent() -> Any:
    authors = Author.objects.prefetch_related(Prefetch("books", to_attr="written"))
    return sorted(author.name + author.bio for author in authors)


def pickled_silent() -> Any:
    books = Book.objects.select_related("author").order_by("pk")
    assert pickle.dumps(list(books))
    return len(books)


def copied_silent() -> Any:
    books = Book.objects.select_related("author").order_by("pk")
    return [copy.copy(book).author.name for book in books]


def by_dict_silent() -> Any:
    books = Book.objects.select_related("author").order_by("pk")
    return [vars(book)["title"] for book in books if book.pages]


def two_callers_silent() -> Any:
    def books() -> QuerySet[Book]:
        return Book.objects.select_related("author").order_by("pk")

    first = [book.title + book.summary for book in books()]
    return first, [book.author.name for book in books()]


def detail_silent() -> Any:
    book = Book.objects.select_related("author").get(title="Book 1")
    return book.title


def columns_slow() -> Any:
    books = Book.objects.order_by("pk")  # origin
    return [book.title for book in books]


def columns_fixed() -> Any:
    books = Book.objects.order_by("pk").only("title")
    return [book.title for book in books]


def columns_silent() -> Any:
    books = Book.objects.order_by("pk")
    return [book.summary if book.pages == 105 else book.title for book in books]


def joined_columns_slow() -> Any:
    orders = Order.objects.select_related("customer__company").order_by("pk")  # origin
    return [(order.number, order.customer.company.symbol) for order in orders]


def joined_columns_fixed() -> Any:
    orders = (
        Order.objects.select_related("customer__company")
        .order_by("pk")
        .defer("customer__company__description")
    )
    return [(order.number, order.customer.company.symbol) for order in orders]


def joined_columns_silent() -> Any:
    orders = Order.objects.select_related("customer__company").order_by("pk")
    return [(order.number, order.customer.company.description) for order in orders]


def below_slow() -> Any:
    authors = Author.objects.prefetch_related("books").order_by("pk")  # origin
    return [[book.title for book in author.books.all()] for author in authors]


def below_fixed() -> Any:
    books = Book.objects.only("title", "author_id")
    authors = Author.objects.prefetch_related(Prefetch("books", queryset=books)).order_by("pk")
    return [[book.title for book in author.books.all()] for author in authors]


def below_silent() -> Any:
    authors = Author.objects.prefetch_related("books").order_by("pk")
    return [[book.summary for book in author.books.all()] for author in authors]


def saved_silent() -> Any:
    for book in Book.objects.order_by("pk")[:30]:
        book.title = "x"
        book.save()


def form_silent() -> Any:
    return [model_to_dict(book)["title"] for book in Book.objects.order_by("pk")]


def serialized_silent() -> Any:
    return len(serializers.serialize("json", Book.objects.order_by("pk")))


def few_rows_silent() -> Any:
    return [book.title for book in Book.objects.order_by("pk")[:15]]


def small_columns_silent() -> Any:
    return [product.name for product in Product.objects.order_by("pk")]


def lazy_silent() -> Any:
    books = Book.objects.only("title", "author_id").order_by("pk")
    return [(book.title, book.author.name) for book in books]


def related_slow() -> Any:
    author = Author.objects.only("pk").order_by("pk")[0]
    return [book.title for book in author.books.order_by("pk")]  # origin


def related_fixed() -> Any:
    author = Author.objects.only("pk").order_by("pk")[0]
    return [book.title for book in author.books.only("title").order_by("pk")]


def keys_silent() -> Any:
    return [item.pk for item in Product.objects.order_by("pk")]


def rows_slow() -> Any:
    books = list(Book.objects.order_by("pk"))[:10]  # origin
    return [(book.title, book.summary) for book in books]


def rows_fixed() -> Any:
    books = list(Book.objects.order_by("pk")[:10])
    return [(book.title, book.summary) for book in books]


def rows_silent() -> Any:
    books = list(Book.objects.order_by("pk"))
    return [(book.title, book.summary) for book in books[:60]]


def length_silent() -> Any:
    return len(Book.objects.order_by("pk"))


def truth_silent() -> Any:
    return bool(Book.objects.order_by("pk"))


def copies_slow() -> Any:
    books = Book.objects.select_related("author").order_by("pk")  # origin
    return [(book.title, book.summary, book.author.bio) for book in books]


def copies_fixed() -> Any:
    books = Book.objects.prefetch_related("author").order_by("pk")
    return [(book.title, book.summary, book.author.bio) for book in books]


def copies_silent() -> Any:
    orders = Order.objects.select_related("customer").order_by("pk")
    return [(order.number, order.customer.name) for order in orders]


def copies_below_slow() -> Any:
    orders = Order.objects.select_related("customer__company").order_by("pk")  # origin
    return [(o.number, o.customer.name, o.customer.company.description) for o in orders]


def copies_below_fixed() -> Any:
    orders = Order.objects.select_related("customer").order_by("pk")
    orders = orders.prefetch_related("customer__company")
    return [(o.number, o.customer.name, o.customer.company.description) for o in orders]


def tiny_copies_silent() -> Any:
    products = Product.objects.select_related("category").order_by("pk")
    return [(product.name, product.category.name) for product in products]
