"""Work of which it is known how often everything happens."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from asgiref.sync import sync_to_async
from django.core.cache import cache
from django.db import connection
from django.test import RequestFactory

from library import views
from library.models import Book


def fibonacci(number: int) -> int:
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def down(depth: int) -> int:
    return depth and down(depth - 1)


def step(number: int) -> int:
    return number + 1


def numbers(count: int) -> Iterator[int]:
    for number in range(count):
        yield step(number)


def generators(count: int, length: int) -> None:
    for _ in range(count):
        list(numbers(length))


def fails(depth: int) -> None:
    if depth == 0:
        raise LookupError
    fails(depth - 1)


def exceptions(count: int, depth: int) -> None:
    for _ in range(count):
        try:
            fails(depth)
        except LookupError:
            step(0)


async def child(steps: int) -> None:
    for number in range(steps):
        step(number)
        await asyncio.sleep(0)


async def tasks(count: int, steps: int) -> None:
    await asyncio.gather(*(child(steps) for _ in range(count)))


async def workers(count: int) -> None:
    for number in range(count):
        await sync_to_async(step)(number)


def statements(count: int) -> None:
    with connection.cursor() as cursor:
        for number in range(count):
            cursor.execute("SELECT title FROM library_book WHERE pages = %s", [number])


def nplus1() -> None:
    views.nplus1(RequestFactory().get("/"))


def fixed(method: str) -> None:
    """The same as a finding advises: the authors come with the books."""
    for book in getattr(Book.objects, method)("author").order_by("pk"):
        str(book.author.name)


def nplus1_template() -> None:
    views.nplus1_template(RequestFactory().get("/"))


def cached(stored: int, read: int) -> None:
    for number in range(stored):
        cache.set(f"key {number}", number)
    for number in range(read):
        cache.get(f"key {number}")


def rendered() -> None:
    views.template(RequestFactory().get("/"))
