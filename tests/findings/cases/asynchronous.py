"""Async views: ``async for``, the async methods, and sync code in another thread."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.db.models import Count

from tests.library.models import Essay, Person


def _writer(essay):
    return essay.writer.name  # read


async def forward_slow():
    found = []
    async for essay in Essay.objects.order_by("pk"):  # origin
        found.append(await sync_to_async(_writer)(essay))
    return found


async def forward_fixed():
    found = []
    async for essay in Essay.objects.order_by("pk").select_related("writer"):
        found.append(essay.writer.name)
    return found


async def forward_silent():
    essay = await Essay.objects.aget(title="Essay 1")
    return await sync_to_async(_writer)(essay)


async def reverse_slow():
    found = []
    async for person in Person.objects.order_by("pk"):  # origin
        async for essay in person.essays.all():  # read
            found.append(essay.title)
    return sorted(found)


async def reverse_fixed():
    found = []
    async for person in Person.objects.order_by("pk").prefetch_related("essays"):
        async for essay in person.essays.all():
            found.append(essay.title)
    return sorted(found)


async def reverse_silent():
    person = await Person.objects.aget(name="Person 1")
    return sorted([essay.title async for essay in person.essays.all()])


async def count_slow():
    found = []
    async for person in Person.objects.order_by("pk"):  # origin
        found.append(await person.essays.acount())  # read
    return found


async def count_fixed():
    found = []
    async for person in Person.objects.order_by("pk").annotate(number=Count("essays")):
        found.append(person.number)
    return found


async def count_silent():
    person = await Person.objects.aget(name="Person 1")
    return [await person.essays.acount(), await person.edited.acount()]


def _titles(people):
    return [sorted(essay.title for essay in person.essays.all()) for person in people]  # read


async def thread_slow():
    """Made here, evaluated and read in the thread for sync code."""
    people = Person.objects.order_by("pk")  # origin
    return await sync_to_async(_titles)(people)


async def thread_fixed():
    people = Person.objects.order_by("pk").prefetch_related("essays")
    return await sync_to_async(_titles)(people)


async def thread_silent():
    people = Person.objects.filter(name="Person 1")
    return await sync_to_async(_titles)(people)


async def get_slow():
    found = []
    async for essay in Essay.objects.order_by("pk"):
        writer = await Person.objects.aget(pk=essay.writer_id)  # read
        found.append(writer.name)
    return found


async def get_fixed():
    people = await Person.objects.ain_bulk()
    found = []
    async for essay in Essay.objects.order_by("pk"):
        writer = people[essay.writer_id]
        found.append(writer.name)
    return found


async def get_silent():
    first = await Person.objects.aget(name="Person 1")
    second = await Person.objects.aget(name="Person 2")
    return [first.name, second.name]
