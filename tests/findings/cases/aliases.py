"""Two databases: the relation is read from where its object came from, or from another one."""

from __future__ import annotations

from tests.library.models import Essay, Person


def forward_slow():
    found = []
    for essay in Essay.objects.using("other").order_by("pk"):  # origin
        found.append(essay.writer.name)  # read
    return found


def forward_fixed():
    found = []
    for essay in Essay.objects.using("other").order_by("pk").select_related("writer"):
        found.append(essay.writer.name)
    return found


def forward_silent():
    """Each of two databases is asked once through one line."""
    found = []
    for alias in ("default", "other"):
        found.append(Essay.objects.using(alias).get(title="Essay 1").writer.name)
    return found


def reverse_slow():
    found = []
    for person in Person.objects.using("other").order_by("pk"):  # origin
        found.append(sorted(essay.title for essay in person.essays.all()))  # read
    return found


def reverse_fixed():
    found = []
    for person in Person.objects.using("other").order_by("pk").prefetch_related("essays"):
        found.append(sorted(essay.title for essay in person.essays.all()))
    return found


def reverse_silent():
    found = []
    for alias in ("default", "other"):
        for person in Person.objects.using(alias).order_by("pk").prefetch_related("essays"):
            found.append(sorted(essay.title for essay in person.essays.all()))
    return found


def across_slow():
    """The people of one database, the titles of their essays in the other."""
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        titles = person.essays.using("other").order_by("pk").values_list("title", flat=True)
        found.append(list(titles))  # read
    return found


def across_fixed():
    """Not by prefetching: Django does not join objects of two databases."""
    people = list(Person.objects.order_by("pk"))
    written = {person.pk: [] for person in people}
    for essay in Essay.objects.using("other").filter(writer__in=list(written)).order_by("pk"):
        written[essay.writer_id].append(essay.title)
    return list(written.values())


def across_silent():
    here = Essay.objects.order_by("pk").values_list("title", flat=True)
    there = Essay.objects.using("other").order_by("pk").values_list("title", flat=True)
    return [list(here), list(there)]
