"""Each view notes when its own work began and ended, so that what a profiler adds inside the view
can be told from what it adds around it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from harness.clock import now

from library.models import Author, Book

BOOKS = 200
GROUPS = 100
ROWS_IN_GROUP = 10

# When the work of the last view began and ended, by the clock of the run and by the wall clock.
span = [0.0, 0.0]
wall_span = [0.0, 0.0]

_HELLO = "<!doctype html><html><head><title>Hello</title></head><body>Hello</body></html>"


def timed(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @functools.wraps(view)
    def wrapper(request: HttpRequest, **arguments: Any) -> HttpResponse:
        began()
        response = view(request, **arguments)
        ended()
        return response

    return wrapper


def began() -> None:
    wall_span[0] = perf_counter()
    span[0] = now()


def ended() -> None:
    span[1] = now()
    wall_span[1] = perf_counter()


@timed
def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_HELLO)


async def hello_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_HELLO)


@timed
def template(request: HttpRequest) -> HttpResponse:
    """Template work alone: 1,000 rows with filters in 100 includes, no queries."""
    groups = [
        [
            {"number": number, "title": f"a book about <{number}>", "pages": 100 + number}
            for number in range(group * ROWS_IN_GROUP, (group + 1) * ROWS_IN_GROUP)
        ]
        for group in range(GROUPS)
    ]
    return render(request, "library/rows.html", {"groups": groups})


@timed
def nplus1(request: HttpRequest) -> HttpResponse:
    """1 + 200 statements from one line of a view."""
    names = [f"<li>{book.title}: {book.author.name}</li>" for book in Book.objects.order_by("pk")]
    return HttpResponse(f"<html><body><ul>{''.join(names)}</ul></body></html>")


@timed
def nplus1_template(request: HttpRequest) -> HttpResponse:
    """The same statements from inside a template: a deeper stack to walk for each."""
    return render(request, "library/books.html", {"books": Book.objects.order_by("pk")})


def fill() -> None:
    authors = Author.objects.bulk_create(
        Author(name=f"Author {number}", country="Somewhere") for number in range(BOOKS)
    )
    Book.objects.bulk_create(
        Book(title=f"Book {number}", pages=100 + number, author=author)
        for number, author in enumerate(authors)
    )
