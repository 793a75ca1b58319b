"""``count_for_exists``, ``len_for_count``, ``sum_for_aggregate``: on real queries and sources."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shop.models import Author, Book, Category, Product
from tests.analysis.rewriting import Project, count, of_kind, project

__all__ = ["project"]

pytestmark = pytest.mark.django_db

Make = Callable[[str], Project]


@pytest.fixture(autouse=True)
def _rows() -> None:
    author = Author.objects.create(name="A", email="", born=1900, bio="")
    Book.objects.bulk_create(
        Book(title=f"B{n}", author=author, pages=n, price="1.10", summary="") for n in range(30)
    )
    category = Category.objects.create(name="C", description="")
    Product.objects.bulk_create(
        Product(name=f"P{n}", category=category, price="2.35", stock=n) for n in range(5)
    )


def body(text: str) -> str:
    return "def view():\n" + "".join(f"    {line}\n" for line in text.strip().split("\n"))


COUNTED = [
    ("if Book.objects.count() > 0:\n    return 1", "Book.objects.exists()"),
    ("return Book.objects.filter(pages=99).count() == 0", "not Book.objects.filter"),
    ("return 1 if 0 < Book.objects.count() else 2", "Book.objects.exists()"),
    ("return [Book.objects.count() >= 1, 2]", "[Book.objects.exists(), 2]"),
    ("return bool(Book.objects.filter(pages=3).count())", "filter(pages=3).exists()"),
    ("return not Book.objects.count() < 1", "not not Book.objects.exists()"),
    ("while not Book.objects.count():\n    pass", "while not Book.objects.exists():"),
    ("if Book.objects.count() and True:\n    return 1", "if Book.objects.exists() and True"),
    (
        "n = Book.objects.count()\nif n > 0:\n    return 1\nreturn n == 0",
        "n = Book.objects.exists()\n    if n:\n        return 1\n    return not n",
    ),
    ("books = Book.objects.all()\nif books:\n    return 1", "if books.exists():"),
    ("return bool(Book.objects.filter(pages__gt=2))", "return Book.objects.filter(pages__gt=2)."),
    ("books = Book.objects.all()\nreturn len(books) > 0", "return books.exists()"),
    ("return len(Book.objects.all()) == 0", "return not Book.objects.all().exists()"),
]


@pytest.mark.parametrize(("text", "expected"), COUNTED)
def test_exists_gives_the_same_answer(project: Make, text: str, expected: str) -> None:
    slow = project(body(text))
    answer, capture = slow.run()
    (finding,) = of_kind(capture, "count_for_exists")
    assert finding.fix is not None
    assert finding.fix.predicted is not None
    fixed = slow.rewritten(finding)
    assert expected in fixed.text
    again, after = fixed.run()
    assert again == answer
    assert type(again) is type(answer)
    assert (count(capture), count(after)) == finding.fix.predicted.queries
    assert of_kind(after, "count_for_exists") == []


@pytest.mark.parametrize(
    "text",
    [
        "return Book.objects.count()",
        "return Book.objects.count() > 1",
        "return Book.objects.count() == 30",
        "n = Book.objects.count()\nif n > 0:\n    return n",
        "return Book.objects.count() and 5",
        "return [1, 2].count(3) == 0",
        "return Book.objects.exists()",
        "books = Book.objects.all()\nif books:\n    return [book.title for book in books]",
        "books = Book.objects.all()\nif books:\n    return locals()['books'][0].title",
        "if Book.objects.filter(pages__lt=5):\n    return 1",
        "return all(Book.objects.filter(pages=n).count() > 0 for n in range(5))",
        "return f'{Book.objects.count() > 0}'",
    ],
)
def test_silent_where_the_number_or_the_rows_are_wanted(project: Make, text: str) -> None:
    _answer, capture = project(body(text)).run()
    assert of_kind(capture, "count_for_exists") == []


LENGTHS = [
    "return len(Book.objects.all())",
    "books = Book.objects.filter(pages__gt=1)\nreturn len(books)",
    "return len(Book.objects.order_by('pk')[2:28]) + 1",
    "return len(Book.objects.prefetch_related('author'))",
    "return len(Author.objects.get().books.all())",
]


@pytest.mark.parametrize("text", LENGTHS)
def test_count_gives_the_same_number(project: Make, text: str) -> None:
    slow = project(body(text))
    answer, capture = slow.run()
    (finding,) = of_kind(capture, "len_for_count")
    assert finding.fix is not None
    assert finding.fix.predicted is not None
    again, after = slow.rewritten(finding).run()
    assert again == answer
    assert (count(capture), count(after)) == finding.fix.predicted.queries
    assert of_kind(after, "len_for_count") == []


@pytest.mark.parametrize(
    "text",
    [
        "books = Book.objects.all()\nn = len(books)\nreturn n, books[0].title",
        "books = Book.objects.all()\nreturn len(books), list(books)",
        "books = Book.objects.all()\nreturn len(books) + len(books)",
        "return len(list(Book.objects.all()))",
        "return len(Book.objects.filter(pages__lt=19))",
        "return Book.objects.count()",
        "return len(kept())",
        "books = Book.objects.all()\ndef inner():\n    return books\nreturn len(books)",
        "return len(Book.objects.raw('SELECT * FROM shop_book'))",
    ],
)
def test_silent_where_the_rows_are_used_or_few(project: Make, text: str) -> None:
    kept = "BOOKS = Book.objects.all()\ndef kept():\n    return BOOKS\n"
    _answer, capture = project(kept + body(text)).run()
    assert of_kind(capture, "len_for_count") == []


SUMS = [
    "return sum(book.pages for book in Book.objects.all())",
    "return sum([book.pages for book in Book.objects.filter(pages__gt=2)])",
    "books = Book.objects.all()\ntotal = sum(book.pages for book in books)\nreturn total",
    "return 2 * sum(book.pages for book in Book.objects.all()) + 1",
]


@pytest.mark.parametrize("text", SUMS)
def test_the_database_gives_the_same_sum(project: Make, text: str) -> None:
    slow = project(body(text))
    answer, capture = slow.run()
    (finding,) = of_kind(capture, "sum_for_aggregate")
    assert finding.fix is not None
    assert finding.fix.predicted is not None
    fixed = slow.rewritten(finding)
    assert "import Sum" in fixed.text
    again, after = fixed.run()
    assert again == answer
    assert type(again) is type(answer)
    assert (count(capture), count(after)) == finding.fix.predicted.queries
    assert of_kind(after, "sum_for_aggregate") == []
    Book.objects.all().delete()
    assert slow.run()[0] == fixed.run()[0]


LISTS = {
    "return sum(pages)": 'total=Sum("pages")',
    "return len(pages), sum(pages)": 'total=Sum("pages"), number=Count("pk")',
    "return sum(pages) / len(pages), max(pages)": (
        'total=Sum("pages"), number=Count("pk"), most=Max("pages")'
    ),
}
KEPT = "pages = [book.pages for book in Book.objects.filter(pages__gt=2)]\n"


@pytest.mark.parametrize(("asked", "columns"), LISTS.items())
def test_several_figures_of_one_list_are_one_aggregate(
    project: Make, asked: str, columns: str
) -> None:
    _answer, capture = project(body(KEPT + asked)).run()
    (finding,) = of_kind(capture, "sum_for_aggregate")
    assert finding.fix is not None
    assert finding.fix.code == (f"figures = Book.objects.filter(pages__gt=2).aggregate({columns})")
    # Each use of the list would change: that is for the reader.
    assert finding.fix.edits == ()


@pytest.mark.parametrize(
    "asked",
    [
        "return len(pages)",
        "return sum(pages), pages[0]",
        "return sum(pages), sorted(pages)",
        "return sum(pages), [number + 1 for number in pages]",
        "return sum(pages, 5)",
        "pages.append(3)\nreturn sum(pages)",
        "return sum(pages), locals()",
    ],
)
def test_silent_where_the_list_is_used_otherwise(project: Make, asked: str) -> None:
    _answer, capture = project(body(KEPT + asked)).run()
    assert of_kind(capture, "sum_for_aggregate") == []


def test_decimals_are_added_as_floats_by_sqlite(project: Make) -> None:
    text = "return sum(book.price for book in Book.objects.all())"
    _answer, capture = project(body(text)).run()
    (finding,) = of_kind(capture, "sum_for_aggregate")
    assert finding.fix is not None
    vendor = capture.instruments["queries"]["queries"][0]["vendor"]
    assert bool(finding.fix.edits) == (vendor != "sqlite")
    assert ("floats" in finding.fix.summary) == (vendor == "sqlite")


@pytest.mark.parametrize(
    "text",
    [
        "books = Book.objects.all()\nreturn sum(book.pages for book in books), books[0].title",
        "return sum(book.pages for book in Book.objects.all() if book.pages > 2)",
        "return sum(book.pages * 2 for book in Book.objects.all())",
        "return sum(len(book.title) for book in Book.objects.all())",
        "return sum(product.stock for product in Product.objects.all())",
        "return sum((book.pages for book in Book.objects.all()), 5)",
        "return max(book.pages for book in Book.objects.all())",
        "return sum(Book.objects.values_list('pages', flat=True))",
        "return sum(book.author_id for book in Book.objects.all())",
    ],
)
def test_silent_where_it_is_another_sum(project: Make, text: str) -> None:
    _answer, capture = project(body(text)).run()
    assert of_kind(capture, "sum_for_aggregate") == []
