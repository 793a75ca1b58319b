"""Queries in a loop that no relation leads to: by the key of each row, or as SQL."""

from __future__ import annotations

from django.db import connection
from django.db.models import Count, Exists, OuterRef

from tests.library.models import Country, Essay, Journal, Keyword, Person, Topic


def filter_slow():
    found = {}
    for person in Person.objects.order_by("pk"):
        essays = Essay.objects.filter(writer_id=person.pk)
        found[person.name] = sorted(essay.title for essay in essays)  # read
    return found


def filter_fixed():
    found = {}
    for person in Person.objects.order_by("pk").prefetch_related("essays"):
        found[person.name] = sorted(essay.title for essay in person.essays.all())
    return found


def filter_silent():
    """All at once."""
    people = Person.objects.order_by("pk").values_list("pk", flat=True)
    essays = Essay.objects.filter(writer_id__in=list(people))
    return sorted(essay.title for essay in essays)


def get_slow():
    found = []
    for essay in Essay.objects.order_by("pk"):
        found.append(Person.objects.get(pk=essay.writer_id).name)  # read
    return found


def get_fixed():
    people = Person.objects.in_bulk()
    found = []
    for essay in Essay.objects.order_by("pk"):
        found.append(people[essay.writer_id].name)
    return found


def get_silent():
    people = Person.objects.in_bulk(Essay.objects.values_list("writer_id", flat=True))
    return [people[essay.writer_id].name for essay in Essay.objects.order_by("pk")]


def of_values_slow():
    found = []
    for row in Essay.objects.order_by("pk").values("title", "journal_id"):
        journal = Journal.objects.get(pk=row["journal_id"])  # read
        found.append(f"{row['title']} in {journal.name}")
    return found


def of_values_fixed():
    journals = Journal.objects.in_bulk()
    found = []
    for row in Essay.objects.order_by("pk").values("title", "journal_id"):
        journal = journals[row["journal_id"]]
        found.append(f"{row['title']} in {journal.name}")
    return found


def of_values_silent():
    rows = Essay.objects.order_by("pk").values("title", "journal__name")
    return [f"{row['title']} in {row['journal__name']}" for row in rows]


def by_name_slow():
    found = []
    for code in ("c0", "c1", "c2"):
        found.append(Country.objects.get(code=code).name)  # read
    return found


def by_name_fixed():
    countries = Country.objects.in_bulk(["c0", "c1", "c2"], field_name="code")
    found = []
    for code in ("c0", "c1", "c2"):
        found.append(countries[code].name)
    return found


def by_name_silent():
    """Three lines ask for one each."""
    first = Country.objects.get(code="c0")
    second = Country.objects.get(code="c1")
    third = Country.objects.get(code="c2")
    return [first.name, second.name, third.name]


def count_slow():
    found = []
    for person in Person.objects.order_by("pk"):
        found.append(Essay.objects.filter(writer=person).count())  # read
    return found


def count_fixed():
    found = []
    for person in Person.objects.order_by("pk").annotate(number=Count("essays")):
        found.append(person.number)
    return found


def count_silent():
    rows = Essay.objects.values("writer").annotate(number=Count("pk")).order_by("writer")
    return [row["number"] for row in rows]


def exists_slow():
    found = []
    for person in Person.objects.order_by("pk"):
        if Essay.objects.filter(editor=person, published=True).exists():  # read
            found.append(person.name)
    return found


def exists_fixed():
    edits = Exists(Essay.objects.filter(editor=OuterRef("pk"), published=True))
    found = []
    for person in Person.objects.order_by("pk").annotate(edits=edits):
        if person.edits:
            found.append(person.name)
    return found


def exists_silent():
    """One question about all of them."""
    return [Essay.objects.filter(editor__isnull=False).exists()]


def first_slow():
    found = []
    for journal in Journal.objects.order_by("pk"):
        essay = Essay.objects.filter(journal_id=journal.pk).order_by("-words").first()  # read
        found.append(essay.title)
    return found


def first_fixed():
    longest = {}
    for essay in Essay.objects.order_by("words"):
        longest[essay.journal_id] = essay
    found = []
    for journal in Journal.objects.order_by("pk"):
        essay = longest[journal.pk]
        found.append(essay.title)
    return found


def first_silent():
    newest = Essay.objects.filter(published=True).order_by("-words").first()
    oldest = Essay.objects.filter(published=True).order_by("words").first()
    return [newest.title, oldest.title]


def raw_slow():
    found = []
    with connection.cursor() as cursor:
        for person in Person.objects.order_by("pk"):
            cursor.execute(  # read
                "SELECT COUNT(*) FROM library_essay WHERE writer_id = %s", [person.pk]
            )
            found.append(cursor.fetchone()[0])
    return found


def raw_fixed():
    with connection.cursor() as cursor:
        cursor.execute("SELECT writer_id, COUNT(*) FROM library_essay GROUP BY writer_id")
        counted = dict(cursor.fetchall())
    return [counted.get(person.pk, 0) for person in Person.objects.order_by("pk")]


def raw_silent():
    """Three statements, each its own."""
    found = []
    with connection.cursor() as cursor:
        for table in ("library_essay", "library_person", "library_topic"):
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            found.append(cursor.fetchone()[0])
    return found


def get_or_create_slow():
    """All of them are there: what remains is a read for each."""
    found = []
    for number in range(6):
        topic, made = Topic.objects.get_or_create(name=f"Topic {number}")  # read
        found.append((topic.name, made))
    return found


def get_or_create_fixed():
    names = [f"Topic {number}" for number in range(6)]
    known = Topic.objects.in_bulk(names, field_name="name")
    made = Topic.objects.bulk_create(Topic(name=name) for name in names if name not in known)
    new = {topic.name for topic in made}
    return [(name, name in new) for name in names]


def get_or_create_silent():
    topic, made = Topic.objects.get_or_create(name="Topic 1")
    keyword, made_too = Keyword.objects.get_or_create(word="Keyword 1")
    return [topic.name, made, keyword.word, made_too]


def one_by_one_slow():
    """One column of one row each time."""
    found = []
    names = list(Topic.objects.order_by("name").values_list("name", flat=True))
    for name in names:
        found.append(Topic.objects.values_list("name", flat=True).get(name=name))  # read
    return found


def one_by_one_fixed():
    return list(Topic.objects.order_by("name").values_list("name", flat=True))


def one_by_one_silent():
    """A page of several rows at a time, by the last key."""
    found = []
    last = 0
    while rows := list(Essay.objects.filter(pk__gt=last).order_by("pk")[:4]):
        last = rows[-1].pk
        found += [essay.title for essay in rows]
    return found
