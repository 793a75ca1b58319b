"""One model or more for each kind of relation. There are no migrations."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.signals import post_save
from django.dispatch import receiver

CASCADE = models.CASCADE


class Publisher(models.Model):
    """Its primary key is a UUID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class Country(models.Model):
    code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    name = models.CharField(max_length=60)
    email = models.EmailField()
    born = models.PositiveSmallIntegerField()
    bio = models.TextField()
    # By the code, not by the primary key.
    country = models.ForeignKey(Country, CASCADE, to_field="code", related_name="people")
    mentor = models.ForeignKey("self", CASCADE, null=True, blank=True, related_name="pupils")
    friends = models.ManyToManyField("self", blank=True)
    follows = models.ManyToManyField(
        "self", symmetrical=False, related_name="followers", blank=True
    )

    def __str__(self) -> str:
        return self.name

    @property
    def passport_number(self) -> str:
        return self.passport.number  # read: property

    def titles(self) -> list[str]:
        return sorted(essay.title for essay in self.essays.all())  # read: method

    def published_titles(self) -> list[str]:
        essays = self.essays.filter(published=True)
        return sorted(essay.title for essay in essays)  # read: narrowed method

    def born_before(self, year: int) -> bool:
        return self.born < year


class Poet(Person):
    class Meta:
        proxy = True


class Odd(Person):
    """Whoever compares or hashes one of these has lost."""

    __hash__ = None  # type: ignore[assignment]

    class Meta:
        proxy = True

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")


class Passport(models.Model):
    number = models.CharField(max_length=12)
    holder = models.OneToOneField(Person, CASCADE, related_name="passport")

    def __str__(self) -> str:
        return self.number


class Locker(models.Model):
    """Some people have none. The name of the reverse side is Django's own."""

    number = models.PositiveSmallIntegerField()
    person = models.OneToOneField(Person, CASCADE)

    def __str__(self) -> str:
        return str(self.number)


class Journal(models.Model):
    name = models.CharField(max_length=60)
    publisher = models.ForeignKey(Publisher, CASCADE, related_name="journals")

    def __str__(self) -> str:
        return self.name


class Topic(models.Model):
    name = models.CharField(max_length=60, unique=True)

    def __str__(self) -> str:
        return self.name


class Keyword(models.Model):
    word = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.word


class Label(models.Model):
    text = models.CharField(max_length=60)
    # This table is made before those of apps that have migrations.
    content_type = models.ForeignKey(ContentType, CASCADE, db_constraint=False)
    object_id = models.PositiveBigIntegerField()
    target = GenericForeignKey("content_type", "object_id")

    def __str__(self) -> str:
        return self.text


class EssayQuerySet(models.QuerySet["Essay"]):
    def published(self) -> EssayQuerySet:
        return self.filter(published=True)


class Essay(models.Model):
    """Two foreign keys to one model, a third without a name for the reverse side."""

    title = models.CharField(max_length=60)
    words = models.PositiveIntegerField()
    published = models.BooleanField(default=True)
    writer = models.ForeignKey(Person, CASCADE, related_name="essays")
    editor = models.ForeignKey(Person, CASCADE, null=True, blank=True, related_name="edited")
    journal = models.ForeignKey(Journal, CASCADE)
    topics = models.ManyToManyField(Topic, related_name="essays")
    keywords = models.ManyToManyField(Keyword)
    labels = GenericRelation(Label)

    objects = EssayQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.title} by {self.writer.name}"  # read: str


class Visible(models.Manager["Draft"]):
    def get_queryset(self) -> models.QuerySet[Draft]:
        return super().get_queryset().filter(hidden=False)


class Draft(models.Model):
    """Its default manager leaves some out."""

    title = models.CharField(max_length=60)
    hidden = models.BooleanField(default=False)
    writer = models.ForeignKey(Person, CASCADE, related_name="drafts")

    objects = Visible()
    everything = models.Manager()  # noqa: DJ012

    def __str__(self) -> str:
        return self.title


class Shelf(models.Model):
    name = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    """The parent of two models that have tables of their own."""

    title = models.CharField(max_length=60)
    shelf = models.ForeignKey(Shelf, CASCADE, related_name="items")

    def __str__(self) -> str:
        return self.title


class Volume(Item):
    pages = models.PositiveSmallIntegerField()
    author = models.ForeignKey(Person, CASCADE, related_name="volumes")


class Recording(Item):
    seconds = models.PositiveIntegerField()


class Choir(models.Model):
    name = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class Song(models.Model):
    """Its model says the order: neither the code nor the key does."""

    title = models.CharField(max_length=60)
    choir = models.ForeignKey(Choir, CASCADE, related_name="songs")

    class Meta:
        ordering = ("-title",)

    def __str__(self) -> str:
        return self.title


class City(models.Model):
    name = models.CharField(max_length=60)

    def __str__(self) -> str:
        return self.name


class Branch(models.Model):
    """Saving one is told to others by a signal."""

    name = models.CharField(max_length=60)
    city = models.ForeignKey(City, CASCADE, related_name="branches")

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """``save()`` does more than saving."""

    name = models.CharField(max_length=60)
    card = models.CharField(max_length=60, blank=True)
    branch = models.ForeignKey(Branch, CASCADE, related_name="members")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.card = f"{self.name}/{self.branch_id}"
        super().save(*args, **kwargs)


class Loan(models.Model):
    number = models.PositiveIntegerField()
    member = models.ForeignKey(Member, CASCADE, related_name="loans")

    def __str__(self) -> str:
        return str(self.number)


class Census(models.Model):
    """Wide: what ``only()`` and ``defer()`` are for."""

    area = models.CharField(max_length=60)
    year = models.PositiveSmallIntegerField()
    population = models.PositiveIntegerField()
    households = models.PositiveIntegerField()
    births = models.PositiveIntegerField()
    deaths = models.PositiveIntegerField()
    pupils = models.PositiveIntegerField()
    students = models.PositiveIntegerField()
    workers = models.PositiveIntegerField()
    farms = models.PositiveIntegerField()
    notes = models.TextField()
    method = models.TextField()
    sources = models.TextField()

    def __str__(self) -> str:
        return f"{self.area} {self.year}"


# What the receiver below was told.
announced: list[str] = []


@receiver(post_save, sender=Branch)
def _announce(instance: Branch, **kwargs: object) -> None:
    announced.append(instance.name)
