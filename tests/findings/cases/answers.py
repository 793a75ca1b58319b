"""One answer for each object: a number, a yes or no, one row of its related ones."""

from __future__ import annotations

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, Sum

from tests.library.models import Choir, Essay, Person, Song, Topic


def count_slow():
    found = {}
    for person in Person.objects.order_by("pk"):  # origin
        found[person.name] = person.essays.count()  # read
    return found


def count_fixed():
    found = {}
    for person in Person.objects.order_by("pk").annotate(number=Count("essays")):
        found[person.name] = person.number
    return found


def count_silent():
    """What is prefetched counts itself."""
    found = {}
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found[person.name] = person.essays.count()
    return found


def count_filtered_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.essays.filter(published=True).count())  # read
    return found


def count_filtered_fixed():
    published = Count("essays", filter=Q(essays__published=True))
    found = []
    for person in Person.objects.order_by("pk").annotate(published=published):
        found.append(person.published)
    return found


def count_filtered_silent():
    """Other questions, each asked once."""
    person = Person.objects.get(name="Person 1")
    return [
        person.essays.filter(published=True).count(),
        person.essays.filter(published=False).count(),
        person.essays.filter(words__gt=100).count(),
    ]


def count_topics_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        found.append(essay.topics.count())  # read
    return found


def count_topics_fixed():
    found = []
    for essay in Essay.objects.order_by("pk").annotate(number=Count("topics")):
        found.append(essay.number)
    return found


def count_topics_silent():
    return [topic.number for topic in Topic.objects.annotate(number=Count("essays")).order_by("pk")]


def count_twice_slow():
    """Two numbers: two joins would multiply each other."""
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.essays.count())  # read: essays
        found.append(person.edited.count())  # read: edited
    return found


def count_twice_fixed():
    found = []
    for person in Person.objects.order_by("pk").annotate(
        written=Count("essays", distinct=True), corrected=Count("edited", distinct=True)
    ):
        found.append(person.written)
        found.append(person.corrected)
    return found


def count_twice_silent():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays", "edited"):
        found.append(person.essays.count() + person.edited.count())
    return found


def exists_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        if person.edited.exists():  # read
            found.append(person.name)
    return found


def exists_fixed():
    edits = Exists(Essay.objects.filter(editor=OuterRef("pk")))
    found = []
    for person in Person.objects.order_by("pk").annotate(edits=edits):
        if person.edits:
            found.append(person.name)
    return found


def exists_silent():
    people = Person.objects.filter(edited__isnull=False).distinct()
    return sorted(person.name for person in people)


def exists_filtered_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        if person.essays.filter(words__gt=700).exists():  # read
            found.append(person.name)
    return found


def exists_filtered_fixed():
    long = Exists(Essay.objects.filter(writer=OuterRef("pk"), words__gt=700))
    found = []
    for person in Person.objects.order_by("pk").annotate(long=long):
        if person.long:
            found.append(person.name)
    return found


def exists_filtered_silent():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        if any(essay.words > 700 for essay in person.essays.all()):
            found.append(person.name)
    return found


def first_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        essay = person.essays.order_by("-words").first()  # read
        found.append(essay.title if essay else None)
    return found


def first_fixed():
    longest = Prefetch("essays", queryset=Essay.objects.order_by("-words"), to_attr="longest")
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(longest):
        essay = next(iter(person.longest), None)
        found.append(essay.title if essay else None)
    return found


def first_silent():
    person = Person.objects.order_by("pk").first()
    essay = person.essays.order_by("-words").first()
    return [person.name, essay.title]


def last_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.essays.order_by("words").last().title)  # read
    return found


def last_fixed():
    longest = Prefetch("essays", queryset=Essay.objects.order_by("-words"), to_attr="longest")
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(longest):
        found.append(person.longest[0].title)
    return found


def last_silent():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found.append(max(essay.words for essay in person.essays.all()))
    return found


def get_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.essays.get(words__lt=600).title)  # read
    return found


def get_fixed():
    short = Prefetch("essays", queryset=Essay.objects.filter(words__lt=600), to_attr="short")
    found = []
    for person in Person.objects.order_by("pk").prefetch_related(short):
        found.append(person.short[0].title)
    return found


def get_silent():
    person = Person.objects.get(name="Person 2")
    return person.essays.get(words__lt=600).title


def aggregate_slow():
    found = []
    for person in Person.objects.order_by("pk"):  # origin
        found.append(person.essays.aggregate(total=Sum("words"))["total"])  # read
    return found


def aggregate_fixed():
    found = []
    for person in Person.objects.order_by("pk").annotate(total=Sum("essays__words")):
        found.append(person.total)
    return found


def aggregate_silent():
    found = []
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found.append(sum(essay.words for essay in person.essays.all()))
    return found


def contains_slow():
    topic = Topic.objects.get(name="Topic 1")
    found = []
    for essay in Essay.objects.order_by("pk"):  # origin
        if essay.topics.contains(topic):  # read
            found.append(essay.title)
    return found


def contains_fixed():
    topic = Topic.objects.get(name="Topic 1")
    found = []
    for essay in Essay.objects.order_by("pk").prefetch_related("topics"):
        if topic in essay.topics.all():
            found.append(essay.title)
    return found


def contains_silent():
    topic = Topic.objects.get(name="Topic 1")
    return sorted(essay.title for essay in Essay.objects.filter(topics=topic))


def first_of_model_slow():
    found = []
    for choir in Choir.objects.order_by("pk"):  # origin
        found.append(choir.songs.first().title)  # read
    return found


def first_of_model_fixed():
    found = []
    for choir in Choir.objects.order_by("pk").prefetch_related("songs"):
        found.append(choir.songs.all()[0].title)
    return found


def first_of_model_silent():
    return Song.objects.first().title


def last_of_model_slow():
    found = []
    for choir in Choir.objects.order_by("pk"):  # origin
        found.append(choir.songs.last().title)  # read
    return found


def last_of_model_fixed():
    found = []
    for choir in Choir.objects.order_by("pk").prefetch_related("songs"):
        found.append(list(choir.songs.all())[-1].title)
    return found


def last_of_model_silent():
    return Song.objects.last().title


def count_of_joined_slow():
    """Counted with the objects, it would be what they were joined with."""
    found = {}
    people = Person.objects.filter(essays__words__gt=0).distinct().order_by("pk")  # origin
    for person in people:
        found[person.name] = person.essays.count()  # read
    return found


def count_of_joined_fixed():
    found = {}
    people = Person.objects.filter(essays__words__gt=0).distinct().order_by("pk")
    for person in people.prefetch_related("essays"):
        found[person.name] = person.essays.count()
    return found


def count_of_joined_silent():
    found = {}
    people = Person.objects.filter(essays__words__gt=0).distinct().order_by("pk")
    for person in people.annotate(number=Count("essays", distinct=True)):
        found[person.name] = person.number
    return found
