"""Books, companies and orders."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from string import ascii_uppercase

from django.db import models

from shop.models import Author, Book, Category, Company, Customer, Order, OrderItem, Product
from shop.rows.words import ADJECTIVES, CITIES, NOUNS, TRADES, person, price, text

AUTHORS, BOOKS = 50, 200
CATEGORIES, PRODUCTS = ("Audio", "Garden", "Kitchen", "Office", "Travel"), 100
COMPANIES, CUSTOMERS, ORDERS = 3_298, 60, 100


def book_rows(rng: Random) -> list[models.Model]:
    authors = [
        Author(
            pk=pk,
            name=person(rng),
            email=f"author{pk}@example.com",
            born=rng.randint(1930, 1999),
            bio=text(rng, 250),
        )
        for pk in range(1, AUTHORS + 1)
    ]
    books = [
        Book(
            pk=pk,
            title=f"The {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}, volume {pk}",
            author=rng.choice(authors),
            published=pk % 4 != 0,
            published_on=date(2000, 1, 1) + timedelta(days=rng.randrange(9_000)),
            pages=rng.randint(80, 900),
            price=price(rng),
            summary=text(rng, 200),
        )
        for pk in range(1, BOOKS + 1)
    ]
    return [*authors, *books]


def customer_rows(rng: Random) -> list[models.Model]:
    companies = [
        Company(
            pk=pk,
            symbol=symbol,
            name=f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} {rng.choice(TRADES)}",
            sector=rng.choice(TRADES),
            city=rng.choice(CITIES),
            founded=rng.randint(1850, 2020),
            employees=rng.randint(5, 90_000),
            website=f"https://{symbol.lower()}.example.com/",
            description=text(rng, 60),
        )
        for pk, symbol in enumerate(_symbols(rng, COMPANIES), start=1)
    ]
    customers = [
        Customer(
            pk=pk,
            name=person(rng),
            email=f"customer{pk}@example.com",
            company=rng.choice(companies),
        )
        for pk in range(1, CUSTOMERS + 1)
    ]
    return [*companies, *customers]


def order_rows(rng: Random) -> list[models.Model]:
    categories = [
        Category(pk=pk, name=name, description=text(rng, 40))
        for pk, name in enumerate(CATEGORIES, start=1)
    ]
    products = [
        Product(
            pk=pk,
            name=f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS).lower()} {pk}",
            category=categories[pk % len(categories)],
            price=price(rng),
            stock=rng.randrange(500),
        )
        for pk in range(1, PRODUCTS + 1)
    ]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    orders = [
        Order(
            pk=pk,
            number=f"2026-{pk:04}",
            customer_id=rng.randint(1, CUSTOMERS),
            status=rng.choice(Order.Status.values),
            created_at=start + timedelta(minutes=rng.randrange(300_000)),
        )
        for pk in range(1, ORDERS + 1)
    ]
    bought = [
        (order, product) for order in orders for product in rng.sample(products, rng.randint(1, 5))
    ]
    items = [
        OrderItem(
            pk=pk,
            order=order,
            product=product,
            quantity=rng.randint(1, 9),
            unit_price=product.price,
        )
        for pk, (order, product) in enumerate(bought, start=1)
    ]
    return [*categories, *products, *orders, *items]


def _symbols(rng: Random, count: int) -> list[str]:
    symbols: dict[str, None] = {}
    while len(symbols) < count:
        symbols["".join(rng.choices(ascii_uppercase, k=rng.choice((3, 4))))] = None
    return list(symbols)
