"""The tables of the recorded plans, as a project would have them."""

from __future__ import annotations

from typing import Any

from django_hotpath.analysis.plans.tables import Column, Index, Model, Table

SOURCE = '''"""A shop."""

from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=100)


class Order(models.Model):
    number = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=[("pending", "Pending")])
    customer = models.ForeignKey(Customer, models.CASCADE)
    created_at = models.DateTimeField()
    note = models.TextField()

    def __str__(self):
        return self.number
'''

COLUMNS = {
    "id": Column(field="id", kind="BigAutoField", unique=True),
    "number": Column(field="number", kind="CharField"),
    "status": Column(field="status", kind="CharField", few_values=True),
    "customer_id": Column(field="customer", kind="ForeignKey", indexed=True),
    "created_at": Column(field="created_at", kind="DateTimeField"),
    "note": Column(field="note", kind="TextField"),
    "paid": Column(field="paid", kind="BooleanField", few_values=True),
    "deleted_at": Column(field="deleted_at", kind="DateTimeField", null=True),
}
PRIMARY = Index(name="ord_pkey", columns=(("id", False),), unique=True, primary=True)
BY_CUSTOMER = Index(name="ord_customer", columns=(("customer_id", False),))


def orders(**values: Any) -> Table:
    defaults: dict[str, Any] = {
        "name": "ord",
        "rows": 20_000,
        "rows_exact": True,
        "model": Model(label="shop.Order", file="shop/models.py", line=10),
        "columns": COLUMNS,
        "indexes": (PRIMARY, BY_CUSTOMER),
        "source": SOURCE,
    }
    return Table(**{**defaults, **values})


def all_tables() -> dict[str, Table]:
    return {
        "ord": orders(),
        "cust": Table(name="cust", rows=500, rows_exact=True),
        "item": Table(name="item", rows=30_000, rows_exact=True),
    }
