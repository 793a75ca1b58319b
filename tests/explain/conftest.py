from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from shop.models import Delivery

ROWS = 4_000


@pytest.fixture
def deliveries(transactional_db: None) -> int:
    """Rows that other connections see, of which one in forty is pending."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    Delivery.objects.bulk_create(
        (
            Delivery(
                number=f"D{n}",
                city="Porto" if n % 2 else "Ghent",
                status="pending" if n % 40 == 0 else "delivered",
                created_at=start + timedelta(minutes=n * 7919 % 100_003),
            )
            for n in range(ROWS)
        ),
        batch_size=1_000,
    )
    with connection.cursor() as cursor:
        # Servers look at their tables from time to time; here at once.
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE shop_delivery")
        elif connection.vendor == "mysql":
            cursor.execute("ANALYZE TABLE shop_delivery")
            cursor.fetchall()
    return ROWS
