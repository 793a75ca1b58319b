"""A few rows of each model: the same on every database, whatever the numbers of their keys."""

from __future__ import annotations

import uuid
from typing import Any

from tests.library.models import (
    Branch,
    Census,
    Choir,
    City,
    Country,
    Draft,
    Essay,
    Item,
    Journal,
    Keyword,
    Label,
    Loan,
    Locker,
    Member,
    Passport,
    Person,
    Publisher,
    Recording,
    Shelf,
    Song,
    Topic,
    Volume,
)

# Of most models; a loop over them is far from the threshold of three.
ROWS = 6


def fill(alias: str = "default") -> None:
    """Makes the rows, in the database of that alias."""
    people = _people(alias)
    _writings(alias, people)
    _shelves(alias, people)
    _songs(alias)
    _loans(alias)


def _people(alias: str) -> list[Person]:
    countries = _make(alias, [Country(code=f"c{n}", name=f"Country {n}") for n in range(3)])
    people = [
        Person(
            name=f"Person {n}",
            email=f"person{n}@example.com",
            born=1900 + n,
            bio=f"Life {n}",
            country=countries[n % 3],
        )
        for n in range(ROWS)
    ]
    _make(alias, people)
    for n, person in enumerate(people[:-1]):
        person.mentor = people[n + 1]
    Person.objects.using(alias).bulk_update(people, ["mentor"])
    # Symmetrical: a row for each direction.
    friends = [pair for n in range(ROWS) for pair in ((n, n - 1), (n - 1, n))]
    _join(alias, Person.friends, [(people[a], people[b]) for a, b in friends])
    follows = [(people[n], people[n - step]) for n in range(ROWS) for step in (1, 2)]
    _join(alias, Person.follows, follows)
    _make(alias, [Passport(number=f"P{n}", holder=person) for n, person in enumerate(people)])
    _make(alias, [Locker(number=n, person=person) for n, person in enumerate(people[:4])])
    _make(
        alias,
        [
            Draft(title=f"Draft {n}.{m}", hidden=m == 1, writer=person)
            for n, person in enumerate(people)
            for m in range(2)
        ],
    )
    return people


def _writings(alias: str, people: list[Person]) -> None:
    publishers = [Publisher(id=uuid.UUID(int=n), name=f"Publisher {n}") for n in range(ROWS)]
    _make(alias, publishers)
    journals = _make(
        alias, [Journal(name=f"Journal {n}", publisher=publishers[n]) for n in range(ROWS)]
    )
    topics = _make(alias, [Topic(name=f"Topic {n}") for n in range(ROWS)])
    keywords = _make(alias, [Keyword(word=f"Keyword {n}") for n in range(ROWS)])
    essays = [
        Essay(
            title=f"Essay {n}",
            words=100 * n,
            published=n % 3 > 0,
            writer=people[n % ROWS],
            # Of the second half only.
            editor=people[n - ROWS] if n >= ROWS else None,
            journal=journals[n % ROWS],
        )
        for n in range(2 * ROWS)
    ]
    _make(alias, essays)
    numbered = list(enumerate(essays))
    about = [(essay, topics[(n + step) % ROWS]) for n, essay in numbered for step in (0, 1)]
    _join(alias, Essay.topics, about)
    _join(alias, Essay.keywords, [(essay, keywords[n % ROWS]) for n, essay in numbered])
    _make(alias, [Label(text=f"Label {n}", target=essay) for n, essay in enumerate(essays[:ROWS])])
    _make(alias, [Label(text=f"Mark {n}", target=person) for n, person in enumerate(people)])


def _shelves(alias: str, people: list[Person]) -> None:
    shelves = _make(alias, [Shelf(name=f"Shelf {n}") for n in range(ROWS)])
    for n, shelf in enumerate(shelves):
        Volume(title=f"Volume {n}", shelf=shelf, pages=100 + n, author=people[n]).save(using=alias)
    for n, shelf in enumerate(shelves[:3]):
        Recording(title=f"Recording {n}", shelf=shelf, seconds=60 * n).save(using=alias)
    _make(alias, [Item(title="Globe", shelf=shelves[0])])
    _make(
        alias,
        [
            Census(
                area=f"Area {n}",
                year=2000 + n,
                population=1000 + n,
                households=400,
                births=9,
                deaths=8,
                pupils=100,
                students=50,
                workers=500,
                farms=20,
                notes=f"Notes {n}",
                method=f"Method {n}",
                sources=f"Sources {n}",
            )
            for n in range(ROWS)
        ],
    )


def _songs(alias: str) -> None:
    choirs = _make(alias, [Choir(name=f"Choir {n}") for n in range(4)])
    _make(alias, [Song(title=f"Song {n}", choir=choirs[n % 4]) for n in range(12)])


def _loans(alias: str) -> None:
    cities = _make(alias, [City(name=f"City {n}") for n in range(ROWS)])
    branches = _make(alias, [Branch(name=f"Branch {n}", city=cities[n]) for n in range(ROWS)])
    members = _make(alias, [Member(name=f"Member {n}", branch=branches[n]) for n in range(ROWS)])
    _make(alias, [Loan(number=n, member=members[n]) for n in range(ROWS)])


def _make(alias: str, made: list[Any]) -> list[Any]:
    return type(made[0])._base_manager.using(alias).bulk_create(made)


def _join(alias: str, relation: Any, pairs: list[tuple[Any, Any]]) -> None:
    """Rows of the table between two models."""
    source, target = relation.field.m2m_field_name(), relation.field.m2m_reverse_field_name()
    _make(alias, [relation.through(**{source: a, target: b}) for a, b in pairs])
