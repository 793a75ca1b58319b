"""The model itself reads its relations: a property, a method, ``__str__()``."""

from __future__ import annotations

from django.db.models import Prefetch

from tests.library.models import Essay, Person


def property_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.passport_number)
    return found


def property_fixed():
    found = []
    for person in Person.objects.order_by("pk").select_related("passport"):
        found.append(person.passport_number)
    return found


def property_silent():
    return Person.objects.get(name="Person 1").passport_number


def method_slow():
    people = Person.objects.order_by("pk")  # origin
    return {person.name: person.titles() for person in people}


def method_fixed():
    people = Person.objects.order_by("pk").prefetch_related("essays")
    return {person.name: person.titles() for person in people}


def method_silent():
    """A method that reads columns only."""
    return [person.born_before(1903) for person in Person.objects.order_by("pk")]


def text_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        found.append(str(essay))
    return found


def text_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").select_related("writer"):
        found.append(str(essay))
    return found


def text_silent():
    """Two texts on two lines, of one object each."""
    first = str(Essay.objects.get(title="Essay 1"))
    second = str(Essay.objects.get(title="Essay 2"))
    return [first, second]


def narrowed_method_slow():
    """The line that reads is in the model's module, the queryset here."""
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.published_titles())
    return found


def narrowed_method_fixed():
    published = Prefetch("essays", queryset=Essay.objects.filter(published=True), to_attr="shown")
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(published):
        found.append(sorted(essay.title for essay in person.shown))
    return found


def narrowed_method_silent():
    return Person.objects.get(name="Person 1").published_titles()
