"""What the database reads to find a few rows, and what an index spares it."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S1, S3, S4, Example, Family, Signal, Sizes, Variant
from shop.models import Delivery, IndexedDelivery

DELIVERIES = Sizes(default=20, cap=100)


def deliveries_slow(request: HttpRequest) -> HttpResponse:
    return _pending(request, Delivery)


def deliveries_fast(request: HttpRequest) -> HttpResponse:
    return _pending(request, IndexedDelivery)


def _pending(request: HttpRequest, model: type[Model]) -> HttpResponse:
    pending = model._default_manager.filter(status=Delivery.Status.PENDING)
    newest = pending.order_by("-created_at")[: DELIVERIES.asked(request)]
    rows = newest.values_list("number", "city", "created_at")
    return answer(
        request,
        payload(("Number", "City", "Created"), [(n, city, str(when)) for n, city, when in rows]),
    )


FAMILY = Family(
    "indexes", "Indexes", "What the database reads to find the rows that are asked for."
)

EXAMPLES = (
    Example(
        slug="deliveries",
        number=16,
        title="The newest pending ones of 20,000",
        family=FAMILY,
        source=(S1, S3, S4),
        claim="Without an index the database reads the whole table; with one, what it returns.",
        variants=(
            Variant(
                "slow",
                deliveries_slow,
                "no index on status and created_at",
                "slow",
                code=(deliveries_slow, _pending),
                finding="full_scan",
            ),
            Variant(
                "fast",
                deliveries_fast,
                'Index(fields=["status", "-created_at"])',
                "fast",
                code=(deliveries_fast, IndexedDelivery),
            ),
        ),
        sizes=DELIVERIES,
        signals=(
            Signal("slow", "queries", 1),
            Signal("slow", "rows read", 20_000),
            Signal("fast", "queries", 1),
            Signal("fast", "rows read", 20),
        ),
        explanation=(
            "Both variants send the same query, to tables of the same rows. The slow one reads all "
            "20,000 and sorts the pending ones to return twenty. Open its query in the report and "
            "press Explain: the plan says so, names the index that is missing and, when you let "
            "it, creates it in a transaction, measures again and takes it back."
        ),
    ),
)
