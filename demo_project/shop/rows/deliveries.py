"""What is looked for among many. The tables that differ in their indexes are copies of these."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from django.db import models

from shop.models import Delivery, Parcel
from shop.rows.sales import CUSTOMERS
from shop.rows.words import CITIES

DELIVERIES, PARCELS = 20_000, 10_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def delivery_rows(rng: Random) -> list[models.Model]:
    """One in fifty is pending."""
    statuses = rng.choices(Delivery.Status.values, (2, 8, 90), k=DELIVERIES)
    minutes = rng.sample(range(400_000), DELIVERIES)
    cities = rng.choices(CITIES, k=DELIVERIES)
    return [
        Delivery(
            pk=pk,
            number=f"D{pk:07}",
            city=city,
            status=status,
            created_at=START + timedelta(minutes=minute),
        )
        for pk, (city, status, minute) in enumerate(
            zip(cities, statuses, minutes, strict=True), start=1
        )
    ]


def parcel_rows(rng: Random) -> list[models.Model]:
    """Each customer has about 170, of which one in ten is pending."""
    statuses = rng.choices(Delivery.Status.values, (10, 10, 80), k=PARCELS)
    minutes = rng.sample(range(400_000), PARCELS)
    customers = rng.choices(range(1, CUSTOMERS + 1), k=PARCELS)
    return [
        Parcel(
            pk=pk,
            number=f"P{pk:07}",
            customer_id=customer,
            status=status,
            grams=50 + minute % 9_000,
            created_at=START + timedelta(minutes=minute),
        )
        for pk, (customer, status, minute) in enumerate(
            zip(customers, statuses, minutes, strict=True), start=1
        )
    ]
