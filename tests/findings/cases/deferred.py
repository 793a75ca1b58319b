"""Columns that the queryset left out and the loop reads."""

from __future__ import annotations

from tests.library.models import Census, Essay, Person, Volume


def only_slow():
    people = Person.objects.only("name").order_by("pk")  # origin
    return [f"{person.name}: {person.bio}" for person in people]  # read


def only_fixed():
    people = Person.objects.only("name", "bio").order_by("pk")
    return [f"{person.name}: {person.bio}" for person in people]


def only_silent():
    people = Person.objects.only("name", "bio").order_by("pk")
    return [f"{person.pk > 0} {person.name}: {person.bio}" for person in people]


def defer_slow():
    found = []
    for row in Census.objects.defer("notes", "method", "sources").order_by("year"):  # origin
        found.append(f"{row.area}: {row.notes}")  # read
    return found


def defer_fixed():
    found = []
    for row in Census.objects.defer("method", "sources").order_by("year"):
        found.append(f"{row.area}: {row.notes}")
    return found


def defer_silent():
    found = []
    for row in Census.objects.defer("notes", "method", "sources").order_by("year"):
        found.append(f"{row.area}: {row.population + row.births - row.deaths}")
    return found


def two_columns_slow():
    found = []
    for row in Census.objects.only("area").order_by("pk"):  # origin
        found.append(row.year)  # read: year
        found.append(row.farms)  # read: farms
    return found


def two_columns_fixed():
    found = []
    for row in Census.objects.only("area", "year", "farms").order_by("pk"):
        found.append(row.year)
        found.append(row.farms)
    return found


def two_columns_silent():
    """One row alone may ask again."""
    row = Census.objects.only("area").get(year=2001)
    return [row.year, row.farms]


def of_related_slow():
    found = []
    for essay in (
        Essay.objects.select_related("writer")
        .only("title", "writer__name")
        .order_by("pk")  # origin
    ):
        found.append(f"{essay.writer.name}, {essay.writer.born}")  # read
    return found


def of_related_fixed():
    found = []
    for essay in (
        Essay.objects.select_related("writer")
        .only("title", "writer__name", "writer__born")
        .order_by("pk")
    ):
        found.append(f"{essay.writer.name}, {essay.writer.born}")
    return found


def of_related_silent():
    found = []
    for essay in (
        Essay.objects.select_related("writer").only("title", "writer__name").order_by("pk")
    ):
        found.append(f"{essay.title}, {essay.writer.name}")
    return found


def of_parent_slow():
    """The column is in the parent model's table."""
    found = []
    for volume in Volume.objects.only("pages").order_by("pk"):  # origin
        found.append(volume.title)  # read
    return found


def of_parent_fixed():
    found = []
    for volume in Volume.objects.only("pages", "title").order_by("pk"):
        found.append(volume.title)
    return found


def of_parent_silent():
    found = []
    for volume in Volume.objects.only("pages").order_by("pk"):
        found.append(volume.pages)
    return found
