"""Views of every kind for the tests of ``lines`` and ``line_memory``: their lines are looked up by
their text."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import ListView

from tests.views import Broken


def plain(request: HttpRequest) -> HttpResponse:
    total = 0
    for number in range(3):
        total += number
    return HttpResponse(str(total))


async def aplain(request: HttpRequest) -> HttpResponse:
    total = 0
    for number in range(3):
        await asyncio.sleep(0)
        total += number
    return HttpResponse(str(total))


def broken(request: HttpRequest) -> HttpResponse:
    number = len("reached")
    raise Broken(str(number))


class Mixin:
    def audience(self) -> str:
        return "everybody"


class GroupList(Mixin, ListView):
    template_name = "tests_books.html"

    def get_queryset(self) -> QuerySet[Group]:
        found = Group.objects.order_by("name")
        return found.filter(pk__gt=0)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["audience"] = self.audience()
        return context


class AsyncGroups(View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        names = await self.names()
        return HttpResponse(",".join(names))

    async def names(self) -> list[str]:
        await asyncio.sleep(0)
        return ["readers"]


@method_decorator(never_cache, name="dispatch")
class Decorated(View):
    @method_decorator(csrf_exempt)
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(self.text)

    @functools.cached_property
    def text(self) -> str:
        return "decorated"


def bare_decorator(view: Callable[..., Any]) -> Callable[..., Any]:
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return view(request, *args, **kwargs)

    return inner


@never_cache
@bare_decorator
def wrapped(request: HttpRequest, word: str = "none") -> HttpResponse:
    return HttpResponse(f"wrapped {word}")


class Instance:
    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.answer()

    def answer(self) -> HttpResponse:
        return HttpResponse("instance")


class Bound:
    def view(self, request: HttpRequest) -> HttpResponse:
        return self.answer()

    def answer(self) -> HttpResponse:
        return HttpResponse("bound")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingHttpResponse(parts())


async def astream(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(0)
        yield b"two"

    return StreamingHttpResponse(parts())


def choose_urlconf(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponse:
        request.urlconf = __name__  # type: ignore[attr-defined]
        return get_response(request)  # type: ignore[no-any-return]

    return middleware


urlpatterns = [
    path("plain/", plain),
    path("aplain/", aplain),
    path("broken/", broken),
    path("groups/", GroupList.as_view()),
    path("agroups/", AsyncGroups.as_view()),
    path("decorated/", Decorated.as_view()),
    path("wrapped/", wrapped),
    path("partial/", functools.partial(wrapped, word="partly")),
    path("instance/", Instance()),
    path("bound/", Bound().view),
    path("stream/", stream),
    path("astream/", astream),
]


def itself(request: HttpRequest) -> HttpResponse:
    inner = Client().get("/plain/")
    return HttpResponse(inner.content)


urlpatterns.append(path("itself/", itself))
