"""The many side of a foreign key, with and without a name of its own."""

from __future__ import annotations

from tests.library.models import Draft, Essay, Journal, Person, Publisher, Topic


def related_name_slow():
    found = {}
    for person in Person.objects.order_by("pk"):  # origin
        found[person.name] = sorted(essay.title for essay in person.essays.all())  # read
    return found


def related_name_fixed():
    found = {}
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found[person.name] = sorted(essay.title for essay in person.essays.all())
    return found


def related_name_silent():
    """One query for all, grouped in Python."""
    found = {}
    for essay in Essay.objects.select_related("writer").order_by("pk"):
        found.setdefault(essay.writer.name, []).append(essay.title)
    return found


def no_name_slow():
    found = []
    for journal in Journal.objects.order_by("pk"):  # origin
        for essay in journal.essay_set.all():  # read
            found.append(essay.title)
    return sorted(found)


def no_name_fixed():
    found = []
    for journal in Journal.objects.order_by("pk").prefetch_related("essay_set"):
        for essay in journal.essay_set.all():
            found.append(essay.title)
    return sorted(found)


def no_name_silent():
    journal = Journal.objects.get(name="Journal 1")
    return sorted(essay.title for essay in journal.essay_set.all())


def nested_slow():
    found = []
    for publisher in Publisher.objects.order_by("pk"):  # origin
        for journal in publisher.journals.all():  # read: journals
            for essay in journal.essay_set.all():  # read: essays
                found.append(essay.title)
    return sorted(found)


def nested_fixed():
    found = []
    for publisher in Publisher.objects.order_by("pk").prefetch_related("journals__essay_set"):
        for journal in publisher.journals.all():
            for essay in journal.essay_set.all():
                found.append(essay.title)
    return sorted(found)


def nested_silent():
    """A loop in a loop over what two queries gave."""
    found = []
    essays = list(Essay.objects.all())
    for journal in Journal.objects.order_by("pk"):
        for essay in essays:
            if essay.journal_id == journal.pk:
                found.append(essay.title)
    return sorted(found)


def then_forward_slow():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays"):  # origin
        for essay in person.essays.all():
            found.append(f"{essay.title} in {essay.journal.name}")  # read
    return sorted(found)


def then_forward_fixed():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays__journal"):
        for essay in person.essays.all():
            found.append(f"{essay.title} in {essay.journal.name}")
    return sorted(found)


def then_forward_silent():
    """Back to where it came from: prefetching has set it."""
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        for essay in person.essays.all():
            found.append(f"{essay.title} by {essay.writer.name}")
    return sorted(found)


def filtering_manager_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found += [draft.title for draft in person.drafts.all()]  # read
    return found


def filtering_manager_fixed():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("drafts"):
        found += [draft.title for draft in person.drafts.all()]
    return found


def filtering_manager_silent():
    drafts = Draft.everything.select_related("writer").order_by("pk")
    return [draft.writer.name for draft in drafts if draft.hidden]


def of_self_slow():
    found = {}
    for person in Person.objects.order_by("pk"):  # origin
        found[person.name] = [pupil.name for pupil in person.pupils.all()]  # read
    return found


def of_self_fixed():
    found = {}
    for person in Person.objects.order_by("pk").prefetch_related("pupils"):
        found[person.name] = [pupil.name for pupil in person.pupils.all()]
    return found


def of_self_silent():
    found = {}
    for person in Person.objects.select_related("mentor"):
        if person.mentor:
            found.setdefault(person.mentor.name, []).append(person.name)
    return found


def key_from_above_slow():
    """The queryset is a related manager's of one object."""
    topic = Topic.objects.get(name="Topic 1")
    found = []
    for essay in topic.essays.order_by("pk"):  # origin
        found.append(essay.journal.name)  # read
    return found


def key_from_above_fixed():
    topic = Topic.objects.get(name="Topic 1")
    found = []
    for essay in topic.essays.order_by("pk").select_related("journal"):
        found.append(essay.journal.name)
    return found


def key_from_above_silent():
    journal = Journal.objects.get(name="Journal 1")
    return [essay.journal.name for essay in journal.essay_set.order_by("pk")]
