"""``duplicate_query``: the answer is kept, to the letter where nobody can tell the difference."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shop.models import Author, Book, Category
from tests.analysis.rewriting import Project, count, of_kind, project

__all__ = ["project"]

pytestmark = pytest.mark.django_db

Make = Callable[[str], Project]


@pytest.fixture(autouse=True)
def _rows() -> None:
    author = Author.objects.create(name="A", email="", born=1900, bio="")
    Book.objects.bulk_create(
        Book(title=f"B{n}", author=author, pages=n, price="1.10", summary="") for n in range(4)
    )
    Category.objects.create(name="C", description="")


CERTAIN = [
    """
def view():
    total = Book.objects.count()
    return total, Book.objects.count()
""",
    """
def view():
    found = [Book.objects.filter(pages=2).exists()]
    if Book.objects.filter(pages=2).exists():
        found.append(Book.objects.filter(pages=2).exists())
    return found
""",
    """
def view():
    return Book.objects.count(), Book.objects.count() + 1
""",
    """
def view():
    found = []
    for pages in range(5):
        found.append(pages < Book.objects.count())
    return found
""",
    """
def view():
    pages = 2
    first = [book.title for book in Book.objects.filter(pages__gt=pages)]
    second = 0
    for book in Book.objects.filter(pages__gt=pages):
        second += book.pages
    return first, second
""",
    """
def view():
    name = Author.objects.get(name="A").name
    return name, Author.objects.get(name="A").born
""",
    """
from django.db.models import Max

def view():
    if Book.objects.aggregate(most=Max("pages"))["most"] > 1:
        return Book.objects.aggregate(most=Max("pages"))["most"]
""",
]


@pytest.mark.parametrize("text", CERTAIN)
def test_asked_once_the_answer_is_the_same(project: Make, text: str) -> None:
    slow = project(text)
    answer, capture = slow.run()
    (finding,) = of_kind(capture, "duplicate_query")
    assert finding.fix is not None
    assert finding.fix.kind == "reuse"
    assert finding.fix.predicted is not None
    again, after = slow.rewritten(finding).run()
    assert again == answer
    assert (count(capture), count(after)) == finding.fix.predicted.queries
    assert of_kind(after, "duplicate_query") == []


DOUBTFUL = [
    # The objects may be changed.
    """
def view():
    author = Author.objects.get(name="A")
    author.name = "B"
    return author.name, Author.objects.get(name="A").name
""",
    """
def view():
    first = [book for book in Book.objects.all()]
    first[0].title = "other"
    return [book.title for book in Book.objects.all()]
""",
    # Not always asked.
    """
def view():
    found = True and Book.objects.count()
    return found, Book.objects.count()
""",
    # Something was called before it.
    """
def ask():
    return 1

def view():
    return ask() + Book.objects.count(), Book.objects.count()
""",
    # What it asks for is another name's value by then.
    """
def view():
    pages = 2
    first = Book.objects.filter(pages=pages).count()
    pages = int("2")
    return first, Book.objects.filter(pages=pages).count()
""",
    # In a loop that may have no turn, a missing row would be missed.
    """
def view():
    return [pages * Author.objects.get(name="A").born for pages in range(4)]
""",
    # Different functions.
    """
def ask():
    return Book.objects.count()

def view():
    return ask(), Book.objects.count()
""",
    # The first is in a branch.
    """
def view():
    total = 0
    if Category.objects.exists():
        total = Book.objects.filter(pages=2).count()
    return total, Book.objects.filter(pages=2).count()
""",
    # The loop runs twice.
    """
def ask():
    return [pages < Book.objects.count() for pages in range(2)]

def view():
    return ask(), ask()
""",
]


@pytest.mark.parametrize("text", DOUBTFUL)
def test_never_to_the_letter_where_it_may_make_a_difference(project: Make, text: str) -> None:
    _answer, capture = project(text).run()
    (finding,) = of_kind(capture, "duplicate_query")
    assert finding.fix is not None
    assert finding.fix.kind == "reuse"
    assert finding.fix.edits == ()


def test_whoever_called_a_helper_is_named(project: Make) -> None:
    text = """
    def ask():
        return Book.objects.count()

    def view():
        first = ask()
        return first, ask()
    """
    slow = project(text)
    _answer, capture = slow.run()
    (finding,) = of_kind(capture, "duplicate_query")
    lines = [n for n, line in enumerate(slow.text.splitlines(), 1) if "ask()" in line][1:]
    assert f"called from {slow.file}:{lines[0]}, {slow.file}:{lines[1]}." in finding.detail
