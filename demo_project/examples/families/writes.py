"""Rows that are written one by one, and all at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import Count, F, Sum
from django.http import HttpRequest, HttpResponse

from examples.pages import answer, payload
from examples.registry import S2, S4, Example, Family, Signal, Sizes, Variant
from shop.models import Content, Visit

CREATED = UPDATED = Sizes(default=500, cap=2_000)
BATCH = 100


@contextmanager
def undone() -> Iterator[None]:
    """What is written within is taken back: these pages are opened by GET, again and again."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def create_slow(request: HttpRequest) -> HttpResponse:
    with undone():
        for number in range(CREATED.asked(request)):
            Content.objects.create(box_id=1, name=f"Cup {number}", quantity=number % 7)
        return _cups(request)


def create_fast(request: HttpRequest) -> HttpResponse:
    with undone():
        cups = [
            Content(box_id=1, name=f"Cup {number}", quantity=number % 7)
            for number in range(CREATED.asked(request))
        ]
        Content.objects.bulk_create(cups, batch_size=BATCH)
        return _cups(request)


def _cups(request: HttpRequest) -> HttpResponse:
    cups = Content.objects.filter(name__startswith="Cup ")
    found = cups.aggregate(rows=Count("pk"), cups=Sum("quantity"))
    return answer(request, payload(("Rows", "Cups"), [found.values()]))


def update_slow(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.filter(pk__lte=UPDATED.asked(request))
    with undone():
        for visit in visits:
            visit.seconds += 60
            visit.save()
        return _seconds(request)


def update_bulk(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.filter(pk__lte=UPDATED.asked(request))
    with undone():
        for visit in visits:
            visit.seconds += 60
        Visit.objects.bulk_update(visits, ["seconds"], batch_size=BATCH)
        return _seconds(request)


def update_fast(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.filter(pk__lte=UPDATED.asked(request))
    with undone():
        visits.update(seconds=F("seconds") + 60)
        return _seconds(request)


def _seconds(request: HttpRequest) -> HttpResponse:
    visits = Visit.objects.filter(pk__lte=UPDATED.asked(request))
    found = visits.aggregate(rows=Count("pk"), seconds=Sum("seconds"))
    return answer(request, payload(("Rows", "Seconds"), [found.values()]))


FAMILY = Family(
    "writes",
    "Writing",
    "Rows that are written one by one, and all at once. What these pages write is taken back, so "
    "that they can be opened and profiled by address; a page of yours would write on POST.",
)

EXAMPLES = (
    Example(
        slug="bulk-create",
        number=14,
        title="An INSERT for every row",
        family=FAMILY,
        source=(S2, S4),
        claim="N `create()` become one `bulk_create()`: 10x to 100x.",
        variants=(
            Variant(
                "slow",
                create_slow,
                "create() in a loop",
                "slow",
                code=(create_slow, undone),
                finding="write_loop",
            ),
            Variant(
                "fast",
                create_fast,
                "bulk_create(), a hundred at once",
                "fast",
                code=(create_fast, undone),
            ),
        ),
        sizes=CREATED,
        signals=(
            Signal("slow", "INSERT statements", 500),
            Signal("fast", "INSERT statements", 5, "it batches: not one INSERT"),
            Signal("slow", "model instances", 500),
            Signal("fast", "model instances", 500),
        ),
        explanation=(
            "Each `create()` is a trip to the database and back, and on the way there Django opens "
            "and closes its own bookkeeping for every row. `bulk_create()` sends a hundred rows a "
            "statement. Both run in a transaction that is rolled back, so that nothing stays; in "
            "yours, the loop without a transaction would also commit five hundred times."
        ),
        trap=(
            "`bulk_create()` calls no `save()` of your own and sends no signals. Where a receiver "
            "must run, keep the loop, in one transaction."
        ),
        verdict="partly",
        verdict_reason=(
            "500 statements become 5, not one: they hold a hundred rows each. In SQLite, in the "
            "same process, the time gained is at the lower end of the claim or below it; a server "
            "over a network, where each trip counts, is not measured."
        ),
        shows=("queries", "calls"),
    ),
    Example(
        slug="bulk-update",
        number=15,
        title="An UPDATE for every row",
        family=FAMILY,
        source=(S2, S4),
        claim="N `save()` become `bulk_update()`, or one `update()` with `F()`: 10x to 100x.",
        variants=(
            Variant(
                "slow",
                update_slow,
                "save() in a loop",
                "slow",
                code=(update_slow, undone),
                finding="write_loop",
            ),
            Variant(
                "bulk",
                update_bulk,
                "bulk_update(), a hundred at once",
                "fast",
                code=(update_bulk, undone),
            ),
            Variant(
                "fast",
                update_fast,
                'update(seconds=F("seconds") + 60)',
                "fast",
                code=(update_fast, undone),
            ),
        ),
        sizes=UPDATED,
        signals=(
            Signal("slow", "UPDATE statements", 500),
            Signal("bulk", "UPDATE statements", 5),
            Signal("fast", "UPDATE statements", 1),
            Signal("slow", "model instances", 500),
            Signal("bulk", "model instances", 500),
            Signal("fast", "model instances", 0, "the rows never leave the database"),
        ),
        explanation=(
            "The database can add sixty seconds to each row by itself. `save()` in a loop fetches "
            "the rows, writes every column of every row back and makes a trip for each. "
            "`bulk_update()` makes few trips, but what it sends is long: a `CASE` with a branch "
            "for each row, which both sides have to take apart. `update()` with `F()` is one short "
            "statement, and no row is fetched."
        ),
        trap=(
            "`F()` computes in the database: a decimal times 1.1 is a float in SQLite, and may "
            "differ in the last digit from what Python had written; these pages add whole seconds, "
            "so that all three agree. None of the fast forms calls `save()` or sends signals, and "
            "`auto_now` stays as it was."
        ),
        verdict="partly",
        verdict_reason=(
            "500 statements become 5 and 1. `update()` keeps the promise; `bulk_update()` is not "
            "even twice as fast in SQLite, in the same process. A server over a network, where "
            "each trip counts, is not measured."
        ),
        shows=("queries", "calls"),
    ),
)
