"""The demo's data, all from fixed seeds: every machine gets the same rows with the same keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from django.core.management.color import no_style
from django.db import connection, models, transaction

from shop.models import (
    Author,
    Book,
    Box,
    Category,
    Company,
    Content,
    Customer,
    Delivery,
    IndexedDelivery,
    Member,
    Order,
    OrderItem,
    Parcel,
    ParcelByCustomer,
    ParcelByStatus,
    ParcelCovered,
    ParcelInOrder,
    ParcelPending,
    PartialDelivery,
    Product,
    Visit,
)
from shop.rows import deliveries, sales, stores

SEED = 42

Model = type[models.Model]
Make = Callable[[Random], list[models.Model]]

# Those of one group share a generator, in this order; what is added gets a group of its own, so
# that the rows of the others stay as they are.
GROUPS: tuple[tuple[Make, ...], ...] = (
    (sales.book_rows, sales.customer_rows, sales.order_rows, deliveries.delivery_rows),
    (deliveries.parcel_rows,),
    (stores.box_rows,),
    (stores.visit_rows,),
    (stores.member_rows,),
)
COPIES: dict[Model, Model] = {
    IndexedDelivery: Delivery,
    PartialDelivery: Delivery,
    ParcelByCustomer: Parcel,
    ParcelByStatus: Parcel,
    ParcelInOrder: Parcel,
    ParcelCovered: Parcel,
    ParcelPending: Parcel,
}
# Parents before children; emptied in reverse.
MODELS: tuple[Model, ...] = (
    *(Author, Book, Company, Customer, Category, Product, Order, OrderItem, Delivery, Parcel),
    *(Box, Content, Visit, Member),
    *COPIES,
)

Progress = Callable[[str, int], None]


def empty_models() -> list[Model]:
    """The tables that have no rows, parents before children."""
    return [model for model in MODELS if not model._default_manager.exists()]


def rebuild(progress: Progress | None = None) -> dict[str, int]:
    """Empty the shop's tables and fill them again in one transaction; the rows of each model."""
    with transaction.atomic():
        for model in reversed(MODELS):
            model._default_manager.all().delete()
        return fill(MODELS, progress)


def fill(chosen: Iterable[Model], progress: Progress | None = None) -> dict[str, int]:
    """Fill these tables, which are empty, in one transaction; the rows of each of them.

    Raises IntegrityError when what the rows belong to is not there any more.
    ``progress`` is called with name and number of rows whenever a table is full.
    """
    wanted = [model for model in MODELS if model in set(chosen)]
    rows = _rows()
    counts: dict[str, int] = {}
    with transaction.atomic():
        for model in wanted:
            if model in COPIES:
                count = _copy(COPIES[model], model)
            else:
                count = len(rows[model])
                model._default_manager.bulk_create(rows[model], batch_size=500)
            counts[model.__name__] = count
            if progress:
                progress(model.__name__, count)
        _finish(wanted)
    return counts


def _rows() -> dict[Model, list[models.Model]]:
    found: dict[Model, list[models.Model]] = {model: [] for model in MODELS}
    for group in GROUPS:
        rng = Random(SEED)
        for make in group:
            for row in make(rng):
                found[type(row)].append(row)
    return found


def _copy(source: Model, target: Model) -> int:
    """All rows of one table into another one of the same columns, without fetching them."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in source._meta.concrete_fields)
    into, origin = quote(target._meta.db_table), quote(source._meta.db_table)
    with connection.cursor() as cursor:
        # Names of the models above: nothing that a user gave.
        cursor.execute(f"INSERT INTO {into} ({columns}) SELECT {columns} FROM {origin} ORDER BY id")  # noqa: S608
    return target._default_manager.count()


def _finish(filled: list[Model]) -> None:
    """Check the keys, and tell a server what it has to know after many rows with given keys."""
    connection.check_constraints([model._meta.db_table for model in filled])
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), filled):
            cursor.execute(sql)
        if connection.vendor == "postgresql":
            for model in filled:
                cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
