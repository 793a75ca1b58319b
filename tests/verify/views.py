"""Views with a loop of queries each, and something that makes a replay difficult."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.middleware.csrf import get_token
from django.urls import include, path, reverse

import django_hotpath as hotpath
from django_hotpath.verification import VerifyError
from shop.models import Author, Book, Order

lock = threading.Lock()
numbers = itertools.count()
seen: dict[str, Any] = {}


def names(orders: Any) -> str:
    return " ".join(order.customer.name for order in orders)


def plain(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    return HttpResponse(names(orders))


def as_json(request: HttpRequest) -> HttpResponse:
    seen["accept"] = request.headers.get("Accept")
    orders = Order.objects.order_by("pk")
    return JsonResponse({"names": names(orders)})


def nested(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    return HttpResponse(" ".join(order.customer.company.name for order in orders))


def twice(request: HttpRequest) -> HttpResponse:
    first, second = Order.objects.order_by("pk"), Order.objects.order_by("-pk")
    return HttpResponse(names(first) + names(second))


def items(request: HttpRequest) -> HttpResponse:
    authors = Author.objects.order_by("pk")
    return HttpResponse(" ".join(str(len(author.books.all())) for author in authors))


def iterated(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk").iterator(chunk_size=2)
    return HttpResponse(names(orders))


def raw(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.raw("SELECT * FROM shop_order ORDER BY id")
    return HttpResponse(names(orders))


def deferred(request: HttpRequest) -> HttpResponse:
    authors = Author.objects.order_by("pk").defer("bio", "email")
    return HttpResponse(" ".join(author.bio for author in authors))


def only(request: HttpRequest) -> HttpResponse:
    authors = Author.objects.order_by("pk").only("name")
    return HttpResponse(" ".join(author.bio for author in authors))


def joined(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.select_related("customer__company").order_by("pk")
    return HttpResponse(names(orders))


def prefetched(request: HttpRequest) -> HttpResponse:
    authors = Author.objects.prefetch_related("books").order_by("pk")
    return HttpResponse(" ".join(author.name for author in authors))


async def asynchronous(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    found = [order async for order in orders]
    return HttpResponse(await sync_to_async(names)(found))


async def asynchronous_iterator(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    found = [order async for order in orders.aiterator(chunk_size=2)]
    return HttpResponse(await sync_to_async(names)(found))


def for_members(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    return HttpResponse(f"{request.user} {names(orders)}")


def with_token(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    return HttpResponse(f'<input value="{get_token(request)}"> {names(orders)}')


def counting(request: HttpRequest) -> HttpResponse:
    """Another body each time, of another length."""
    orders = Order.objects.order_by("pk")
    return HttpResponse("x " * next(numbers) + names(orders))


def telling(request: HttpRequest) -> HttpResponse:
    """Its answer depends on whether the customers are there."""
    orders = list(Order.objects.order_by("pk"))
    loaded = all(order._state.fields_cache for order in orders)
    return HttpResponse(f"{loaded} {names(orders)}")


def failing_with_fix(request: HttpRequest) -> HttpResponse:
    orders = list(Order.objects.order_by("pk"))
    if orders[0]._state.fields_cache:
        raise LookupError("loaded already")
    return HttpResponse(names(orders))


def unstable(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    for _ in range(next(numbers) % 3):
        Author.objects.count()
    return HttpResponse(names(orders))


def writing(request: HttpRequest) -> HttpResponse:
    """Writes as it comes, within atomic blocks and as it commits; tells what it sees."""
    orders = Order.objects.order_by("pk")
    Author.objects.create(name="autocommit", email="", born=1900, bio="")
    with transaction.atomic():
        Author.objects.create(name="atomic", email="", born=1900, bio="")
    with transaction.atomic(durable=True):
        Author.objects.create(name="durable", email="", born=1900, bio="")
        transaction.on_commit(lambda: seen.update(on_commit=True))
    seen["sent"] = seen.get("sent", 0) + 1
    names(orders)
    return HttpResponse(f"{Author.objects.count()} {connection.in_atomic_block}")


def atomic(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        with transaction.atomic():
            orders = list(Order.objects.order_by("pk"))
        return HttpResponse(names(orders))


def committing(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    transaction.commit()
    return HttpResponse(names(orders))


def closing(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    Author.objects.create(name="closing", email="", born=1900, bio="")
    connections.close_all()
    return HttpResponse(names(orders))


def raising(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    Author.objects.create(name="raising", email="", born=1900, bio="")
    raise LookupError(names(orders))


def elsewhere(request: HttpRequest) -> HttpResponse:
    """Writes from a thread that inherits the request's context, by a connection of its own."""
    orders = Order.objects.order_by("pk")

    def write() -> None:
        try:
            Author.objects.create(name="elsewhere", email="", born=1900, bio="")
        finally:
            connections.close_all()

    import contextvars

    thread = threading.Thread(target=contextvars.copy_context().run, args=(_quietly, write))
    thread.start()
    thread.join()
    return HttpResponse(names(orders))


