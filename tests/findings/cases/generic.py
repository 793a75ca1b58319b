"""GenericForeignKey and GenericRelation."""

from __future__ import annotations

from django.contrib.contenttypes.models import ContentType

from tests.library.models import Essay, Label, Person


def key_slow():
    found = []
    for label in Label.objects.order_by("pk"):  # origin
        found.append(f"{label.text}: {label.target.pk - label.object_id}")  # read
    return found


def key_fixed():
    found = []
    for label in Label.objects.order_by("pk").prefetch_related("target"):
        found.append(f"{label.text}: {label.target.pk - label.object_id}")
    return found


def key_silent():
    """The types of content are remembered by Django, if their manager is asked."""
    types = ContentType.objects
    return [types.get_for_id(label.content_type_id).model for label in Label.objects.order_by("pk")]


def content_type_slow():
    """A foreign key as any other: here nothing is remembered."""
    found = []
    for label in Label.objects.order_by("pk"):  # origin
        found.append(label.content_type.model)  # read
    return found


def content_type_fixed():
    found = []
    for label in Label.objects.order_by("pk").select_related("content_type"):
        found.append(label.content_type.model)
    return found


def content_type_silent():
    found = []
    for label in Label.objects.order_by("pk").prefetch_related("content_type"):
        found.append(label.content_type.model)
    return found


def relation_slow():
    found = {}
    for essay in Essay.objects.order_by("pk"):  # origin
        found[essay.title] = [label.text for label in essay.labels.all()]  # read
    return found


def relation_fixed():
    found = {}
    for essay in Essay.objects.order_by("pk").prefetch_related("labels"):
        found[essay.title] = [label.text for label in essay.labels.all()]
    return found


def relation_silent():
    essay = Essay.objects.get(title="Essay 1")
    return [label.text for label in essay.labels.all()]


def counted_slow():
    found = {}
    for essay in Essay.objects.order_by("pk"):  # origin
        found[essay.title] = essay.labels.count()  # read
    return found


def counted_fixed():
    found = {}
    for essay in Essay.objects.order_by("pk").prefetch_related("labels"):
        found[essay.title] = len(essay.labels.all())
    return found


def counted_silent():
    """``count()`` of what is prefetched asks nothing."""
    found = {}
    for essay in Essay.objects.order_by("pk").prefetch_related("labels"):
        found[essay.title] = essay.labels.count()
    return found


def mixed_slow():
    """Only some point to essays: they are read through the key, whatever it points to."""
    found = []
    labels = Label.objects.filter(content_type__model="essay").order_by("pk")  # origin
    for label in labels:
        found.append(label.target.title)  # read
    return found


def mixed_fixed():
    found = []
    labels = Label.objects.filter(content_type__model="essay").order_by("pk")
    for label in labels.prefetch_related("target"):
        found.append(label.target.title)
    return found


def mixed_silent():
    people = Person.objects.in_bulk()
    labels = Label.objects.filter(content_type__model="person").order_by("pk")
    return [people[label.object_id].name for label in labels]
