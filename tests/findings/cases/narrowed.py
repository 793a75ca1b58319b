"""More than ``.all()`` on a related manager in a loop, which prefetching alone does not serve."""

from __future__ import annotations

from django.db.models import Prefetch

from tests.library.models import Essay, Person, Topic


def filter_slow():
    found = {}
    for person in Person.objects.order_by("pk"):  # origin
        essays = person.essays.filter(published=True)
        found[person.name] = sorted(essay.title for essay in essays)  # read
    return found


def filter_fixed():
    published = Prefetch(
        "essays", queryset=Essay.objects.filter(published=True), to_attr="published_essays"
    )
    found = {}
    for person in Person.objects.order_by("pk").prefetch_related(published):
        found[person.name] = sorted(essay.title for essay in person.published_essays)
    return found


def filter_silent():
    found = {}
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found[person.name] = sorted(essay.title for essay in person.essays.all() if essay.published)
    return found


def filter_inline_slow():
    """The value comes from outside of the loop."""
    least = 300
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        for essay in person.essays.filter(words__gte=least):  # read
            found.append(essay.title)
    return sorted(found)


def filter_inline_fixed():
    least = 300
    long = Prefetch("essays", queryset=Essay.objects.filter(words__gte=least), to_attr="long")
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(long):
        for essay in person.long:
            found.append(essay.title)
    return sorted(found)


def filter_inline_silent():
    """One person's, asked twice in two ways."""
    person = Person.objects.get(name="Person 4")
    long = [essay.title for essay in person.essays.filter(words__gte=300)]
    short = [essay.title for essay in person.essays.filter(words__lt=300)]
    return sorted(long + short)


def exclude_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        for essay in person.essays.exclude(published=True):  # read
            found.append(essay.title)
    return sorted(found)


def exclude_fixed():
    waiting = Prefetch(
        "essays", queryset=Essay.objects.exclude(published=True), to_attr="waiting_essays"
    )
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(waiting):
        for essay in person.waiting_essays:
            found.append(essay.title)
    return sorted(found)


def exclude_silent():
    people = Person.objects.exclude(essays__published=True).order_by("pk")
    return [person.name for person in people]


def order_by_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append([essay.title for essay in person.essays.order_by("-words")])  # read
    return found


def order_by_fixed():
    longest = Prefetch("essays", queryset=Essay.objects.order_by("-words"), to_attr="longest")
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(longest):
        found.append([essay.title for essay in person.longest])
    return found


def order_by_silent():
    longest = Prefetch("essays", queryset=Essay.objects.order_by("-words"))
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(longest):
        found.append([essay.title for essay in person.essays.all()])
    return found


def many_to_many_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        found.append([topic.name for topic in essay.topics.order_by("name")])  # read
    return found


def many_to_many_fixed():
    named = Prefetch("topics", queryset=Topic.objects.order_by("name"), to_attr="topics_by_name")
    found = []
    for essay in Essay.objects.order_by("pk").prefetch_related(named):
        found.append([topic.name for topic in essay.topics_by_name])
    return found


def many_to_many_silent():
    found = []
    for essay in Essay.objects.order_by("pk").prefetch_related("topics"):
        found.append(sorted(topic.name for topic in essay.topics.all()))
    return found


def slice_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append([essay.title for essay in person.essays.order_by("-words")[:1]])  # read
    return found


def slice_fixed():
    longest = Prefetch("essays", queryset=Essay.objects.order_by("-words")[:1], to_attr="longest")
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(longest):
        found.append([essay.title for essay in person.longest])
    return found


def slice_silent():
    """A slice of what is there already."""
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found.append(len(person.essays.all()[:1]))
    return found


def values_list_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(sorted(person.essays.values_list("title", flat=True)))  # read
    return found


def values_list_fixed():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found.append(sorted(essay.title for essay in person.essays.all()))
    return found


def values_list_silent():
    rows = Person.objects.order_by("pk", "essays__title").values_list("name", "essays__title")
    return [list(row) for row in rows]
