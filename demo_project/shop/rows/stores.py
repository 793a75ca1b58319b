"""Boxes, visits and members."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from django.db import models

from shop.models import Box, Content, Member, Visit
from shop.rows.sales import COMPANIES
from shop.rows.words import ADJECTIVES, CITIES, NOUNS, TRADES, WORDS, person, text

BOXES, IN_A_BOX, MEMBERS = 100, 5, 200
VISITS = 12_000
ROOMS = ("Attic", "Cellar", "Garage", "Shed")
PAGES = ("home", "jobs", "news", "prices", "team")


def box_rows(rng: Random) -> list[models.Model]:
    boxes = [Box(pk=pk, label=f"Box {pk:03}", room=rng.choice(ROOMS)) for pk in range(1, BOXES + 1)]
    contents = [
        Content(
            pk=pk,
            box=boxes[(pk - 1) // IN_A_BOX],
            name=f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS).lower()}",
            quantity=rng.randint(1, 20),
        )
        for pk in range(1, BOXES * IN_A_BOX + 1)
    ]
    return [*boxes, *contents]


def visit_rows(rng: Random) -> list[models.Model]:
    """Few companies have most of them, and most are of the home page."""
    companies = [1 + int(COMPANIES * rng.random() ** 3) for _ in range(VISITS)]
    pages = rng.choices(PAGES, (6, 1, 1, 1, 1), k=VISITS)
    seconds = rng.choices(range(1, 600), k=VISITS)
    return [
        Visit(pk=pk, company_id=company, page=page, seconds=duration)
        for pk, (company, page, duration) in enumerate(
            zip(companies, pages, seconds, strict=True), start=1
        )
    ]


def member_rows(rng: Random) -> list[models.Model]:
    return [_member(rng, pk) for pk in range(1, MEMBERS + 1)]


def _member(rng: Random, pk: int) -> Member:
    trade = rng.choice(TRADES)
    joined = date(2020, 1, 1) + timedelta(days=rng.randrange(2_000))
    return Member(
        pk=pk,
        name=person(rng),
        email=f"member{pk}@example.com",
        city=rng.choice(CITIES),
        country="Utopia",
        street=f"{rng.choice(NOUNS)} Street {rng.randint(1, 99)}",
        postcode=f"{rng.randrange(100_000):05}",
        phone=f"+00 555 {pk:06}",
        mobile=f"+00 556 {pk:06}",
        fax=f"+00 557 {pk:06}",
        website=f"https://member{pk}.example.com/",
        company=f"{rng.choice(ADJECTIVES)} {trade}",
        department=trade,
        job=rng.choice(WORDS),
        language="en",
        timezone="UTC",
        currency="EUR",
        born=rng.randint(1940, 2005),
        joined_on=joined,
        left_on=joined + timedelta(days=400) if pk % 7 == 0 else None,
        plan=rng.choice(("free", "team", "large")),
        is_active=pk % 7 != 0,
        is_verified=pk % 3 == 0,
        wants_news=pk % 2 == 0,
        logins=rng.randrange(5_000),
        points=rng.randrange(10_000),
        credit=rng.randrange(-500, 500),
        notes=text(rng, 15),
        bio=text(rng, 150),
        image=rng.randbytes(2_000).hex(),
    )
