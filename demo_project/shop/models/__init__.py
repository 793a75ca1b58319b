"""A small shop: enough relations and wide columns for every example to be slow in earnest."""

from shop.models.deliveries import (
    Delivery,
    IndexedDelivery,
    Parcel,
    ParcelByCustomer,
    ParcelByStatus,
    ParcelCovered,
    ParcelInOrder,
    ParcelPending,
    PartialDelivery,
)
from shop.models.sales import (
    Author,
    Book,
    Category,
    Company,
    Customer,
    Order,
    OrderItem,
    Product,
)
from shop.models.stores import Box, Content, Member, Visit

__all__ = [
    "Author",
    "Book",
    "Box",
    "Category",
    "Company",
    "Content",
    "Customer",
    "Delivery",
    "IndexedDelivery",
    "Member",
    "Order",
    "OrderItem",
    "Parcel",
    "ParcelByCustomer",
    "ParcelByStatus",
    "ParcelCovered",
    "ParcelInOrder",
    "ParcelPending",
    "PartialDelivery",
    "Product",
    "Visit",
]
