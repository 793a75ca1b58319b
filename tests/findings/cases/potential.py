"""Not (yet) a loop: a read or two of many rows that were fetched."""

from __future__ import annotations

from tests.library.models import Essay, Person


def one_of_many_slow():
    essays = list(Essay.objects.order_by("pk"))  # origin
    return [len(essays), essays[3].writer.name]  # read


def one_of_many_fixed():
    essays = list(Essay.objects.order_by("pk").select_related("writer"))
    return [len(essays), essays[3].writer.name]


def one_of_many_silent():
    """Only this one was fetched."""
    essay = Essay.objects.order_by("pk")[3]
    return [Essay.objects.count(), essay.writer.name]


def two_of_many_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        if person.born < 1902:
            found.append(person.passport.number)  # read
    return found


def two_of_many_fixed():
    found = []
    for person in Person.objects.order_by("pk").select_related("passport"):
        if person.born < 1902:
            found.append(person.passport.number)
    return found


def two_of_many_silent():
    """Two people, a query each, from two lines."""
    first = Person.objects.get(name="Person 1")
    second = Person.objects.get(name="Person 2")
    return [first.passport.number, second.passport.number]


def conditional_slow():
    """Some of the rows: the others would ask too, on another day."""
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        if essay.words > 900:
            found.append(sorted(topic.name for topic in essay.topics.all()))  # read
    return found


def conditional_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").prefetch_related("topics"):
        if essay.words > 900:
            found.append(sorted(topic.name for topic in essay.topics.all()))
    return found


def conditional_silent():
    found = []
    for essay in Essay.objects.order_by("pk"):
        if essay.words > 90_000:
            found.append(sorted(topic.name for topic in essay.topics.all()))
    return found


def deferred_slow():
    people = list(Person.objects.defer("bio").order_by("pk"))  # origin
    return [len(people), people[0].bio]  # read


def deferred_fixed():
    people = list(Person.objects.order_by("pk"))
    return [len(people), people[0].bio]


def deferred_silent():
    person = Person.objects.defer("bio").get(name="Person 1")
    return person.bio
