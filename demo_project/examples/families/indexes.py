"""What the database reads to find a few rows, and what an index spares it."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S1, S3, S4, Example, Family, Signal, Sizes, Variant
from shop.models import (
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

DELIVERIES = Sizes(default=20, cap=100)
PARCELS = Sizes(default=5, cap=10)
PENDING = Delivery.Status.PENDING
CUSTOMER = 7


def parcels_slow(request: HttpRequest) -> HttpResponse:
    return _parcels(request, Parcel)


def parcels_single(request: HttpRequest) -> HttpResponse:
    return _parcels(request, ParcelByCustomer)


def parcels_composite(request: HttpRequest) -> HttpResponse:
    return _parcels(request, ParcelByStatus)


def parcels_fast(request: HttpRequest) -> HttpResponse:
    return _parcels(request, ParcelInOrder)


def parcels_covering(request: HttpRequest) -> HttpResponse:
    return _parcels(request, ParcelCovered)


def parcels_partial(request: HttpRequest) -> HttpResponse:
    return _parcels(request, ParcelPending)


def _parcels(request: HttpRequest, model: type[Model]) -> HttpResponse:
    pending = model._default_manager.filter(customer=CUSTOMER, status=PENDING)
    newest = pending.order_by("-created_at")[: PARCELS.asked(request)]
    rows = newest.values_list("number", "created_at")
    return answer(request, payload(("Number", "Created"), [(n, str(when)) for n, when in rows]))


def deliveries_slow(request: HttpRequest) -> HttpResponse:
    return _deliveries(request, Delivery)


def deliveries_fast(request: HttpRequest) -> HttpResponse:
    return _deliveries(request, IndexedDelivery)


def deliveries_partial(request: HttpRequest) -> HttpResponse:
    return _deliveries(request, PartialDelivery)


def _deliveries(request: HttpRequest, model: type[Model]) -> HttpResponse:
    pending = model._default_manager.filter(status=PENDING)
    newest = pending.order_by("-created_at")[: DELIVERIES.asked(request)]
    rows = newest.values_list("number", "city", "created_at")
    return answer(
        request,
        payload(("Number", "City", "Created"), [(n, city, str(when)) for n, city, when in rows]),
    )


FAMILY = Family(
    "indexes", "Indexes and plans", "What the database reads to find the rows that are asked for."
)

EXAMPLES = (
    Example(
        slug="indexes",
        number=16,
        title="One query, six sets of indexes",
        family=FAMILY,
        source=(S1, S3, S4),
        claim="A query over 100 ms is a problem; a single, composite or partial index cures it.",
        variants=(
            Variant(
                "slow",
                parcels_slow,
                "no index",
                "slow",
                code=(_parcels, Parcel),
                finding="full_scan",
            ),
            Variant(
                "single",
                parcels_single,
                '["customer"]',
                "fast",
                code=(_parcels, ParcelByCustomer),
                finding="unindexed_sort",
            ),
            Variant(
                "composite",
                parcels_composite,
                '["customer", "status"]',
                "fast",
                code=(_parcels, ParcelByStatus),
                finding="unindexed_sort",
            ),
            Variant(
                "fast",
                parcels_fast,
                '["customer", "status", "-created_at"]',
                "fast",
                code=(_parcels, ParcelInOrder),
            ),
            Variant(
                "covering",
                parcels_covering,
                'the same and "number"',
                "fast",
                code=(_parcels, ParcelCovered),
            ),
            Variant(
                "partial",
                parcels_partial,
                '["customer", "-created_at"] of pending ones',
                "fast",
                code=(_parcels, ParcelPending),
            ),
        ),
        sizes=PARCELS,
        signals=(
            Signal("slow", "plan", "full_scan"),
            Signal("slow", "rows read", 10_000),
            Signal("single", "plan", "shop_parcel_single"),
            Signal("composite", "plan", "shop_parcel_composite"),
            Signal("fast", "plan", "shop_parcel_ordered"),
            Signal("covering", "plan", "shop_parcel_covering"),
            Signal("partial", "plan", "shop_parcel_partial"),
        ),
        explanation=(
            "Six tables hold the same 10,000 parcels and get the same query: the newest pending "
            "parcels of one customer. Without an index all rows are read and the pending ones "
            "sorted. An index on the customer finds 150 rows, of which most are thrown away; with "
            "the status behind it only the pending ones are found, and still sorted. With the date "
            "as its last column nothing is sorted any more: the first five are the answer. The "
            "covering one has the number too, so that the table is not touched at all. The partial "
            "one does the same with a tenth of the entries."
        ),
        trap=(
            "The order of the columns counts: those compared with a value first, then the one that "
            "sorts. Every index makes each write slower and takes space; one that begins with the "
            "same columns as another is one too many. On a table of a few hundred rows the "
            "database reads it whole, index or not, and is right."
        ),
        shows=("queries",),
    ),
    Example(
        slug="deliveries",
        number=17,
        title="The newest pending ones of 20,000",
        family=FAMILY,
        source=(S1, S4),
        claim="Without an index the database reads the whole table; with one, what it returns.",
        variants=(
            Variant(
                "slow",
                deliveries_slow,
                "no index on status and created_at",
                "slow",
                code=(_deliveries, Delivery),
                finding="full_scan",
            ),
            Variant(
                "fast",
                deliveries_fast,
                'Index(fields=["status", "-created_at"])',
                "fast",
                code=(_deliveries, IndexedDelivery),
            ),
            Variant(
                "partial",
                deliveries_partial,
                "an index of the pending ones only",
                "fast",
                code=(_deliveries, PartialDelivery),
            ),
        ),
        sizes=DELIVERIES,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "rows read", 20_000),
            Signal("fast", "queries", 1),
            Signal("fast", "rows read", 20),
            Signal("partial", "queries", 1),
            Signal("partial", "rows read", 20),
        ),
        explanation=(
            "All variants send the same query, to tables of the same rows. The slow one reads all "
            "20,000 and sorts the pending ones to return twenty. Open its query in the report and "
            "press Explain: the plan says so, names the index that is missing and, when you let "
            "it, creates it in a transaction, measures again and takes it back. Explaining runs on "
            "a connection of its own, in a transaction that is rolled back and may only read."
        ),
        trap=(
            "One delivery in fifty is pending. Asked for the delivered ones, nine in ten, the "
            "database reads the table from end to end and is right: an index would send it back "
            "and forth. A partial index is small, and is of use only to queries with its condition."
        ),
        shows=("queries",),
    ),
)
