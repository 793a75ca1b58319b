"""Programs whose time is spent on known paths: what a tree of calls has to show.

The first two note their own work, in units, on the path where it is done; of a page nobody knows
beforehand, so that it needs a reference.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import CodeType
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.views import View

# Turns of an empty loop in a unit of work.
TURNS = 1_000

Path = tuple[CodeType, ...]


class Marks:
    """Units of work by path, from the entry of the program to the function that did it."""

    def __init__(self, entry: CodeType) -> None:
        self.units: Counter[Path] = Counter()
        self._entry = entry

    def note(self, units: int) -> None:
        path = []
        frame = sys._getframe(1)
        while frame.f_code is not self._entry:
            path.append(frame.f_code)
            assert frame.f_back is not None
            frame = frame.f_back
        self.units[self._entry, *reversed(path)] += units


# None while time is taken: noting takes time.
marks: Marks | None = None


def shared_helper() -> None:
    """Two functions call one helper as often, and one of them gives it 199 times the work."""
    light()
    heavy()


def light() -> None:
    helper(1)


def heavy() -> None:
    helper(199)


def helper(units: int) -> None:
    spend(units)


def spend(units: int) -> None:
    if marks is not None:
        marks.note(units)
    for _ in range(units * TURNS):
        pass


def dispatch() -> None:
    """Two class-based views, which Django leads through the same functions, for the same time."""
    request = RequestFactory().get("/")
    show_list(request)
    show_detail(request)


def show_list(request: HttpRequest) -> HttpResponse:
    return list_view(request)  # type: ignore[return-value]


def show_detail(request: HttpRequest) -> HttpResponse:
    return detail_view(request)  # type: ignore[return-value]


class ListPage(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        if marks is not None:
            marks.note(100)
        for _ in range(100 * TURNS):
            pass
        return HttpResponse("list")


class DetailPage(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        if marks is not None:
            marks.note(100)
        for _ in range(100 * TURNS):
            pass
        return HttpResponse("detail")


list_view = ListPage.as_view()
detail_view = DetailPage.as_view()


def template() -> None:
    from library import views

    views.template(RequestFactory().get("/"))


def nplus1() -> None:
    from library import views

    views.nplus1(RequestFactory().get("/"))


def _not_random(length: int, allowed_chars: str) -> str:
    return allowed_chars[0] * length


def changelist() -> None:
    from django.contrib import admin
    from django.contrib.auth.models import User
    from django.middleware import csrf

    from library.models import Book

    # Random letters take a random number of calls.
    csrf.get_random_string = _not_random  # type: ignore[attr-defined]
    request = RequestFactory().get("/admin/library/book/")
    request.user = User(username="admin", is_staff=True, is_superuser=True)
    response: Any = admin.site._registry[Book].changelist_view(request)
    response.render()


PROGRAMS: dict[str, Callable[[], None]] = {
    program.__name__: program for program in (shared_helper, dispatch, template, nplus1, changelist)
}
# Those that note their own work.
MARKED = frozenset({"shared_helper", "dispatch"})
