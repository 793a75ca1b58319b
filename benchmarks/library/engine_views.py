"""Views of more kinds than ``views``: what an engine costs depends on what the code does.

Each notes when its own work began and ended, like those of ``views``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.views.generic import ListView

from library.models import Book
from library.views import began, ended, timed

_DEPTH = 26
_OBJECTS = 30_000
_WAITS = 4
_WAIT_SECONDS = 0.01
_CHUNKS = 60
_STEPS = 30


def fibonacci(number: int) -> int:
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


@timed
def cpu(request: HttpRequest) -> HttpResponse:
    """Nothing but small Python functions: the dearest there is for whoever counts calls."""
    return HttpResponse(str(fibonacci(_DEPTH)))


@timed
def alloc(request: HttpRequest) -> HttpResponse:
    """Many small objects, made in a loop in the view itself: three lines for each."""
    rows = []
    for number in range(_OBJECTS):
        row = {"number": number, "title": f"book {number}"}
        rows.append(row)
    return HttpResponse(str(len(rows)))


@timed
def io(request: HttpRequest) -> HttpResponse:
    """Waits, as for a network, and does nothing."""
    for _ in range(_WAITS):
        time.sleep(_WAIT_SECONDS)
    return HttpResponse("waited")


async def asynchronous(request: HttpRequest) -> HttpResponse:
    """Work in its own task, in others and in a worker thread, suspended again and again."""
    began()
    for _ in range(_STEPS):
        fibonacci(17)
        await asyncio.sleep(0)
    await asyncio.gather(*(_child() for _ in range(4)))
    await sync_to_async(fibonacci)(19)
    ended()
    return HttpResponse("done")


async def _child() -> None:
    for _ in range(_STEPS // 4):
        fibonacci(17)
        await asyncio.sleep(0)


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """A template rendered for each chunk; the work ends with the last one."""
    began()
    return StreamingHttpResponse(_chunks())


def _chunks() -> Iterator[str]:
    for number in range(_CHUNKS):
        group = [{"number": number, "title": f"<{number}>", "pages": number} for _ in range(10)]
        yield render_to_string("library/group.html", {"group": group})
    ended()


class BookList(ListView):  # type: ignore[type-arg]
    template_name = "library/list.html"

    def get_queryset(self) -> QuerySet[Book]:
        return Book.objects.select_related("author").order_by("pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        rows = []
        for book in context["object_list"]:
            rows.append({"title": self.heading(book), "author": book.author.name})
        context["rows"] = rows
        return context

    def heading(self, book: Book) -> str:
        return f"{book.title} ({book.pages} pages)"

    def render_to_response(self, context: dict[str, Any], **kwargs: Any) -> HttpResponse:
        # Else it would be rendered by Django's handler, behind the view.
        return super().render_to_response(context, **kwargs).render()


class_based = timed(BookList.as_view())
