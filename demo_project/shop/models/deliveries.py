"""The same rows under different indexes: what differs between these tables is their Meta."""

from django.db import models

from shop.models.sales import Customer


class Status(models.TextChoices):
    PENDING = "pending"
    ON_ITS_WAY = "on its way"
    DELIVERED = "delivered"


PENDING = models.Q(status=Status.PENDING)


class DeliveryRow(models.Model):
    number = models.CharField(max_length=12)
    city = models.CharField(max_length=40)
    status = models.CharField(max_length=10, choices=Status)
    created_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number


class Delivery(DeliveryRow):
    """No index on purpose: the example about query plans filters by status and sorts by date."""

    Status = Status

    class Meta:
        verbose_name_plural = "deliveries"


class IndexedDelivery(DeliveryRow):
    """The same rows, with the index that they lack above."""

    class Meta:
        verbose_name_plural = "indexed deliveries"
        indexes = [
            models.Index(fields=["status", "-created_at"], name="shop_delivery_pending_idx"),
        ]


class PartialDelivery(DeliveryRow):
    """The same rows; the index holds the pending ones only."""

    class Meta:
        verbose_name_plural = "partial deliveries"
        indexes = [
            models.Index(fields=["-created_at"], condition=PENDING, name="shop_delivery_partial"),
        ]


class ParcelRow(models.Model):
    number = models.CharField(max_length=12)
    # No index of its own, which Django would give it: the tables below choose.
    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    status = models.CharField(max_length=10, choices=Status)
    grams = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.number


class Parcel(ParcelRow):
    """No index but that of the key."""


class ParcelByCustomer(ParcelRow):
    class Meta:
        indexes = [models.Index(fields=["customer"], name="shop_parcel_single")]


class ParcelByStatus(ParcelRow):
    class Meta:
        indexes = [models.Index(fields=["customer", "status"], name="shop_parcel_composite")]


class ParcelInOrder(ParcelRow):
    class Meta:
        indexes = [
            models.Index(fields=["customer", "status", "-created_at"], name="shop_parcel_ordered")
        ]


class ParcelCovered(ParcelRow):
    class Meta:
        indexes = [
            models.Index(
                fields=["customer", "status", "-created_at", "number"], name="shop_parcel_covering"
            )
        ]


class ParcelPending(ParcelRow):
    class Meta:
        indexes = [
            models.Index(
                fields=["customer", "-created_at"], condition=PENDING, name="shop_parcel_partial"
            )
        ]