def _quietly(work: Any) -> None:
    try:
        work()
    except Exception as error:
        seen["elsewhere"] = str(error)


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    orders: QuerySet[Order] = Order.objects.order_by("pk")

    def chunks() -> Iterator[str]:
        for order in orders:
            yield order.customer.name

    return StreamingHttpResponse(chunks())


def redirecting(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    return HttpResponseRedirect(f"/orders/{names(orders).split()[0]}/")


def missing(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    raise Http404(names(orders))


def moody(request: HttpRequest) -> HttpResponse:
    if seen.get("closed"):
        return HttpResponse("closed", status=503)
    orders = Order.objects.order_by("pk")
    return HttpResponse(names(orders))


def cached(request: HttpRequest) -> HttpResponse:
    orders = Order.objects.order_by("pk")
    text = cache.get("names") or names(orders)
    cache.set("names", text)
    return HttpResponse(text)


def slow(request: HttpRequest) -> HttpResponse:
    seen["slow"] = seen.get("slow", 0) + 1
    orders = Order.objects.order_by("pk")
    time.sleep(0.05)
    return HttpResponse(names(orders))


def alone(request: HttpRequest) -> HttpResponse:
    """Tells how many are in here at once at most."""
    orders = Order.objects.order_by("pk")
    with lock:
        seen["inside"] = seen.get("inside", 0) + 1
        seen["most"] = max(seen["inside"], seen.get("most", 0))
    time.sleep(0.02)
    with lock:
        seen["inside"] -= 1
    return HttpResponse(names(orders))


def verifying(request: HttpRequest) -> HttpResponse:
    """Verifies something itself, once it knows what."""
    orders = Order.objects.order_by("pk")
    if "capture" in seen:
        try:
            hotpath.verify(seen["capture"], 0)
        except VerifyError as error:
            seen["refused"] = str(error)
    return HttpResponse(names(orders))


def echo(request: HttpRequest, word: str = "") -> HttpResponse:
    orders = Order.objects.order_by("pk")
    kept = ("HTTP_HOST", "HTTP_ACCEPT_LANGUAGE", "REMOTE_ADDR", "HTTP_HOTPATH_PROFILE")
    seen["meta"] = {name: request.META.get(name) for name in kept}
    seen["reversed"] = reverse("plain")
    seen["request"] = (request.get_full_path(), request.scheme, dict(request.COOKIES))
    return HttpResponse(word + names(orders))


def books(request: HttpRequest) -> HttpResponse:
    """Nothing to gain: each author is read once, by a queryset of one row."""
    book = Book.objects.order_by("pk")[:1]
    return HttpResponse(" ".join(found.author.name for found in book))


urlpatterns = [
    path("__hotpath__/", include("django_hotpath.urls")),
    *(
        path(f"{view.__name__.replace('_', '-')}/", view, name=view.__name__)
        for view in (
            *(
                plain,
                as_json,
                nested,
                twice,
                items,
                iterated,
                raw,
                deferred,
                only,
                joined,
                prefetched,
            ),
            *(asynchronous, asynchronous_iterator, with_token, counting, telling),
            *(failing_with_fix, unstable, writing, atomic, committing, closing, raising),
            *(elsewhere, streamed, redirecting, missing, moody, cached, slow),
            *(alone, verifying, echo, books),
        )
    ),
    path("for-members/", login_required(for_members, login_url="/plain/")),
    path("echo/<word>/", echo),
]
