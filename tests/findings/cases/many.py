"""Many-to-many, from both ends, with and without a name for the other end, to the same model."""

from __future__ import annotations

from tests.library.models import Essay, Keyword, Person, Topic


def _names(people):
    return sorted(person.name for person in people)  # read


def declared_slow():
    found = {}
    for essay in Essay.objects.order_by("pk"):  # origin
        found[essay.title] = sorted(topic.name for topic in essay.topics.all())  # read
    return found


def declared_fixed():
    found = {}
    for essay in Essay.objects.order_by("pk").prefetch_related("topics"):
        found[essay.title] = sorted(topic.name for topic in essay.topics.all())
    return found


def declared_silent():
    """The rows of the table between, read once."""
    through = Essay.topics.through.objects.select_related("essay", "topic").order_by("pk")
    return [(row.essay.title, row.topic.name) for row in through]


def other_end_slow():
    found = {}
    for topic in Topic.objects.order_by("pk"):  # origin
        found[topic.name] = sorted(essay.title for essay in topic.essays.all())  # read
    return found


def other_end_fixed():
    found = {}
    for topic in Topic.objects.order_by("pk").prefetch_related("essays"):
        found[topic.name] = sorted(essay.title for essay in topic.essays.all())
    return found


def other_end_silent():
    """One topic; its essays come with one query."""
    topic = Topic.objects.get(name="Topic 1")
    return sorted(essay.title for essay in topic.essays.all())


def no_name_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        for keyword in essay.keywords.all():  # read
            found.append(keyword.word)
    return found


def no_name_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").prefetch_related("keywords"):
        for keyword in essay.keywords.all():
            found.append(keyword.word)
    return found


def no_name_silent():
    found = []
    for word in Essay.objects.order_by("pk").values_list("keywords__word", flat=True):
        found.append(word)
    return found


def no_name_other_end_slow():
    found = []
    for keyword in Keyword.objects.order_by("pk"):  # origin
        found.append(sorted(essay.title for essay in keyword.essay_set.all()))  # read
    return found


def no_name_other_end_fixed():
    found = []
    for keyword in Keyword.objects.order_by("pk").prefetch_related("essay_set"):
        found.append(sorted(essay.title for essay in keyword.essay_set.all()))
    return found


def no_name_other_end_silent():
    """Prefetched apart from where it is made."""
    keywords = Keyword.objects.order_by("pk")
    keywords = keywords.prefetch_related("essay_set")
    return [sorted(essay.title for essay in keyword.essay_set.all()) for keyword in keywords]


def symmetrical_slow():
    people = Person.objects.order_by("pk")  # origin
    return [_names(person.friends.all()) for person in people]


def symmetrical_fixed():
    people = Person.objects.order_by("pk").prefetch_related("friends")
    return [_names(person.friends.all()) for person in people]


def symmetrical_silent():
    return _names(Person.objects.get(name="Person 1").friends.all())


def one_way_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(sorted(other.name for other in person.follows.all()))  # read
    return found


def one_way_fixed():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("follows"):
        found.append(sorted(other.name for other in person.follows.all()))
    return found


def one_way_silent():
    people = Person.objects.order_by("pk").prefetch_related("follows", "followers")
    return [
        sorted(other.name for other in person.follows.all())
        for person in people
        if len(person.followers.all()) > 1
    ]


def one_way_back_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(sorted(other.name for other in person.followers.all()))  # read
    return found


def one_way_back_fixed():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("followers"):
        found.append(sorted(other.name for other in person.followers.all()))
    return found


def one_way_back_silent():
    """Chunks of prefetched rows: a query for each chunk, none for a row."""
    found = []
    people = Person.objects.order_by("pk").prefetch_related("followers")
    for person in people.iterator(chunk_size=2):
        found.append(sorted(other.name for other in person.followers.all()))
    return found
