"""The demo's data, all from one fixed seed: every machine gets the same rows with the same keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from string import ascii_uppercase

from django.core.management.color import no_style
from django.db import connection, models, transaction

from shop.models import (
    Author,
    Book,
    Category,
    Company,
    Customer,
    Delivery,
    IndexedDelivery,
    Order,
    OrderItem,
    Product,
)

SEED = 42
AUTHORS, BOOKS = 50, 200
CATEGORIES, PRODUCTS = ("Audio", "Garden", "Kitchen", "Office", "Travel"), 100
COMPANIES, CUSTOMERS, ORDERS = 3_298, 60, 100
DELIVERIES = 20_000

# Parents before children; emptied in reverse.
MODELS: tuple[type[models.Model], ...] = (
    *(Author, Book, Company, Customer, Category, Product, Order, OrderItem),
    *(Delivery, IndexedDelivery),
)

FIRST_NAMES = ("Ada", "Bruno", "Chiara", "Dev", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas")
LAST_NAMES = ("Adler", "Brook", "Castro", "Dunn", "Ek", "Fabre", "Grant", "Holm", "Ito", "Jansen")
ADJECTIVES = ("Amber", "Bright", "Calm", "Distant", "Early", "Fair", "Golden", "Hidden", "Iron")
NOUNS = ("Anchor", "Bridge", "Cedar", "Delta", "Ember", "Forest", "Harbour", "Island", "Lantern")
TRADES = ("Foods", "Freight", "Labs", "Mills", "Motors", "Optics", "Paper", "Power", "Textiles")
CITIES = ("Bergen", "Bologna", "Ghent", "Leeds", "Lyon", "Malmo", "Porto", "Utrecht", "Zagreb")
WORDS = tuple(word.lower() for word in (*ADJECTIVES, *NOUNS, *TRADES, *CITIES, "and", "of", "the"))


def has_data() -> bool:
    return any(model._default_manager.exists() for model in MODELS)


def rebuild() -> dict[str, int]:
    """Empty the shop's tables, fill them again in one transaction, give back rows per model."""
    rng = Random(SEED)
    with transaction.atomic():
        for model in reversed(MODELS):
            model._default_manager.all().delete()
        rows = [*_books(rng), *_customers(rng), *_orders(rng), *_deliveries(rng)]
        by_model = {model: [row for row in rows if type(row) is model] for model in MODELS}
        for model, instances in by_model.items():
            model._default_manager.bulk_create(instances, batch_size=500)
        # The keys were given, so a database with sequences has to be told where they stand.
        with connection.cursor() as cursor:
            for sql in connection.ops.sequence_reset_sql(no_style(), list(MODELS)):
                cursor.execute(sql)
    return {model.__name__: len(instances) for model, instances in by_model.items()}


def _books(rng: Random) -> list[models.Model]:
    authors = [
        Author(
            pk=pk,
            name=_person(rng),
            email=f"author{pk}@example.com",
            born=rng.randint(1930, 1999),
            bio=_text(rng, 250),
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
            price=_price(rng),
            summary=_text(rng, 200),
        )
        for pk in range(1, BOOKS + 1)
    ]
    return [*authors, *books]


def _customers(rng: Random) -> list[models.Model]:
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
            description=_text(rng, 60),
        )
        for pk, symbol in enumerate(_symbols(rng, COMPANIES), start=1)
    ]
    customers = [
        Customer(
            pk=pk,
            name=_person(rng),
            email=f"customer{pk}@example.com",
            company=rng.choice(companies),
        )
        for pk in range(1, CUSTOMERS + 1)
    ]
    return [*companies, *customers]


def _orders(rng: Random) -> list[models.Model]:
    categories = [
        Category(pk=pk, name=name, description=_text(rng, 40))
        for pk, name in enumerate(CATEGORIES, start=1)
    ]
    products = [
        Product(
            pk=pk,
            name=f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS).lower()} {pk}",
            category=categories[pk % len(categories)],
            price=_price(rng),
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


def _deliveries(rng: Random) -> list[models.Model]:
    """Two tables of the same rows, of which one in fifty is pending."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    statuses = rng.choices(Delivery.Status.values, (2, 8, 90), k=DELIVERIES)
    minutes = rng.sample(range(400_000), DELIVERIES)
    cities = rng.choices(CITIES, k=DELIVERIES)
    values = [
        {
            "pk": pk,
            "number": f"D{pk:07}",
            "city": city,
            "status": status,
            "created_at": start + timedelta(minutes=minute),
        }
        for pk, (city, status, minute) in enumerate(
            zip(cities, statuses, minutes, strict=True), start=1
        )
    ]
    return [model(**row) for model in (Delivery, IndexedDelivery) for row in values]


def _symbols(rng: Random, count: int) -> list[str]:
    symbols: dict[str, None] = {}
    while len(symbols) < count:
        symbols["".join(rng.choices(ascii_uppercase, k=rng.choice((3, 4))))] = None
    return list(symbols)


def _person(rng: Random) -> str:
    return f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"


def _price(rng: Random) -> Decimal:
    return Decimal(rng.randint(199, 99_999)) / 100


def _text(rng: Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words)).capitalize() + "."
