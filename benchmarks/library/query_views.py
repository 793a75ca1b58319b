"""Many statements, made in the ways that statements are made."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from library.models import Author, Book
from library.views import timed

# Bytes that the last ``kept`` view's statements left behind while it ran.
left_behind = [0]


def by_cursor(count: int) -> Any:
    titles = []
    with connection.cursor() as cursor:
        for number in range(count):
            cursor.execute("SELECT title FROM library_book WHERE id = %s", [number + 1])
            titles.append(cursor.fetchone())
    return titles


def by_orm(count: int) -> Any:
    """One for the books, one for the author of each."""
    books = Book.objects.order_by("pk")[: count - 1]
    for book in books:
        str(book.author.name)
    return books


def in_template(count: int) -> Any:
    books = Book.objects.order_by("pk")[: count - 1]
    return render_to_string("library/books.html", {"books": books})


def prefetched(count: int) -> Any:
    """Two for each queryset: the books, and their authors."""
    found = []
    for number in range(count // 2):
        found.append(Book.objects.filter(pk=number + 1).prefetch_related("author"))
        list(found[-1])
    return found


KINDS: dict[str, Callable[[int], Any]] = {
    "cursor": by_cursor,
    "orm": by_orm,
    "template": in_template,
    "prefetch": prefetched,
}


@timed
def queries(request: HttpRequest, kind: str, count: int) -> HttpResponse:
    KINDS[kind](count)
    return HttpResponse("<html><body>queries</body></html>")


def kept(request: HttpRequest, kind: str, count: int) -> HttpResponse:
    """The same; what the view itself holds at the end is still there when memory is read."""
    before = _traced()
    held = KINDS[kind](count)
    left_behind[0] = _traced() - before
    del held
    return HttpResponse("<html><body>kept</body></html>")


def _traced() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def fill(count: int) -> None:
    """So many books, each with an author of its own."""
    there = Book.objects.count()
    authors = Author.objects.bulk_create(
        Author(name=f"Author {number}", country="Somewhere") for number in range(there, count)
    )
    Book.objects.bulk_create(
        Book(title=f"Book {number}", pages=100 + number, author=author)
        for number, author in enumerate(authors, there)
    )
