from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from shop.models import Book


def books(request: HttpRequest) -> HttpResponse:
    """Names of authors where they are asked for."""
    found = Book.objects.select_related("author").order_by("pk")[:30]
    authors = "authors" in request.GET
    lines = [f"{book.title} {book.author.name if authors else book.summary}" for book in found]
    return HttpResponse("\n".join(lines), content_type="text/html")


urlpatterns = [
    path("__hotpath__/", include("django_hotpath.urls")),
    path("books/", books),
]
